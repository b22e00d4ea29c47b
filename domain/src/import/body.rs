//! Parts of the body of a create that rows of CSV files and objects of JSON lines have in common.

use serde_json::{Map, Value, json};

use super::{ImportOptions, vat};
use crate::violation::{Rule, Violations};

/// The members of an object in the making.
pub(super) type Members = Map<String, Value>;

/// A row has tax codes, but no currency.
#[derive(Debug, thiserror::Error)]
#[error("currency is required, because the row has tax codes")]
struct NoCurrency;

impl Rule for NoCurrency {
    fn rule(&self) -> &'static str {
        "required"
    }
}

/// The parts of a text that are separated by commas, without blank ones.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// A custom field's value: JSON where the text is JSON of a number, a truth value or a list, otherwise text.
pub(super) fn custom_value(text: &str) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_))) => value,
        _ => json!(text),
    }
}

/// Adds an element to a list.
pub(super) fn push(body: &mut Members, list: &str, value: Value) {
    match body.entry(list).or_insert_with(|| json!([])) {
        Value::Array(values) => values.push(value),
        other => *other = json!([value]),
    }
}

/// Adds a text to another one, after a comma.
pub(super) fn append(object: &mut Members, member: &str, text: &str) {
    let before = object.get(member).and_then(Value::as_str).filter(|before| !before.is_empty());
    let joined = before.map_or_else(|| text.to_owned(), |before| format!("{before}, {text}"));
    object.insert(member.to_owned(), json!(joined));
}

/// Links the customer to its id in the product. The id is also the external id, unless the options name another place or the
/// body has one. The metadata must be in the body.
pub(super) fn identify(body: &mut Members, id: &str, options: &ImportOptions) {
    let external_id = match &options.external_id_from {
        Some(place) => place.strip_prefix("metadata.").and_then(|key| metadata_text(body, key)),
        None => Some(id),
    };
    if let Some(external_id) = external_id.map(str::to_owned) {
        body.entry("external_id").or_insert_with(|| json!(external_id));
    }
    add_link(body, options.preset.as_str(), id);
}

/// Adds a link to another system.
pub(super) fn add_link(body: &mut Members, provider: &str, id: &str) {
    push(body, "integration_entity_mapping", json!({ "provider_type": provider, "provider_entity_id": id }));
}

/// Adds a tax id of a foreign file.
pub(super) fn add_tax_id(body: &mut Members, kind: &str, number: &str, options: &ImportOptions) {
    let tax_id = match options.unchecked_tax_ids {
        true => json!({ "type": kind, "value": number, "unchecked": true }),
        false => json!({ "type": kind, "value": number }),
    };
    push(body, "tax_ids", tax_id);
}

/// Adds a VAT number, whose country may be separate.
pub(super) fn add_vat_number(body: &mut Members, country: &str, number: &str, options: &ImportOptions) {
    let has_country = number.to_uppercase().starts_with(&country.to_uppercase());
    let number = if has_country { number.to_owned() } else { format!("{country}{number}") };
    add_tax_id(body, vat::type_of(&number), &number, options);
}

/// Adds `metadata.gstin` as a tax id, if the options ask for it.
pub(super) fn lift_gstin(body: &mut Members, options: &ImportOptions) {
    if options.lift_metadata
        && let Some(number) = metadata_text(body, "gstin").map(str::to_owned)
    {
        add_tax_id(body, "in_gst", &number, options);
    }
}

/// Adds overrides of tax rates, in the customer's currency.
pub(super) fn add_tax_codes(body: &mut Members, codes: impl IntoIterator<Item = String>, broken: &mut Violations) {
    let currency = body.get("billing_currency").and_then(Value::as_str).filter(|currency| !currency.is_empty());
    let currency = currency.map(str::to_owned);
    for code in codes {
        match &currency {
            Some(currency) => {
                push(body, "tax_rate_overrides", json!({ "tax_rate_code": code, "currency": currency }));
            }
            None => broken.add("currency", &NoCurrency),
        }
    }
}

/// Sets the name to that of a person, unless there is another.
pub(super) fn name_person(body: &mut Members, first: Option<String>, last: Option<String>) {
    let name: Vec<_> = first.into_iter().chain(last).collect();
    if !name.is_empty() {
        body.entry("name").or_insert_with(|| json!(name.join(" ")));
    }
}

/// Sets the e-mail address to the first one of a list. The others become contact persons.
pub(super) fn add_emails(body: &mut Members, emails: &str) {
    let mut emails = listed(emails);
    if let Some(first) = emails.next() {
        body.insert("email".to_owned(), json!(first));
    }
    for email in emails {
        push(body, "contact_persons", json!({ "first_name": local_part(email), "email": email }));
    }
}

/// The first name of a person of whom only an address is known.
pub(super) fn local_part(email: &str) -> String {
    email.split('@').next().unwrap_or(email).chars().take(100).collect()
}

/// The tax treatment for a word of Stripe.
pub(super) fn treatment(word: &str) -> &str {
    match word {
        "none" => "taxable",
        "reverse" => "reverse_charge",
        other => other,
    }
}

fn metadata_text<'b>(body: &'b Members, key: &str) -> Option<&'b str> {
    body.get("metadata")?.get(key)?.as_str()
}
