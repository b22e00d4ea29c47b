//! What Flexprice knows and Patron does not hold: billing, which is not the customer.

/// The types of entity that Flexprice taxes or maps and that are not here. A list of theirs is empty; a write is refused.
const ENTITY_TYPES: [&str; 11] = [
    "addon",
    "credit_note",
    "invoice",
    "invoice_line_item",
    "item",
    "item_price",
    "payment",
    "plan",
    "price",
    "subscription",
    "subscription_line_item",
];

/// Whether a word is such a type.
pub(crate) fn is_entity_type(word: &str) -> bool {
    ENTITY_TYPES.contains(&word)
}

/// What Flexprice has under a customer, or under all of them.
const BELOW_CUSTOMERS: [&str; 9] =
    ["entitlements", "grants", "invoices", "invoice", "payments", "subscriptions", "usage", "wallets", "wallet"];

/// Whether a path ends as one of Flexprice's below customers that is not here.
pub(crate) fn is_path(path: &str) -> bool {
    path.split('/').next_back().is_some_and(|last| BELOW_CUSTOMERS.contains(&last))
}
