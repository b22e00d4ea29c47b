//! The columns of CSV files: which field each has. Products change their headers, so a user's `columns` override these.
//!
//! Headers are compared in lower case and without surrounding blanks.

use super::{
    ImportPreset,
    options::ColumnTarget::{self, Ignored, Json, Member, Text, Texts},
};

/// What a preset does with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    /// The values go to a field.
    To(ColumnTarget),
    /// They go to a field, unless another column of the row has a value for it.
    Weakly(ColumnTarget),
    /// A key of the metadata.
    Metadata(&'static str),
    /// The preset's own meaning.
    Own(Own),
}

/// Columns with a meaning of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Own {
    /// The id in the product: a link, and the external id unless there is another.
    ProviderId,
    /// A VAT number with its country in front.
    Vat,
    /// The country of a VAT number.
    VatPrefix,
    /// A tax id of unknown type.
    TaxId,
    /// A part of the name of a person.
    FirstName,
    LastName,
    /// E-mail addresses, separated by commas.
    Emails,
    /// A third line of the address.
    Line3,
    /// A preferred language.
    Locale,
    /// A word of Stripe: `none`, `exempt` or `reverse`.
    TaxExempt,
    /// The payment provider of Lago, and the id there.
    Provider,
    ProviderCustomerId,
    /// Codes of tax rates, separated by commas.
    TaxCodes,
}

/// What a preset does with a column: the exact header counts, then the preset's patterns.
pub(super) fn column(preset: ImportPreset, header: &str) -> Option<Column> {
    let table: &[(&str, Column)] = match preset {
        ImportPreset::Patron => &PATRON,
        ImportPreset::Stripe => &STRIPE,
        ImportPreset::Chargebee => &CHARGEBEE,
        ImportPreset::Lago => &LAGO,
        ImportPreset::Flexprice => &FLEXPRICE,
    };
    let exact = table.iter().find(|(name, _)| *name == header).map(|(_, column)| column.clone());
    exact.or_else(|| match preset {
        // Its columns are the names of fields.
        ImportPreset::Patron => ColumnTarget::parse(header).ok().map(Column::To),
        ImportPreset::Stripe => stripe_address(header).or_else(|| is_stripe_card(header).then_some(IGNORED)),
        ImportPreset::Chargebee => is_chargebee_money(header).then_some(IGNORED),
        ImportPreset::Lago | ImportPreset::Flexprice => None,
    })
}

/// The addresses of Stripe's file, with or without `Card` or `Billing` in front.
fn stripe_address(header: &str) -> Option<Column> {
    let (weak, rest) = match header.strip_prefix("card ") {
        Some(rest) => (true, rest),
        None => (false, header.strip_prefix("billing ").unwrap_or(header)),
    };
    let target = match rest.strip_prefix("address ")? {
        "line1" => Text("address_line1"),
        "line2" => Text("address_line2"),
        "city" => Text("address_city"),
        "state" => Text("address_state"),
        "postal code" | "zip" => Text("address_postal_code"),
        "country" => Text("address_country"),
        _ => return None,
    };
    Some(if weak { Column::Weakly(target) } else { Column::To(target) })
}

fn is_stripe_card(header: &str) -> bool {
    header.starts_with("card ") || header.starts_with("card_")
}

fn is_chargebee_money(header: &str) -> bool {
    ["balance", "credits", "receivable", "mrr"].iter().any(|word| header.contains(word))
}

const fn to(name: &'static str) -> Column {
    Column::To(Text(name))
}

const fn shipping(name: &'static str) -> Column {
    Column::To(Member("shipping_address", name))
}

const IGNORED: Column = Column::To(Ignored);

/// Members of an export that an import cannot set.
const PATRON: [(&str, Column); 11] = [
    ("id", IGNORED),
    ("status", IGNORED),
    ("version", IGNORED),
    ("tenant_id", IGNORED),
    ("environment_id", IGNORED),
    ("created_at", IGNORED),
    ("created_by", IGNORED),
    ("updated_at", IGNORED),
    ("updated_by", IGNORED),
    ("integrations", IGNORED),
    ("legal_hold", IGNORED),
];

const STRIPE: [(&str, Column); 26] = [
    ("id", Column::Own(Own::ProviderId)),
    ("name", to("name")),
    ("email", to("email")),
    ("phone", to("contact")),
    ("description", Column::Metadata("description")),
    ("created (utc)", Column::Metadata("stripe_created")),
    ("currency", to("billing_currency")),
    ("business vat id", Column::Own(Own::Vat)),
    ("tax exempt", Column::Own(Own::TaxExempt)),
    ("shipping name", shipping("name")),
    ("shipping phone", shipping("phone")),
    ("shipping address line1", shipping("line1")),
    ("shipping address line2", shipping("line2")),
    ("shipping address city", shipping("city")),
    ("shipping address state", shipping("state")),
    ("shipping address postal code", shipping("postal_code")),
    ("shipping address country", shipping("country")),
    ("delinquent", IGNORED),
    ("plan", IGNORED),
    ("status", IGNORED),
    ("total spend", IGNORED),
    ("payment count", IGNORED),
    ("average order", IGNORED),
    ("refunded volume", IGNORED),
    ("dispute losses", IGNORED),
    ("account balance", IGNORED),
];

const CHARGEBEE: [(&str, Column); 24] = [
    ("id", Column::Own(Own::ProviderId)),
    ("company", to("name")),
    ("first_name", Column::Own(Own::FirstName)),
    ("last_name", Column::Own(Own::LastName)),
    ("email", to("email")),
    ("phone", to("contact")),
    ("vat_number", Column::Own(Own::Vat)),
    ("vat_number_prefix", Column::Own(Own::VatPrefix)),
    ("taxability", to("tax_treatment")),
    ("preferred_currency_code", to("billing_currency")),
    ("locale", Column::Own(Own::Locale)),
    ("billing_address[line1]", to("address_line1")),
    ("billing_address[line2]", to("address_line2")),
    ("billing_address[line3]", Column::Own(Own::Line3)),
    ("billing_address[city]", to("address_city")),
    ("billing_address[state]", to("address_state")),
    ("billing_address[zip]", to("address_postal_code")),
    ("billing_address[country]", to("address_country")),
    ("auto_collection", IGNORED),
    ("net_term_days", IGNORED),
    ("payment_method", IGNORED),
    ("payment_method[type]", IGNORED),
    ("payment_method[status]", IGNORED),
    ("created_at", IGNORED),
];

const LAGO: [(&str, Column); 29] = [
    ("external_id", to("external_id")),
    ("name", to("name")),
    ("legal_name", to("legal_name")),
    ("legal_number", to("registration_number")),
    ("firstname", Column::Own(Own::FirstName)),
    ("lastname", Column::Own(Own::LastName)),
    ("email", Column::Own(Own::Emails)),
    ("phone", to("contact")),
    ("address_line1", to("address_line1")),
    ("address_line2", to("address_line2")),
    ("city", to("address_city")),
    ("state", to("address_state")),
    ("zipcode", to("address_postal_code")),
    ("country", to("address_country")),
    ("currency", to("billing_currency")),
    ("timezone", to("timezone")),
    ("customer_type", to("customer_type")),
    ("tax_identification_number", Column::Own(Own::TaxId)),
    ("shipping_address.address_line1", shipping("line1")),
    ("shipping_address.address_line2", shipping("line2")),
    ("shipping_address.city", shipping("city")),
    ("shipping_address.state", shipping("state")),
    ("shipping_address.zipcode", shipping("postal_code")),
    ("shipping_address.country", shipping("country")),
    ("billing_configuration.payment_provider", Column::Own(Own::Provider)),
    ("billing_configuration.provider_customer_id", Column::Own(Own::ProviderCustomerId)),
    ("billing_configuration.document_locale", Column::Own(Own::Locale)),
    ("tax_codes", Column::Own(Own::TaxCodes)),
    ("lago_id", IGNORED),
];

const FLEXPRICE: [(&str, Column); 18] = [
    ("external_id", to("external_id")),
    ("name", to("name")),
    ("email", to("email")),
    ("contact", to("contact")),
    ("address_line1", to("address_line1")),
    ("address_line2", to("address_line2")),
    ("address_city", to("address_city")),
    ("address_state", to("address_state")),
    ("address_postal_code", to("address_postal_code")),
    ("address_country", to("address_country")),
    ("metadata", Column::To(Json("metadata"))),
    ("tags", Column::To(Texts("tags"))),
    ("id", IGNORED),
    ("status", IGNORED),
    ("tenant_id", IGNORED),
    ("environment_id", IGNORED),
    ("created_at", IGNORED),
    ("updated_at", IGNORED),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_product_are_known() {
        for (preset, header, column) in [
            (ImportPreset::Patron, "name", to("name")),
            (ImportPreset::Patron, "shipping_address.city", shipping("city")),
            (ImportPreset::Patron, "id", IGNORED),
            (ImportPreset::Stripe, "billing address line1", to("address_line1")),
            (ImportPreset::Stripe, "address country", to("address_country")),
            (ImportPreset::Stripe, "card address zip", Column::Weakly(Text("address_postal_code"))),
            (ImportPreset::Stripe, "card last4", IGNORED),
            (ImportPreset::Chargebee, "billing_address[zip]", to("address_postal_code")),
            (ImportPreset::Chargebee, "excess_payments_balance", IGNORED),
            (ImportPreset::Lago, "zipcode", to("address_postal_code")),
            (ImportPreset::Flexprice, "address_city", to("address_city")),
        ] {
            assert_eq!(super::column(preset, header), Some(column), "{header}");
        }
        for preset in ImportPreset::ALL {
            assert_eq!(column(*preset, "favourite colour"), None);
        }
    }
}
