//! The rows of CSV files as bodies of creates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    BlankCells, ColumnTarget, ImportOptions, ImportPreset, UnmappedColumns,
    presets::{self, Column, Own},
    vat,
};
use crate::violation::{Rule, Violation, Violations};

/// Why a header is refused. Names of columns are shown, because they are no personal data.
///
/// ```
/// use patron_domain::import::HeaderFault;
///
/// let fault = HeaderFault::Twice("Name".to_owned());
/// assert_eq!(fault.to_string(), "the column Name is there twice; remove or rename one");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// Two columns have one name.
    #[error("the column {0} is there twice; remove or rename one")]
    Twice(String),
    /// Two columns go to the same field.
    #[error("the columns {0} and {1} both go to the field {2}; map one of them to \"\" in columns to ignore it")]
    SameField(String, String, String),
    /// No rule says what to do with some columns.
    #[error("the columns {0} are unknown; map them in columns, or send unmapped=metadata or unmapped=ignore")]
    Unmapped(String),
    /// No column holds the external id.
    #[error("no column holds the external id; map one to external_id in columns")]
    NoExternalId,
    /// The option `columns` names a column that the file does not have.
    #[error("columns names {0}, but the file has no such column")]
    NoSuchColumn(String),
}

impl Rule for HeaderFault {
    fn rule(&self) -> &'static str {
        match self {
            Self::Twice(_) => "unique",
            Self::SameField(..) => "one_field",
            Self::Unmapped(_) => "unmapped",
            Self::NoExternalId => "required",
            Self::NoSuchColumn(_) => "column",
        }
    }
}

/// A cell that is not the JSON that its field needs.
#[derive(Debug, thiserror::Error)]
#[error("must be JSON, such as [] or {{}}")]
struct NoJson;

impl Rule for NoJson {
    fn rule(&self) -> &'static str {
        "json"
    }
}

/// A row needs a currency for its tax rates.
#[derive(Debug, thiserror::Error)]
#[error("is required, because the row has tax codes")]
pub(super) struct NoCurrency;

impl Rule for NoCurrency {
    fn rule(&self) -> &'static str {
        "required"
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
        let mut wished: BTreeMap<String, &String> =
            options.columns.iter().map(|(name, field)| (normal(name), field)).collect();
        let (mut seen, mut columns) = (BTreeSet::new(), Vec::new());
        let (mut ignored, mut unmapped) = (Vec::new(), Vec::new());
        for name in header {
            let name = name.as_ref();
            let header = normal(name);
            if !seen.insert(header.clone()) {
                return Err(HeaderFault::Twice(shown(name)));
            }
            let column = match wished.remove(&header).and_then(|field| ColumnTarget::parse(field).ok()) {
                Some(target) => Some(Column::To(target)),
                None => metadata_column(name)
                    .or_else(|| custom_field_column(options.preset, &header))
                    .or_else(|| presets::column(options.preset, &header)),
            };
            let column = column.unwrap_or_else(|| match options.unmapped {
                UnmappedColumns::Metadata => Column::To(ColumnTarget::Metadata(name.trim().to_owned())),
                UnmappedColumns::Ignore => Column::To(ColumnTarget::Ignored),
                UnmappedColumns::Fail => {
                    unmapped.push(shown(name));
                    Column::To(ColumnTarget::Ignored)
                }
            });
            if column == Column::To(ColumnTarget::Ignored) {
                ignored.push(shown(name));
            }
            columns.push(column);
        }
        if let Some((name, _)) = wished.first_key_value() {
            return Err(HeaderFault::NoSuchColumn(shown(name)));
        }
        if !unmapped.is_empty() {
            return Err(HeaderFault::Unmapped(unmapped.join(", ")));
        }
        one_column_a_field(&columns, header)?;
        let names_one = |column: &Column| {
            matches!(column, Column::To(ColumnTarget::Text("external_id")) | Column::Own(Own::ProviderId))
        };
        if !columns.iter().any(names_one) {
            return Err(HeaderFault::NoExternalId);
        }
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

/// A header as it is compared.
fn normal(header: &str) -> String {
    header.trim().to_lowercase()
}

/// A header in messages.
fn shown(header: &str) -> String {
    header.trim().chars().take(100).collect()
}

/// `X (metadata)` and `metadata.X`.
fn metadata_column(header: &str) -> Option<Column> {
    let header = header.trim();
    let key = header.strip_suffix(" (metadata)").or_else(|| header.strip_prefix("metadata."))?;
    Some(Column::To(ColumnTarget::Metadata(key.to_owned())))
}

/// Chargebee's custom fields.
fn custom_field_column(preset: ImportPreset, header: &str) -> Option<Column> {
    let is_one = preset == ImportPreset::Chargebee && header.starts_with("cf_");
    is_one.then(|| Column::To(ColumnTarget::Metadata(header.to_owned())))
}

fn one_column_a_field(columns: &[Column], header: &[impl AsRef<str>]) -> Result<(), HeaderFault> {
    let mut fields: BTreeMap<&ColumnTarget, &str> = BTreeMap::new();
    for (column, name) in columns.iter().zip(header) {
        let Column::To(target) = column else { continue };
        if *target == ColumnTarget::Ignored {
            continue;
        }
        if let Some(other) = fields.insert(target, name.as_ref()) {
            let field = match target {
                ColumnTarget::Text(name) | ColumnTarget::Texts(name) | ColumnTarget::Json(name) => (*name).to_owned(),
                ColumnTarget::Member(object, member) => format!("{object}.{member}"),
                ColumnTarget::Metadata(key) => format!("metadata.{key}"),
                ColumnTarget::CustomField(key) => format!("custom_fields.{key}"),
                ColumnTarget::Ignored => String::new(),
            };
            return Err(HeaderFault::SameField(shown(other), shown(name.as_ref()), field));
        }
    }
    Ok(())
}

/// One row in the making.
struct Row {
    body: Map<String, Value>,
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
                let texts: Vec<_> = cell.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
                self.body.insert((*name).to_owned(), json!(texts));
            }
            ColumnTarget::Texts(name) | ColumnTarget::Json(name) => {
                let value = if blank { Some(empty(name)) } else { serde_json::from_str(cell).ok() };
                match value {
                    Some(value) => drop(self.body.insert((*name).to_owned(), value)),
                    None => self.broken.add(*name, &NoJson),
                }
            }
            ColumnTarget::Metadata(key) => {
                // `null` removes the key.
                let value = if blank { Value::Null } else { json!(cell) };
                self.put_member("metadata", key, value);
            }
            ColumnTarget::CustomField(key) => {
                let value = if blank { Value::Null } else { custom_value(cell) };
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
        let mut own = std::mem::take(&mut self.own);
        if let Some(id) = own.remove(&Own::ProviderId) {
            let from = options.external_id_from.as_deref().and_then(|place| place.strip_prefix("metadata."));
            let key = from.and_then(|key| self.body.get("metadata")?.get(key)?.as_str().map(str::to_owned));
            let external_id = if options.external_id_from.is_some() { key } else { Some(id.clone()) };
            if let Some(external_id) = external_id {
                self.body.entry("external_id").or_insert_with(|| json!(external_id));
            }
            let provider = options.preset.as_str();
            self.push("integration_entity_mapping", json!({ "provider_type": provider, "provider_entity_id": id }));
        }
        if let Some(number) = own.remove(&Own::Vat) {
            let number = match own.remove(&Own::VatPrefix) {
                Some(prefix) if !number.to_uppercase().starts_with(&prefix.to_uppercase()) => {
                    format!("{prefix}{number}")
                }
                _ => number,
            };
            self.push("tax_ids", tax_id(vat::type_of(&number), &number, options));
        }
        if let Some(number) = own.remove(&Own::TaxId) {
            self.push("tax_ids", tax_id(vat::type_of(&number), &number, options));
        }
        let name = [own.remove(&Own::FirstName), own.remove(&Own::LastName)];
        let name: Vec<_> = name.into_iter().flatten().collect();
        if !name.is_empty() {
            self.body.entry("name").or_insert_with(|| json!(name.join(" ")));
        }
        if let Some(emails) = own.remove(&Own::Emails) {
            self.take_emails(&emails);
        }
        if let Some(line) = own.remove(&Own::Line3) {
            let before = self.body.get("address_line2").and_then(Value::as_str).filter(|text| !text.is_empty());
            let joined = before.map_or_else(|| line.clone(), |before| format!("{before}, {line}"));
            self.body.insert("address_line2".to_owned(), json!(joined));
        }
        if let Some(locale) = own.remove(&Own::Locale) {
            self.body.insert("preferred_locales".to_owned(), json!([locale]));
        }
        if let Some(word) = own.remove(&Own::TaxExempt) {
            self.body.insert("tax_treatment".to_owned(), json!(treatment(&word)));
        }
        if let (Some(provider), Some(id)) = (own.remove(&Own::Provider), own.remove(&Own::ProviderCustomerId)) {
            self.push("integration_entity_mapping", json!({ "provider_type": provider, "provider_entity_id": id }));
        }
        if let Some(codes) = own.remove(&Own::TaxCodes) {
            let codes: Vec<_> =
                codes.split(',').map(str::trim).filter(|code| !code.is_empty()).map(str::to_owned).collect();
            if let Err(violation) = add_tax_codes(&mut self.body, codes) {
                self.broken.push(violation);
            }
        }
        if options.lift_metadata
            && let Some(number) = self.body.get("metadata").and_then(|metadata| metadata.get("gstin")?.as_str())
        {
            let id = tax_id("in_gst", number, options);
            self.push("tax_ids", id);
        }
        if options.skip_onboarding {
            self.body.insert("skip_onboarding_workflow".to_owned(), json!(true));
        }
    }

    fn take_emails(&mut self, emails: &str) {
        let mut emails = emails.split(',').map(str::trim).filter(|email| !email.is_empty());
        if let Some(first) = emails.next() {
            self.body.insert("email".to_owned(), json!(first));
        }
        for email in emails {
            self.push("contact_persons", json!({ "first_name": local_part(email), "email": email }));
        }
    }

    fn push(&mut self, list: &str, value: Value) {
        push(&mut self.body, list, value);
    }
}

/// Adds an element to a list of the body.
pub(super) fn push(body: &mut Map<String, Value>, list: &str, value: Value) {
    match body.entry(list).or_insert_with(|| json!([])) {
        Value::Array(values) => values.push(value),
        other => *other = json!([value]),
    }
}

/// Adds overrides of tax rates, in the customer's currency.
pub(super) fn add_tax_codes(body: &mut Map<String, Value>, codes: Vec<String>) -> Result<(), Violation> {
    if codes.is_empty() {
        return Ok(());
    }
    let currency = body.get("billing_currency").and_then(Value::as_str).filter(|currency| !currency.is_empty());
    let Some(currency) = currency.map(str::to_owned) else {
        let rule: &dyn Rule = &NoCurrency;
        return Err(Violation {
            path: "currency".to_owned(),
            rule: rule.rule(),
            message: format!("currency {NoCurrency}"),
        });
    };
    for code in codes {
        push(body, "tax_rate_overrides", json!({ "tax_rate_code": code, "currency": currency }));
    }
    Ok(())
}

/// A tax id of a foreign file.
pub(super) fn tax_id(kind: &str, number: &str, options: &ImportOptions) -> Value {
    match options.unchecked_tax_ids {
        true => json!({ "type": kind, "value": number, "unchecked": true }),
        false => json!({ "type": kind, "value": number }),
    }
}

/// Stripe's word for a tax treatment, in ours.
pub(super) fn treatment(word: &str) -> &str {
    match word {
        "none" => "taxable",
        "reverse" => "reverse_charge",
        other => other,
    }
}

/// The first name of a person of whom only an address is known.
pub(super) fn local_part(email: &str) -> String {
    email.split('@').next().unwrap_or(email).chars().take(100).collect()
}

/// The value that clears a field.
fn empty(name: &str) -> Value {
    match name {
        "shipping_address" | "electronic_address" | "custom_fields" => Value::Null,
        "metadata" => json!({}),
        _ => json!([]),
    }
}

/// A custom field's value: JSON where the cell is JSON of a number, a truth value or a list, otherwise text.
fn custom_value(cell: &str) -> Value {
    match serde_json::from_str::<Value>(cell) {
        Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_))) => value,
        _ => json!(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportFormat, ImportMode};

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
    fn headers_are_refused_for_a_reason() {
        let refused = |options: &ImportOptions, header: &[&str]| RowMapper::new(options, header).unwrap_err();
        let plain = options(ImportPreset::Patron);
        assert_eq!(refused(&plain, &["external_id", "Name", " name "]), HeaderFault::Twice("name".to_owned()));
        assert_eq!(
            refused(&plain, &["external_id", "Colour", "Size"]),
            HeaderFault::Unmapped("Colour, Size".to_owned())
        );
        assert_eq!(refused(&plain, &["name"]), HeaderFault::NoExternalId);
        let columns = [("Kunde".to_owned(), "name".to_owned())];
        let mapped = ImportOptions { columns: columns.into(), ..plain };
        assert_eq!(refused(&mapped, &["external_id"]), HeaderFault::NoSuchColumn("kunde".to_owned()));
        assert!(matches!(refused(&mapped, &["external_id", "Kunde", "name"]), HeaderFault::SameField(..)));
        assert!(RowMapper::new(&mapped, &["external_id", "kunde"]).is_ok());
        for (unmapped, ignored) in [(UnmappedColumns::Ignore, vec!["Colour"]), (UnmappedColumns::Metadata, vec![])] {
            let options = ImportOptions { unmapped, ..options(ImportPreset::Patron) };
            assert_eq!(RowMapper::new(&options, &["external_id", "Colour"]).unwrap().ignored(), ignored);
        }
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
