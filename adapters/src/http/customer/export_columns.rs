//! The columns of an export as CSV.

use patron_domain::{import::ColumnTarget, violation::Rule};
use serde_json::{Map, Value};

/// The columns of an export by default.
pub(super) const ALL: [&str; 34] = [
    "external_id",
    "name",
    "email",
    "contact",
    "address_line1",
    "address_line2",
    "address_city",
    "address_state",
    "address_postal_code",
    "address_country",
    "timezone",
    "billing_currency",
    "tax_treatment",
    "customer_type",
    "legal_name",
    "registration_number",
    "buyer_reference",
    "electronic_address",
    "shipping_address",
    "preferred_locales",
    "tags",
    "contact_persons",
    "tax_ids",
    "tax_exemptions",
    "metadata",
    "custom_fields",
    "tax_rate_overrides",
    "integration_entity_mapping",
    "id",
    "status",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
];

/// Columns that an import ignores.
const OWN: [&str; 6] = ["id", "status", "created_at", "created_by", "updated_at", "updated_by"];

/// A column that is not a field of a customer.
#[derive(Debug, thiserror::Error)]
#[error(
    "columns contains {0}, which is not a field of a customer; use names such as name, metadata.plan or shipping_address"
)]
pub(super) struct UnknownColumn(String);

impl Rule for UnknownColumn {
    fn rule(&self) -> &'static str {
        "column"
    }
}

/// The wanted columns, by their names.
pub(super) fn columns(wanted: &str) -> Result<Vec<String>, UnknownColumn> {
    let names = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    let known = |name: &str| {
        let is_known = OWN.contains(&name) || ColumnTarget::parse(name).is_ok();
        if is_known { Ok(name.to_owned()) } else { Err(UnknownColumn(name.chars().take(100).collect())) }
    };
    names.map(known).collect()
}

/// The cell of a column: texts as they are, lists and objects as JSON, and nothing for absent and empty values.
pub(super) fn cell(row: &Map<String, Value>, column: &str) -> String {
    let value = row.get(column).or_else(|| {
        let (object, member) = column.split_once('.')?;
        row.get(object)?.get(member)
    });
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) if values.is_empty() => String::new(),
        Some(Value::Object(members)) if members.is_empty() => String::new(),
        Some(other) => other.to_string(),
    }
}

/// A cell that a spreadsheet does not take for a formula.
pub(super) fn disarmed(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_texts_or_json() {
        let row = json!({ "name": "A", "tags": ["x"], "metadata": { "a.b": "1" }, "tax_ids": [], "count": 3 });
        let row = row.as_object().unwrap();
        let cells = ["name", "tags", "metadata.a.b", "tax_ids", "count", "email"].map(|column| cell(row, column));
        assert_eq!(cells, ["A", "[\"x\"]", "1", "", "3", ""]);
        assert_eq!((disarmed("=1".to_owned()), disarmed("a=1".to_owned())), ("'=1".to_owned(), "a=1".to_owned()));
    }

    #[test]
    fn columns_are_checked() {
        assert_eq!(columns("name, metadata.plan,,id").unwrap(), ["name", "metadata.plan", "id"]);
        assert!(columns("name,colour").is_err());
        assert!(ALL.iter().all(|column| columns(column).is_ok()));
    }
}
