//! The bodies of requests about custom fields, and their conversion to the domain.

use patron_domain::{
    custom_field::{
        CustomFieldDescription, CustomFieldKey, CustomFieldOption, CustomFieldOptions, CustomFieldType,
        CustomFieldUpdate, NewCustomField,
    },
    violation::Violations,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::{
    json::{Elements, Field, List, Null, Reader, Stated, Statement, Text, object_from_json},
    openapi::{exactly, optional, or_null, values},
};

/// The body of `POST /custom-fields`. Unknown members are ignored.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CreateCustomFieldRequest<'a> {
    #[schema(required = true, schema_with = exactly::<CustomFieldKey>)]
    key: Field<Text<'a>>,
    #[schema(required = true, schema_with = exactly::<CustomFieldType>)]
    r#type: Field<Text<'a>>,
    #[schema(schema_with = values::<CustomFieldOption, { CustomFieldOptions::MAX }>)]
    options: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<bool>)]
    required: Field<bool>,
    #[schema(schema_with = optional::<bool>)]
    unique: Field<bool>,
    #[schema(schema_with = optional::<bool>)]
    personal: Field<bool>,
    #[schema(schema_with = optional::<CustomFieldDescription>)]
    description: Field<Text<'a>>,
}

/// The body of `PATCH /custom-fields/{key}`: a JSON merge patch. Absent members leave fields unchanged.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct UpdateCustomFieldRequest<'a> {
    /// Cannot be changed; may be repeated as it is.
    #[schema(schema_with = or_null::<CustomFieldKey>)]
    key: Field<Text<'a>>,
    /// Cannot be changed; may be repeated as it is.
    #[schema(schema_with = or_null::<CustomFieldType>)]
    r#type: Field<Text<'a>>,
    #[schema(schema_with = values::<CustomFieldOption, { CustomFieldOptions::MAX }>)]
    options: Field<List<Text<'a>>>,
    #[schema(schema_with = optional::<bool>)]
    required: Stated<bool>,
    #[schema(schema_with = optional::<bool>)]
    unique: Stated<bool>,
    #[schema(schema_with = optional::<bool>)]
    personal: Stated<bool>,
    #[schema(schema_with = optional::<CustomFieldDescription>)]
    description: Stated<Text<'a>>,
}

object_from_json!(CreateCustomFieldRequest<'a>, UpdateCustomFieldRequest<'a>);

impl CreateCustomFieldRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<NewCustomField> {
        let fields = &mut Reader::new(broken);
        let key = fields.required("key", self.key, CustomFieldKey::new);
        let kind = fields.required("type", self.r#type, |word| CustomFieldType::parse(&word));
        let options = options(fields, self.options).unwrap_or_default();
        let required = fields.take("required", self.required).unwrap_or_default();
        let unique = fields.take("unique", self.unique).unwrap_or_default();
        let personal = fields.take("personal", self.personal).unwrap_or_default();
        let description = fields.optional("description", self.description, CustomFieldDescription::new);
        Some(NewCustomField { key: key?, kind: kind?, options, required, unique, personal, description })
    }
}

impl UpdateCustomFieldRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<CustomFieldUpdate> {
        let fields = &mut Reader::new(broken);
        // `null` clears a mark.
        let mut mark = |name: &str, stated: Stated<bool>| match fields.stated(name, stated, Null::Clears) {
            Statement::Nothing => None,
            Statement::Clear => Some(false),
            Statement::Value(value) => Some(value),
        };
        let required = mark("required", self.required);
        let unique = mark("unique", self.unique);
        let personal = mark("personal", self.personal);
        Some(CustomFieldUpdate {
            key: fields.optional("key", self.key, CustomFieldKey::new),
            kind: fields.optional("type", self.r#type, |word| CustomFieldType::parse(&word)),
            options: options(fields, self.options),
            required,
            unique,
            personal,
            description: fields.patch("description", self.description, Null::Clears, CustomFieldDescription::new),
        })
    }
}

fn options(fields: &mut Reader<'_>, given: Field<List<Text<'_>>>) -> Option<CustomFieldOptions> {
    let list = fields.take("options", given)?;
    let faults = fields.faults();
    let count = list.count;
    let Elements { valid, .. } = fields.checked_texts("options", list, CustomFieldOption::new);
    let options: Vec<_> = valid.into_iter().map(|(_, option)| option).collect();
    // The places of the others would be wrong.
    if fields.faults() > faults {
        return None;
    }
    if count > options.len() {
        fields.note("options", "max_items", &format!("must have at most {} elements", CustomFieldOptions::MAX));
        return None;
    }
    fields.group(CustomFieldOptions::new(options))
}
