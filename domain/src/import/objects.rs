//! The objects of JSON lines as bodies of creates.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    ColumnTarget, ImportOptions, ImportPreset, UnmappedColumns,
    columns::{add_tax_codes, local_part, push, tax_id, treatment},
    presets::{self, Column},
    vat,
};
use crate::violation::{Rule, Violation, Violations};

/// A member that no rule knows.
#[derive(Debug, thiserror::Error)]
#[error("is unknown; correct the name, or send unmapped=metadata or unmapped=ignore")]
struct Unknown;

impl Rule for Unknown {
    fn rule(&self) -> &'static str {
        "unmapped"
    }
}

/// Turns an object into the body of a create. Members that are ignored are added to `ignored`. `None` if the object is to be
/// skipped, such as a deleted customer of Stripe.
///
/// ```
/// use std::collections::BTreeSet;
/// use patron_domain::import::{ImportFormat, ImportMode, ImportOptions, ImportPreset, map_object};
///
/// let options = ImportOptions::new(ImportFormat::Ndjson, ImportPreset::Stripe, ImportMode::Create);
/// let object = serde_json::json!({"id": "cus_1", "name": "Ada", "tax_exempt": "reverse", "livemode": true});
/// let mut ignored = BTreeSet::new();
/// let body = map_object(&options, object.as_object().unwrap().clone(), &mut ignored).unwrap().unwrap();
/// assert_eq!((&body["external_id"], &body["tax_treatment"]), (&"cus_1".into(), &"reverse_charge".into()));
/// assert!(ignored.contains("livemode"));
/// ```
///
/// # Errors
/// When a member is unknown, or cannot be mapped.
pub fn map_object(
    options: &ImportOptions,
    object: Map<String, Value>,
    ignored: &mut BTreeSet<String>,
) -> Result<Option<Map<String, Value>>, Violations> {
    let mut reader = Reader { object, body: Map::new(), broken: Violations::new() };
    let skipped = match options.preset {
        ImportPreset::Patron => {
            reader.own(options, ignored);
            false
        }
        ImportPreset::Flexprice => {
            reader.flexprice(options);
            false
        }
        ImportPreset::Stripe => reader.stripe(options),
        ImportPreset::Chargebee => {
            reader.chargebee(options);
            false
        }
        ImportPreset::Lago => {
            reader.lago(options);
            false
        }
    };
    if skipped {
        return Ok(None);
    }
    let Reader { object, mut body, broken } = reader;
    ignored.extend(object.into_iter().map(|(name, _)| name.chars().take(100).collect::<String>()).take(100));
    if options.skip_onboarding {
        body.insert("skip_onboarding_workflow".to_owned(), json!(true));
    }
    if broken.is_empty() { Ok(Some(body)) } else { Err(broken) }
}

/// The members of an object that are left, and the body in the making.
struct Reader {
    object: Map<String, Value>,
    body: Map<String, Value>,
    broken: Violations,
}

impl Reader {
    /// Our own export: one to one, without the members that cannot be set.
    fn own(&mut self, options: &ImportOptions, ignored: &mut BTreeSet<String>) {
        let mut unmapped = Vec::new();
        for (name, value) in std::mem::take(&mut self.object) {
            match presets::column(ImportPreset::Patron, &name) {
                Some(Column::To(ColumnTarget::Ignored)) => drop(ignored.insert(name)),
                Some(Column::To(target)) if is_member(&name, &target) => drop(self.body.insert(name, value)),
                _ if matches!(name.as_str(), "skip_onboarding_workflow" | "onboarding_workflow_name") => {
                    self.body.insert(name, value);
                }
                _ => match options.unmapped {
                    UnmappedColumns::Ignore => drop(self.object.insert(name, value)),
                    UnmappedColumns::Metadata => unmapped.push((name, value)),
                    UnmappedColumns::Fail => {
                        let (message, rule) = (format!("{name} {Unknown}"), Unknown.rule());
                        self.broken.push(Violation { path: name, rule, message });
                    }
                },
            }
        }
        // They join the metadata of the object.
        unmapped.into_iter().for_each(|(name, value)| self.put_metadata(&name, &value));
    }

    /// An object of Flexprice's API: names as ours.
    fn flexprice(&mut self, options: &ImportOptions) {
        for (name, value) in std::mem::take(&mut self.object) {
            match ColumnTarget::parse(&name) {
                Ok(target) if is_member(&name, &target) => drop(self.body.insert(name, value)),
                _ => drop(self.object.insert(name, value)),
            }
        }
        if options.lift_metadata
            && let Some(number) = self.body.get("metadata").and_then(|metadata| metadata.get("gstin")?.as_str())
        {
            let id = tax_id("in_gst", number, options);
            push(&mut self.body, "tax_ids", id);
        }
    }

    /// A customer of Stripe's API. Returns whether it was deleted there.
    fn stripe(&mut self, options: &ImportOptions) -> bool {
        if self.object.remove("deleted") == Some(json!(true)) {
            return true;
        }
        self.texts(&[("name", "name"), ("email", "email"), ("phone", "contact"), ("currency", "billing_currency")]);
        self.metadata();
        if let Some(description) = self.text("description") {
            self.put_metadata("description", &json!(description));
        }
        self.identify("stripe", options);
        let address = self.take_object("address");
        self.address(address, &STRIPE_ADDRESS, "address_");
        if let Some(mut shipping) = self.take_object("shipping") {
            let address = shipping.remove("address").and_then(into_object).unwrap_or_default();
            let mut to = Map::new();
            copy(&shipping, &[("name", "name"), ("phone", "phone")], &mut to);
            copy(&address, &STRIPE_ADDRESS, &mut to);
            self.put_object("shipping_address", to);
        }
        if let Some(locales) = self.object.remove("preferred_locales").filter(Value::is_array) {
            self.body.insert("preferred_locales".to_owned(), locales);
        }
        if let Some(word) = self.text("tax_exempt") {
            self.body.insert("tax_treatment".to_owned(), json!(treatment(&word)));
        }
        let ids = self.take_object("tax_ids").and_then(|mut ids| ids.remove("data"));
        for id in ids.and_then(into_list).into_iter().flatten().filter_map(into_object) {
            let text = |name: &str| id.get(name).and_then(Value::as_str).unwrap_or_default();
            push(&mut self.body, "tax_ids", tax_id(text("type"), text("value"), options));
        }
        false
    }

    /// A customer of Chargebee's API.
    fn chargebee(&mut self, options: &ImportOptions) {
        // An export wraps each object in its type.
        if let Some(customer) = self.take_object("customer") {
            self.object = customer;
        }
        self.texts(&[
            ("email", "email"),
            ("phone", "contact"),
            ("preferred_currency_code", "billing_currency"),
            ("taxability", "tax_treatment"),
            ("company", "name"),
        ]);
        self.person_as_name("first_name", "last_name");
        self.identify("chargebee", options);
        let prefix = self.text("vat_number_prefix").unwrap_or_default();
        if let Some(number) = self.text("vat_number") {
            let number = match number.starts_with(&prefix) {
                true => number,
                false => format!("{prefix}{number}"),
            };
            push(&mut self.body, "tax_ids", tax_id(vat::type_of(&number), &number, options));
        }
        if let Some(locale) = self.text("locale") {
            self.body.insert("preferred_locales".to_owned(), json!([locale]));
        }
        if let Some(mut address) = self.take_object("billing_address") {
            if let Some(line3) = address.remove("line3").and_then(into_text) {
                let line2 = address.get("line2").and_then(Value::as_str).filter(|line| !line.is_empty());
                let joined = line2.map_or_else(|| line3.clone(), |line2| format!("{line2}, {line3}"));
                address.insert("line2".to_owned(), json!(joined));
            }
            self.address(Some(address), &CHARGEBEE_ADDRESS, "address_");
        }
        for contact in self.object.remove("contacts").and_then(into_list).into_iter().flatten().filter_map(into_object)
        {
            let mut person = Map::new();
            copy(
                &contact,
                &[("first_name", "first_name"), ("last_name", "last_name"), ("email", "email"), ("phone", "mobile")],
                &mut person,
            );
            if !person.contains_key("first_name") {
                let email = person.get("email").and_then(Value::as_str).unwrap_or("-").to_owned();
                person.insert("first_name".to_owned(), json!(local_part(&email)));
            }
            push(&mut self.body, "contact_persons", Value::Object(person));
        }
        let fields: Vec<_> = self.object.keys().filter(|name| name.starts_with("cf_")).cloned().collect();
        for name in fields {
            if let Some(value) = self.object.remove(&name) {
                self.put_metadata(&name, &value);
            }
        }
        self.metadata_of("meta_data");
    }

    /// A customer of Lago's API.
    fn lago(&mut self, options: &ImportOptions) {
        if let Some(customer) = self.take_object("customer") {
            self.object = customer;
        }
        self.texts(&[
            ("external_id", "external_id"),
            ("name", "name"),
            ("legal_name", "legal_name"),
            ("legal_number", "registration_number"),
            ("phone", "contact"),
            ("address_line1", "address_line1"),
            ("address_line2", "address_line2"),
            ("city", "address_city"),
            ("state", "address_state"),
            ("zipcode", "address_postal_code"),
            ("country", "address_country"),
            ("currency", "billing_currency"),
            ("timezone", "timezone"),
            ("customer_type", "customer_type"),
        ]);
        self.person_as_name("firstname", "lastname");
        if let Some(emails) = self.text("email") {
            let mut emails = emails.split(',').map(str::trim).filter(|email| !email.is_empty());
            if let Some(first) = emails.next() {
                self.body.insert("email".to_owned(), json!(first));
            }
            for email in emails {
                let person = json!({ "first_name": local_part(email), "email": email });
                push(&mut self.body, "contact_persons", person);
            }
        }
        if let Some(number) = self.text("tax_identification_number") {
            push(&mut self.body, "tax_ids", tax_id(vat::type_of(&number), &number, options));
        }
        if let Some(address) = self.take_object("shipping_address") {
            let mut to = Map::new();
            copy(&address, &LAGO_ADDRESS, &mut to);
            self.put_object("shipping_address", to);
        }
        for pair in self.object.remove("metadata").and_then(into_list).into_iter().flatten().filter_map(into_object) {
            if let (Some(key), Some(value)) = (pair.get("key").and_then(Value::as_str), pair.get("value")) {
                self.put_metadata(key, value);
            }
        }
        if let Some(mut billing) = self.take_object("billing_configuration") {
            let mut text = |name: &str| billing.remove(name).and_then(into_text);
            if let (Some(provider), Some(id)) = (text("payment_provider"), text("provider_customer_id")) {
                let link = json!({ "provider_type": provider, "provider_entity_id": id });
                push(&mut self.body, "integration_entity_mapping", link);
            }
            if let Some(locale) = text("document_locale") {
                self.body.insert("preferred_locales".to_owned(), json!([locale]));
            }
        }
        let codes = self.object.remove("tax_codes").and_then(into_list).into_iter().flatten().filter_map(into_text);
        if let Err(violation) = add_tax_codes(&mut self.body, codes.collect()) {
            self.broken.push(violation);
        }
    }

    /// The id in the product: a link, and the external id unless it is elsewhere.
    fn identify(&mut self, provider: &str, options: &ImportOptions) {
        let Some(id) = self.text("id") else { return };
        let key = options.external_id_from.as_deref().map(|place| place.trim_start_matches("metadata."));
        let external_id = match key {
            Some(key) => self.body.get("metadata").and_then(|metadata| metadata.get(key)?.as_str()).map(str::to_owned),
            None => Some(id.clone()),
        };
        if let Some(external_id) = external_id {
            self.body.insert("external_id".to_owned(), json!(external_id));
        }
        push(
            &mut self.body,
            "integration_entity_mapping",
            json!({ "provider_type": provider, "provider_entity_id": id }),
        );
    }

    fn person_as_name(&mut self, first: &str, last: &str) {
        let name: Vec<_> = [self.text(first), self.text(last)].into_iter().flatten().collect();
        if !name.is_empty() {
            self.body.entry("name").or_insert_with(|| json!(name.join(" ")));
        }
    }

    fn address(&mut self, address: Option<Map<String, Value>>, members: &[(&str, &str)], prefix: &str) {
        for (from, to) in members {
            if let Some(text) =
                address.as_ref().and_then(|address| address.get(*from)?.as_str()).filter(|text| !text.is_empty())
            {
                self.body.insert(format!("{prefix}{to}"), json!(text));
            }
        }
    }

    fn texts(&mut self, members: &[(&str, &str)]) {
        for (from, to) in members {
            if let Some(text) = self.text(from) {
                self.body.insert((*to).to_owned(), json!(text));
            }
        }
    }

    fn metadata(&mut self) {
        self.metadata_of("metadata");
    }

    fn metadata_of(&mut self, member: &str) {
        for (key, value) in self.take_object(member).into_iter().flatten() {
            self.put_metadata(&key, &value);
        }
    }

    fn put_metadata(&mut self, key: &str, value: &Value) {
        let text = match value {
            Value::Null => return,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let metadata = self.body.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert(key.to_owned(), json!(text));
        }
    }

    fn put_object(&mut self, name: &str, members: Map<String, Value>) {
        if !members.is_empty() {
            self.body.insert(name.to_owned(), Value::Object(members));
        }
    }

    /// Takes a text. `None` if it is absent, empty, or of another type.
    fn text(&mut self, name: &str) -> Option<String> {
        self.object.remove(name).and_then(into_text)
    }

    fn take_object(&mut self, name: &str) -> Option<Map<String, Value>> {
        self.object.remove(name).and_then(into_object)
    }
}

/// Whether a field is a member of a customer's object, not a place within one.
fn is_member(name: &str, target: &ColumnTarget) -> bool {
    let within = matches!(target, ColumnTarget::Metadata(_) | ColumnTarget::CustomField(_) | ColumnTarget::Member(..));
    !within && !name.is_empty()
}

fn copy(from: &Map<String, Value>, members: &[(&str, &str)], to: &mut Map<String, Value>) {
    for (name, new) in members {
        if let Some(text) = from.get(*name).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            to.insert((*new).to_owned(), json!(text));
        }
    }
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

fn into_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn into_list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

const STRIPE_ADDRESS: [(&str, &str); 6] = [
    ("line1", "line1"),
    ("line2", "line2"),
    ("city", "city"),
    ("state", "state"),
    ("postal_code", "postal_code"),
    ("country", "country"),
];

const CHARGEBEE_ADDRESS: [(&str, &str); 6] = [
    ("line1", "line1"),
    ("line2", "line2"),
    ("city", "city"),
    ("state", "state"),
    ("zip", "postal_code"),
    ("country", "country"),
];

const LAGO_ADDRESS: [(&str, &str); 6] = [
    ("address_line1", "line1"),
    ("address_line2", "line2"),
    ("city", "city"),
    ("state", "state"),
    ("zipcode", "postal_code"),
    ("country", "country"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportFormat, ImportMode};

    fn options(preset: ImportPreset) -> ImportOptions {
        let options = ImportOptions::new(ImportFormat::Ndjson, preset, ImportMode::Create);
        ImportOptions { skip_onboarding: false, ..options }
    }

    fn mapped(options: &ImportOptions, object: Value) -> (Value, Vec<String>) {
        let mut ignored = BTreeSet::new();
        let body = map_object(options, into_object(object).unwrap(), &mut ignored).unwrap().unwrap();
        (Value::Object(body), ignored.into_iter().collect())
    }

    #[test]
    fn a_customer_of_stripe_is_mapped() {
        let object = json!({
            "id": "cus_1", "object": "customer", "name": "Acme", "email": null, "phone": "1", "description": "d",
            "metadata": { "crm": "7" }, "address": { "line1": "a", "postal_code": "1", "country": "DE", "line2": null },
            "shipping": { "name": "Ramp", "phone": "", "address": { "city": "Bonn" } }, "preferred_locales": ["de"],
            "currency": "eur", "tax_exempt": "reverse",
            "tax_ids": { "data": [{ "type": "eu_vat", "value": "DE136695976", "id": "txi_1" }] },
        });
        let (body, ignored) = mapped(&options(ImportPreset::Stripe), object.clone());
        assert_eq!(
            body,
            json!({
                "external_id": "cus_1", "name": "Acme", "contact": "1", "billing_currency": "eur",
                "metadata": { "crm": "7", "description": "d" }, "address_line1": "a", "address_postal_code": "1",
                "address_country": "DE", "shipping_address": { "name": "Ramp", "city": "Bonn" },
                "preferred_locales": ["de"], "tax_treatment": "reverse_charge",
                "tax_ids": [{ "type": "eu_vat", "value": "DE136695976" }],
                "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_1" }],
            })
        );
        assert_eq!(ignored, ["object"]);
        let from = ImportOptions { external_id_from: Some("metadata.crm".to_owned()), ..options(ImportPreset::Stripe) };
        assert_eq!(mapped(&from, object).0["external_id"], "7");
        let deleted = into_object(json!({ "id": "cus_2", "deleted": true })).unwrap();
        assert_eq!(map_object(&from, deleted, &mut BTreeSet::new()).unwrap(), None);
    }

    #[test]
    fn customers_of_other_products_are_mapped() {
        let object = json!({
            "customer": {
                "id": "c1", "first_name": "Ada", "last_name": "Lovelace", "vat_number": "136695976",
                "vat_number_prefix": "DE", "billing_address": { "line1": "a", "line3": "c", "zip": "1" },
                "contacts": [{ "email": "b@x.example", "phone": "2" }], "cf_tier": "gold", "auto_collection": "on",
            },
        });
        let (body, ignored) = mapped(&options(ImportPreset::Chargebee), object);
        assert_eq!((&body["name"], &body["address_line2"]), (&json!("Ada Lovelace"), &json!("c")));
        assert_eq!(body["contact_persons"], json!([{ "first_name": "b", "email": "b@x.example", "mobile": "2" }]));
        assert_eq!((&body["metadata"], ignored), (&json!({ "cf_tier": "gold" }), vec!["auto_collection".to_owned()]));
        let object = json!({
            "lago_id": "x", "external_id": "l1", "firstname": "Ada", "email": "a@x.example,b@x.example", "zipcode": "1",
            "metadata": [{ "key": "k", "value": "v" }], "tax_codes": ["vat"], "currency": "EUR",
            "billing_configuration": { "payment_provider": "stripe", "provider_customer_id": "cus_9", "document_locale": "fr" },
        });
        let (body, ignored) = mapped(&options(ImportPreset::Lago), object);
        assert_eq!((&body["name"], &body["address_postal_code"]), (&json!("Ada"), &json!("1")));
        assert_eq!(body["tax_rate_overrides"], json!([{ "tax_rate_code": "vat", "currency": "EUR" }]));
        assert_eq!((&body["preferred_locales"], ignored), (&json!(["fr"]), vec!["lago_id".to_owned()]));
    }

    #[test]
    fn our_own_export_is_taken_one_to_one() {
        let object =
            json!({ "id": "cust_1", "external_id": "a", "tags": ["x"], "metadata": { "k": "v" }, "colour": 1 });
        let own = options(ImportPreset::Patron);
        let refused = map_object(&own, into_object(object.clone()).unwrap(), &mut BTreeSet::new()).unwrap_err();
        assert_eq!(refused.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["colour"]);
        let ignoring = ImportOptions { unmapped: UnmappedColumns::Ignore, ..own.clone() };
        let (body, ignored) = mapped(&ignoring, object.clone());
        assert_eq!(body, json!({ "external_id": "a", "tags": ["x"], "metadata": { "k": "v" } }));
        assert_eq!(ignored, ["colour", "id"]);
        let kept = ImportOptions { unmapped: UnmappedColumns::Metadata, ..own };
        assert_eq!(mapped(&kept, object).0["metadata"], json!({ "k": "v", "colour": "1" }));
    }
}
