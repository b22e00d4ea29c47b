//! Custom fields in responses.

use patron_domain::{
    custom_field::{CustomFieldDefinition, CustomFieldDescription, CustomFieldKey, CustomFieldOption, CustomFieldType},
    ids::{CustomFieldId, EnvironmentId, TenantId},
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{all, exactly, or_empty};

/// The definition of a custom field.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomField)]
pub(super) struct CustomFieldResponse<'a> {
    #[schema(schema_with = exactly::<CustomFieldId>)]
    id: CustomFieldId,
    #[schema(schema_with = exactly::<CustomFieldKey>)]
    key: CustomFieldKey,
    #[schema(schema_with = exactly::<CustomFieldType>)]
    r#type: CustomFieldType,
    #[schema(schema_with = all::<CustomFieldOption>)]
    options: &'a [CustomFieldOption],
    required: bool,
    unique: bool,
    personal: bool,
    #[schema(schema_with = or_empty::<CustomFieldDescription>)]
    description: &'a str,
    /// Present if the field is being deleted, and values of customers are still to be removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    purging: bool,
    #[schema(schema_with = exactly::<TenantId>)]
    tenant_id: TenantId,
    #[schema(schema_with = exactly::<EnvironmentId>)]
    environment_id: EnvironmentId,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    created_by: &'a Actor,
    #[schema(schema_with = exactly::<Timestamp>)]
    updated_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    updated_by: &'a Actor,
}

impl<'a> CustomFieldResponse<'a> {
    pub(super) fn new(definition: &'a CustomFieldDefinition) -> Self {
        Self {
            id: definition.id,
            key: definition.key,
            r#type: definition.kind,
            options: definition.options.as_slice(),
            required: definition.required,
            unique: definition.unique,
            personal: definition.personal,
            description: definition.description.as_ref().map_or("", CustomFieldDescription::as_str),
            purging: definition.purging,
            tenant_id: definition.owner.tenant_id,
            environment_id: definition.owner.environment_id,
            created_at: definition.audit.created_at,
            created_by: &definition.audit.created_by,
            updated_at: definition.audit.updated_at,
            updated_by: &definition.audit.updated_by,
        }
    }
}
