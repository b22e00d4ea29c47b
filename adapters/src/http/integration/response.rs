//! An integration mapping in responses.

use patron_domain::{
    ids::{CustomerId, EnvironmentId, MappingId, TenantId},
    integration::{IntegrationMapping, MappedEntityType, ProviderEntityId, ProviderType},
    lifecycle::Status,
    metadata::JsonObject,
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{any_object, exactly};

/// One mapping.
#[derive(Serialize, ToSchema)]
#[schema(as = Mapping)]
pub(crate) struct MappingResponse<'a> {
    #[schema(schema_with = exactly::<MappingId>)]
    id: MappingId,
    #[schema(schema_with = exactly::<CustomerId>)]
    entity_id: CustomerId,
    #[schema(schema_with = exactly::<MappedEntityType>)]
    entity_type: MappedEntityType,
    #[schema(schema_with = exactly::<ProviderType>)]
    provider_type: &'a ProviderType,
    #[schema(schema_with = exactly::<ProviderEntityId>)]
    provider_entity_id: &'a ProviderEntityId,
    #[schema(schema_with = any_object)]
    metadata: &'a JsonObject,
    #[schema(schema_with = exactly::<Status>)]
    status: Status,
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

impl<'a> MappingResponse<'a> {
    pub(crate) fn new(mapping: &'a IntegrationMapping) -> Self {
        Self {
            id: mapping.id,
            entity_id: mapping.customer_id,
            entity_type: MappedEntityType::Customer,
            provider_type: &mapping.provider_type,
            provider_entity_id: &mapping.provider_entity_id,
            metadata: &mapping.metadata,
            status: mapping.status,
            tenant_id: mapping.owner.tenant_id,
            environment_id: mapping.owner.environment_id,
            created_at: mapping.audit.created_at,
            created_by: &mapping.audit.created_by,
            updated_at: mapping.audit.updated_at,
            updated_by: &mapping.audit.updated_by,
        }
    }
}
