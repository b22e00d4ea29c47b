//! The rows of CSV files as bodies of creates.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    BlankCells, ColumnTarget, HeaderFault, ImportOptions,
    body::{self, Members},
    header::columns_of,
    presets::{Column, Own},
};
use crate::violation::{Rule, Violations};

/// A cell is not the JSON that its field needs.
#[derive(Debug, thiserror::Error)]
#[error("{0} must be JSON, such as [] or {{}}")]
struct NoJson(&'static str);

impl Rule for NoJson {
    fn rule(&self) -> &'static str {
        "json"
    }
}

/// Turns rows of a CSV file into bodies of creates.
///
/// ```
/// use patron_domain::import::{ImportFormat, ImportMode, ImportOptions, ImportPreset, RowMapper};
///
/// let options = ImportOptions::new(ImportFormat::Csv, ImportPreset::Stripe, ImportMode::Create);
/// let mapper = RowMapper::new(&options, &["id", "Name", "Delinquent"]).unwrap();
/// assert_eq!(mapper.ignored(), ["Delinquent"]);
/// let body = mapper.body(&options, &["cus_1", "Ada", "false"]).unwrap();
/// assert_eq!((&body["external_id"], &body["name"]), (&"cus_1".into(), &"Ada".into()));
/// ```
#[derive(Debug, Clone)]
pub struct RowMapper {
    columns: Vec<Column>,
    ignored: Vec<String>,
}

impl RowMapper {
    /// Finds the field of each column.
    ///
    /// # Errors
    /// See [`HeaderFault`].
    pub fn new(options: &ImportOptions, header: &[impl AsRef<str>]) -> Result<Self, HeaderFault> {
        let (columns, ignored) = columns_of(options, header)?;
        Ok(Self { columns, ignored })
    }

    /// The columns that are ignored.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The body of a create. Missing cells are blank.
    ///
    /// # Errors
    /// When a cell cannot be read as its field.
    pub fn body(&self, options: &ImportOptions, cells: &[impl AsRef<str>]) -> Result<Map<String, Value>, Violations> {
        let mut row = Row { body: Map::new(), own: BTreeMap::new(), broken: Violations::new(), blank: options.blank };
        for (column, cell) in self.columns.iter().zip(cells) {
            row.take(column, cell.as_ref());
        }
        row.take_own(options);
        if row.broken.is_empty() { Ok(row.body) } else { Err(row.broken) }
    }
}

/// One row in the making.
struct Row {
    body: Members,
    own: BTreeMap<Own, String>,
    broken: Violations,
    blank: BlankCells,
}

impl Row {
    fn take(&mut self, column: &Column, cell: &str) {
        match column {
            Column::To(target) => self.put(target, cell),
            Column::Weakly(target) => {
                if let ColumnTarget::Text(name) = target
                    && self.body.get(*name).is_none_or(|value| value == "")
                    && !cell.trim().is_empty()
                {
                    self.put(target, cell);
                }
            }
            Column::Metadata(key) => self.put(&ColumnTarget::Metadata((*key).to_owned()), cell),
            Column::Own(own) => {
                if !cell.trim().is_empty() {
                    self.own.insert(*own, cell.trim().to_owned());
                }
            }
        }
    }

    fn put(&mut self, target: &ColumnTarget, cell: &str) {
        let blank = cell.trim().is_empty();
        if blank && self.blank == BlankCells::Keep {
            return;
        }
        match target {
            // A weaker column may have come before.
            ColumnTarget::Text(name) => drop(self.body.insert((*name).to_owned(), json!(cell))),
            ColumnTarget::Member(object, member) => self.put_member(object, member, json!(cell)),
            ColumnTarget::Texts(name) if !cell.trim_start().starts_with('[') => {
                let texts: Vec<_> = body::listed(cell).collect();
                self.body.insert((*name).to_owned(), json!(texts));
            }
            ColumnTarget::Texts(name) | ColumnTarget::Json(name) => {
                let value = if blank { Some(empty(name)) } else { serde_json::from_str(cell).ok() };
                match value {
                    Some(value) => drop(self.body.insert((*name).to_owned(), value)),
                    None => self.broken.add(*name, &NoJson(name)),
                }
            }
            ColumnTarget::Metadata(key) => {
                // `null` removes the key.
                let value = if blank { Value::Null } else { json!(cell) };
                self.put_member("metadata", key, value);
            }
            ColumnTarget::CustomField(key) => {
                let value = if blank { Value::Null } else { body::custom_value(cell) };
                self.put_member("custom_fields", key, value);
            }
            ColumnTarget::Ignored => {}
        }
    }

    /// A member of an object. A cell with the whole object may have come before.
    fn put_member(&mut self, object: &str, member: &str, value: Value) {
        let object = self.body.entry(object).or_insert_with(|| json!({}));
        if !object.is_object() {
            *object = json!({});
        }
        if let Some(members) = object.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
    }

    /// Columns with a meaning of their own, once all others are known.
    fn take_own(&mut self, options: &ImportOptions) {
        let Self { body, own, broken, .. } = self;
        if let Some(id) = own.remove(&Own::ProviderId) {
            body::identify(body, &id, options);
        }
        if let Some(number) = own.remove(&Own::Vat) {
            let country = own.remove(&Own::VatPrefix).unwrap_or_default();
            body::add_vat_number(body, &country, &number, options);
        }
        if let Some(number) = own.remove(&Own::TaxId) {
            body::add_vat_number(body, "", &number, options);
        }
        body::name_person(body, own.remove(&Own::FirstName), own.remove(&Own::LastName));
        if let Some(emails) = own.remove(&Own::Emails) {
            body::add_emails(body, &emails);
        }
        if let Some(line) = own.remove(&Own::Line3) {
            body::append(body, "address_line2", &line);
        }
        if let Some(locale) = own.remove(&Own::Locale) {
            body.insert("preferred_locales".to_owned(), json!([locale]));
        }
        if let Some(word) = own.remove(&Own::TaxExempt) {
            body.insert("tax_treatment".to_owned(), json!(body::treatment(&word)));
        }
        if let (Some(provider), Some(id)) = (own.remove(&Own::Provider), own.remove(&Own::ProviderCustomerId)) {
            body::add_link(body, &provider, &id);
        }
        if let Some(codes) = own.remove(&Own::TaxCodes) {
            body::add_tax_codes(body, body::listed(&codes).map(str::to_owned), broken);
        }
        body::lift_gstin(body, options);
        if options.skip_onboarding {
            body.insert("skip_onboarding_workflow".to_owned(), json!(true));
        }
    }
}

/// The value that clears a field.
fn empty(name: &str) -> Value {
    match name {
        "shipping_address" | "electronic_address" | "custom_fields" => Value::Null,
        "metadata" => json!({}),
        _ => json!([]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportFormat, ImportMode, ImportPreset};

    fn options(preset: ImportPreset) -> ImportOptions {
        ImportOptions::new(ImportFormat::Csv, preset, ImportMode::Upsert)
    }

    fn body(options: &ImportOptions, header: &[&str], cells: &[&str]) -> Value {
        Value::Object(RowMapper::new(options, header).unwrap().body(options, cells).unwrap())
    }

    #[test]
    fn a_row_of_stripe_becomes_a_customer() {
        let header = [
            "id",
            "Name",
            "Email",
            "Description",
            "Created (UTC)",
            "Currency",
            "Business Vat ID",
            "Card Address Line1",
            "Billing Address Line1",
            "Card Address City",
            "Shipping Name",
            "plan (metadata)",
            "Card Last4",
            "Plan",
        ];
        let cells = [
            "cus_1",
            "Acme",
            "a@acme.example",
            "A customer",
            "2026-01-01",
            "eur",
            "DE136695976",
            "Card street 1",
            "Billing street 1",
            "Bonn",
            "Ramp",
            "gold",
            "4242",
            "Pro",
        ];
        let options = options(ImportPreset::Stripe);
        assert_eq!(
            body(&options, &header, &cells),
            json!({
                "external_id": "cus_1", "name": "Acme", "email": "a@acme.example", "billing_currency": "eur",
                "metadata": { "description": "A customer", "stripe_created": "2026-01-01", "plan": "gold" },
                "tax_ids": [{ "type": "eu_vat", "value": "DE136695976" }],
                "address_line1": "Billing street 1", "address_city": "Bonn", "shipping_address": { "name": "Ramp" },
                "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_1" }],
                "skip_onboarding_workflow": true,
            })
        );
        assert_eq!(RowMapper::new(&options, &header).unwrap().ignored(), ["Card Last4", "Plan"]);
        // The external id of our own system.
        let own = ImportOptions { external_id_from: Some("metadata.plan".to_owned()), ..options };
        assert_eq!(body(&own, &header, &cells)["external_id"], "gold");
    }

    #[test]
    fn rows_of_other_products_become_customers() {
        let chargebee = body(
            &options(ImportPreset::Chargebee),
            &[
                "id",
                "first_name",
                "last_name",
                "vat_number",
                "vat_number_prefix",
                "billing_address[line2]",
                "billing_address[line3]",
                "cf_tier",
                "locale",
            ],
            &["c1", "Ada", "Lovelace", "136695976", "DE", "2", "3", "gold", "de"],
        );
        assert_eq!((&chargebee["name"], &chargebee["address_line2"]), (&json!("Ada Lovelace"), &json!("2, 3")));
        assert_eq!(chargebee["tax_ids"], json!([{ "type": "eu_vat", "value": "DE136695976" }]));
        assert_eq!(
            (&chargebee["metadata"], &chargebee["preferred_locales"]),
            (&json!({ "cf_tier": "gold" }), &json!(["de"]))
        );
        let lago = body(
            &options(ImportPreset::Lago),
            &[
                "external_id",
                "email",
                "currency",
                "tax_codes",
                "billing_configuration.payment_provider",
                "billing_configuration.provider_customer_id",
            ],
            &["l1", "a@x.example, b@x.example", "EUR", "vat, city", "stripe", "cus_9"],
        );
        assert_eq!(lago["email"], "a@x.example");
        assert_eq!(lago["contact_persons"], json!([{ "first_name": "b", "email": "b@x.example" }]));
        assert_eq!(lago["tax_rate_overrides"][1], json!({ "tax_rate_code": "city", "currency": "EUR" }));
        assert_eq!(lago["integration_entity_mapping"][0]["provider_entity_id"], "cus_9");
        let flexprice = ImportOptions { lift_metadata: true, ..options(ImportPreset::Flexprice) };
        let flexprice = body(&flexprice, &["external_id", "metadata.gstin"], &["f1", "27AAPFU0939F1ZV"]);
        assert_eq!(flexprice["tax_ids"], json!([{ "type": "in_gst", "value": "27AAPFU0939F1ZV" }]));
    }

    #[test]
    fn blank_cells_keep_or_clear() {
        let header = ["external_id", "name", "tags", "metadata.plan", "shipping_address.city", "tax_ids"];
        let cells = ["a", "", " ", "", "", ""];
        let keep = options(ImportPreset::Patron);
        assert_eq!(body(&keep, &header, &cells), json!({ "external_id": "a", "skip_onboarding_workflow": true }));
        let clear = ImportOptions { blank: BlankCells::Clear, skip_onboarding: false, ..keep };
        assert_eq!(
            body(&clear, &header, &cells),
            json!({
                "external_id": "a", "name": "", "tags": [], "metadata": { "plan": null },
                "shipping_address": { "city": "" }, "tax_ids": [],
            })
        );
    }

    #[test]
    fn cells_that_cannot_be_read_are_named() {
        let options = options(ImportPreset::Patron);
        let mapper = RowMapper::new(&options, &["external_id", "tax_ids", "tags"]).unwrap();
        let broken = mapper.body(&options, &["a", "DE1", "[x"]).unwrap_err();
        let places: Vec<_> = broken.iter().map(|one| (one.path.as_str(), one.rule)).collect();
        assert_eq!(places, [("tax_ids", "json"), ("tags", "json")]);
        let lago = ImportOptions { preset: ImportPreset::Lago, ..options };
        let mapper = RowMapper::new(&lago, &["external_id", "tax_codes"]).unwrap();
        assert_eq!(mapper.body(&lago, &["a", "vat"]).unwrap_err().iter().next().unwrap().path, "currency");
    }
}
