//! An integration mapping as clients see it.

use patron_domain::{
    ids::{CustomerId, EnvironmentId, MappingId, TenantId},
    integration::{IntegrationMapping, MappedEntityType, ProviderEntityId, ProviderType},
    lifecycle::Status,
    metadata::JsonObject,
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;

/// One mapping.
#[derive(Serialize)]
pub(crate) struct MappingResponse<'a> {
    id: MappingId,
    entity_id: CustomerId,
    entity_type: MappedEntityType,
    provider_type: &'a ProviderType,
    provider_entity_id: &'a ProviderEntityId,
    metadata: &'a JsonObject,
    status: Status,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    created_at: Timestamp,
    created_by: &'a Actor,
    updated_at: Timestamp,
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
