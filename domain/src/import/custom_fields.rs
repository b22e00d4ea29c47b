//! Custom fields of other products, which become ours where a definition has their key.

use serde_json::{Map, Value, json};

use super::{ImportOptions, ImportPreset, body};
use crate::custom_field::{CustomFieldDefinition, CustomFieldType};

/// What the names of Chargebee's custom fields begin with.
pub(super) const PREFIX: &str = "cf_";

impl ImportOptions {
    /// Whether rows may have custom fields of another product, so that [`lift_custom_fields`] needs the definitions.
    #[must_use]
    pub fn has_foreign_custom_fields(&self) -> bool {
        self.preset == ImportPreset::Chargebee
    }
}

/// Moves values of another product's custom fields from the metadata to the custom fields whose key they have. The others stay
/// metadata. Texts of numbers, truth values and lists become such where the type asks for them.
///
/// `body` is the body of a create, as [`map_object`](super::map_object) and [`RowMapper`](super::RowMapper) return it.
///
/// ```
/// use patron_domain::{custom_field::CustomFieldType, import::lift_custom_fields, testkit::a_custom_field};
/// use serde_json::json;
///
/// let mut body = json!({ "metadata": { "cf_seats": "25", "cf_plan": "gold" } }).as_object().unwrap().clone();
/// lift_custom_fields(&mut body, &[a_custom_field("cf_seats", CustomFieldType::Integer)]);
/// assert_eq!(json!(body), json!({ "metadata": { "cf_plan": "gold" }, "custom_fields": { "cf_seats": 25 } }));
/// ```
pub fn lift_custom_fields(body: &mut Map<String, Value>, definitions: &[CustomFieldDefinition]) {
    let Some(Value::Object(metadata)) = body.get_mut("metadata") else { return };
    let defined = definitions.iter().filter(|one| !one.purging && one.key.as_str().starts_with(PREFIX));
    let lifted: Map<String, Value> = defined
        .filter_map(|one| {
            let (key, value) = metadata.remove_entry(one.key.as_str())?;
            Some((key, typed(one.kind, value)))
        })
        .collect();
    if lifted.is_empty() {
        return;
    }
    if metadata.is_empty() {
        body.remove("metadata");
    }
    match body.entry("custom_fields").or_insert_with(|| json!({})) {
        Value::Object(fields) => fields.extend(lifted),
        other => *other = Value::Object(lifted),
    }
}

/// A value of the metadata, which is always a text, as a value of a type. A text that is none stays, and is refused later.
fn typed(kind: CustomFieldType, value: Value) -> Value {
    match (kind, &value) {
        (CustomFieldType::Integer | CustomFieldType::Boolean, Value::String(text)) => body::custom_value(text),
        (CustomFieldType::MultiSelect, Value::String(text)) => match body::custom_value(text) {
            list @ Value::Array(_) => list,
            _ => body::listed(text).collect(),
        },
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::a_custom_field;

    fn lifted(mut body: Value, definitions: &[CustomFieldDefinition]) -> Value {
        lift_custom_fields(body.as_object_mut().unwrap(), definitions);
        body
    }

    #[test]
    fn values_become_those_of_their_types() {
        let definitions = [
            a_custom_field("cf_a", CustomFieldType::Integer),
            a_custom_field("cf_b", CustomFieldType::Boolean),
            a_custom_field("cf_c", CustomFieldType::MultiSelect),
            a_custom_field("cf_d", CustomFieldType::Decimal),
            a_custom_field("cf_e", CustomFieldType::String),
        ];
        let body = json!({ "metadata": {
            "cf_a": "12", "cf_b": "true", "cf_c": "one, two", "cf_d": "1.50", "cf_e": "7", "cf_f": "rest", "plan": "gold",
        } });
        assert_eq!(
            lifted(body, &definitions),
            json!({
                "metadata": { "cf_f": "rest", "plan": "gold" },
                "custom_fields": { "cf_a": 12, "cf_b": true, "cf_c": ["one", "two"], "cf_d": "1.50", "cf_e": "7" },
            })
        );
    }

    #[test]
    fn only_defined_fields_of_the_product_are_lifted() {
        let purging = CustomFieldDefinition { purging: true, ..a_custom_field("cf_gone", CustomFieldType::String) };
        let definitions = [purging, a_custom_field("plan", CustomFieldType::String)];
        for body in [
            json!({ "metadata": { "cf_gone": "x", "plan": "gold", "cf_other": "y" } }),
            json!({ "metadata": null }),
            json!({ "name": "n" }),
        ] {
            assert_eq!(lifted(body.clone(), &definitions), body);
        }
        let body = json!({ "metadata": { "cf_a": "not a number" }, "custom_fields": { "b": 1 } });
        let definitions = [a_custom_field("cf_a", CustomFieldType::Integer)];
        assert_eq!(lifted(body, &definitions), json!({ "custom_fields": { "cf_a": "not a number", "b": 1 } }));
    }
}
