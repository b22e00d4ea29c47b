//! Definitions of custom fields.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, read,
    values::{Int, Text, V1, audit_of, int_unless, is_false, text_unless, word_texts},
    write,
};
use crate::{
    custom_field::{
        CustomFieldDefinition, CustomFieldDescription, CustomFieldKey, CustomFieldOption, CustomFieldOptions,
        CustomFieldType,
    },
    ids::CustomFieldId,
    lifecycle::Owner,
    tenancy::Actor,
    time::Timestamp,
};

word_texts!(CustomFieldType);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, CustomFieldId>,
    key: Text<'a, CustomFieldKey>,
    r#type: Text<'a, CustomFieldType>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    options: Vec<Text<'a, CustomFieldOption>>,
    #[serde(default, skip_serializing_if = "is_false")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    unique: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    personal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a, CustomFieldDescription>>,
    #[serde(default, skip_serializing_if = "is_false")]
    purging: bool,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl<'a> DefinitionForm<'a> {
    fn of(definition: &'a CustomFieldDefinition) -> Self {
        let CustomFieldDefinition {
            id,
            owner: _,
            key,
            kind,
            options,
            required,
            unique,
            personal,
            description,
            purging,
            audit,
        } = definition;
        Self {
            v: V1,
            id: Text::of(id),
            key: Text::of(key),
            r#type: Text::of(kind),
            options: options.as_slice().iter().map(Text::of).collect(),
            required: *required,
            unique: *unique,
            personal: *personal,
            description: Text::of_any(description.as_ref()),
            purging: *purging,
            created_at: Int(audit.created_at),
            created_by: Text::of(&audit.created_by),
            updated_at: int_unless(audit.created_at, audit.updated_at),
            updated_by: text_unless(&audit.created_by, &audit.updated_by),
        }
    }

    fn take(self, owner: Owner) -> CustomFieldDefinition {
        CustomFieldDefinition {
            id: self.id.take(),
            owner,
            key: self.key.take(),
            kind: self.r#type.take(),
            options: CustomFieldOptions::from_stored(self.options.into_iter().map(Text::take).collect()),
            required: self.required,
            unique: self.unique,
            personal: self.personal,
            description: Text::take_any(self.description),
            purging: self.purging,
            audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
        }
    }
}

impl Stored for CustomFieldDefinition {
    const NAME: &'static str = "custom_field";

    fn to_document(&self) -> String {
        write(&DefinitionForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: DefinitionForm<'_> = read(Self::NAME, document)?;
        Ok(form.take(owner))
    }
}
