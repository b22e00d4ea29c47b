//! The objects of JSON lines as bodies of creates.

mod chargebee;
mod lago;
mod stripe;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    ColumnTarget, ImportOptions, ImportPreset, UnmappedColumns,
    body::{self, Members},
    presets::{self, Column},
};
use crate::violation::{Rule, Violations};

/// The object has a member that the preset does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0} is unknown; correct the name, or send unmapped=metadata or unmapped=ignore")]
struct Unknown<'a>(&'a str);

impl Rule for Unknown<'_> {
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
    match options.preset {
        ImportPreset::Patron => reader.own(options, ignored),
        ImportPreset::Flexprice => reader.flexprice(options),
        ImportPreset::Stripe if reader.is_deleted() => return Ok(None),
        ImportPreset::Stripe => reader.stripe(options),
        ImportPreset::Chargebee => reader.chargebee(options),
        ImportPreset::Lago => reader.lago(options),
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
    object: Members,
    body: Members,
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
                    UnmappedColumns::Fail => self.broken.add(name.as_str(), &Unknown(&name)),
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
        body::lift_gstin(&mut self.body, options);
    }

    /// Continues with the object in a member, if there is one.
    fn enter(&mut self, member: &str) {
        if let Some(object) = self.take_object(member) {
            self.object = object;
        }
    }

    fn put_address(&mut self, address: &Members, members: &[(&str, &str)]) {
        for (to, text) in texts_of(address, members) {
            self.body.insert(format!("address_{to}"), json!(text));
        }
    }

    fn texts(&mut self, members: &[(&str, &str)]) {
        for (from, to) in members {
            if let Some(text) = self.text(from) {
                self.body.insert((*to).to_owned(), json!(text));
            }
        }
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

    fn put_shipping_address(&mut self, texts: Members) {
        if !texts.is_empty() {
            self.body.insert("shipping_address".to_owned(), Value::Object(texts));
        }
    }

    /// Takes a text. `None` if it is absent, empty, or of another type.
    fn text(&mut self, name: &str) -> Option<String> {
        self.object.remove(name).and_then(into_text)
    }

    fn take_object(&mut self, name: &str) -> Option<Members> {
        self.object.remove(name).and_then(into_object)
    }

    /// Takes the objects of a list.
    fn take_objects(&mut self, name: &str) -> impl Iterator<Item = Members> + use<> {
        objects(self.object.remove(name))
    }
}

/// Whether a field is a member of a customer's object, not a place within one.
fn is_member(name: &str, target: &ColumnTarget) -> bool {
    let within = matches!(target, ColumnTarget::Metadata(_) | ColumnTarget::CustomField(_) | ColumnTarget::Member(..));
    !within && !name.is_empty()
}

/// The texts of some members that are not empty, by their new names.
fn texts_of<'a>(
    object: &'a Members,
    members: &'a [(&'a str, &'a str)],
) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
    let text = |(from, to): &(&str, &'a str)| Some((*to, object.get(*from)?.as_str().filter(|text| !text.is_empty())?));
    members.iter().filter_map(text)
}

/// Adds these texts to another object.
fn copy(from: &Members, members: &[(&str, &str)], to: &mut Members) {
    to.extend(texts_of(from, members).map(|(name, text)| (name.to_owned(), json!(text))));
}

/// The objects of a list.
fn objects(list: Option<Value>) -> impl Iterator<Item = Members> {
    list.and_then(into_list).into_iter().flatten().filter_map(into_object)
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    }
}

fn into_object(value: Value) -> Option<Members> {
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
