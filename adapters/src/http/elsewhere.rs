//! Parts of Flexprice's API that Patron does not have: billing, which is separate from the customer.

/// Entity types that Flexprice taxes or maps and that do not exist here. Their lists are empty, and writes are
/// rejected.
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

/// Whether a word is one of these types.
pub(crate) fn is_entity_type(word: &str) -> bool {
    ENTITY_TYPES.contains(&word)
}

/// Flexprice's paths below a customer, or below all of them.
const BELOW_CUSTOMERS: [&str; 9] =
    ["entitlements", "grants", "invoices", "invoice", "payments", "subscriptions", "usage", "wallets", "wallet"];

/// Whether a path ends as one of Flexprice's paths below customers that do not exist here.
pub(crate) fn is_path(path: &str) -> bool {
    path.split('/').next_back().is_some_and(|last| BELOW_CUSTOMERS.contains(&last))
}
