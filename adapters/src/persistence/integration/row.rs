//! Rows of the table `integration_mappings`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    ids::{CustomerId, MappingId},
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    lifecycle::{Owner, Status},
    store::StoreError,
};

use crate::persistence::{
    column::{AuditColumns, RowName},
    schema::integration_mappings,
};

/// One row, in the order of the table's columns.
#[derive(Debug, Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = integration_mappings, primary_key(tenant_id, environment_id, customer_id, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct MappingRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) customer_id: String,
    pub(crate) provider_type: String,
    pub(crate) provider_entity_id: String,
    pub(crate) metadata: String,
    pub(crate) status: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl From<&IntegrationMapping> for MappingRow {
    fn from(mapping: &IntegrationMapping) -> Self {
        Self {
            tenant_id: mapping.owner.tenant_id.to_string(),
            environment_id: mapping.owner.environment_id.to_string(),
            id: mapping.id.to_string(),
            customer_id: mapping.customer_id.to_string(),
            provider_type: mapping.provider_type.as_str().to_owned(),
            provider_entity_id: mapping.provider_entity_id.as_str().to_owned(),
            metadata: mapping.metadata.to_json(),
            status: mapping.status.as_str().to_owned(),
            created_at: mapping.audit.created_at.micros(),
            created_by: mapping.audit.created_by.as_str().to_owned(),
            updated_at: mapping.audit.updated_at.micros(),
            updated_by: mapping.audit.updated_by.as_str().to_owned(),
        }
    }
}

impl TryFrom<MappingRow> for IntegrationMapping {
    type Error = StoreError;

    fn try_from(row: MappingRow) -> Result<Self, StoreError> {
        let named = RowName { table: "integration_mappings", id: &row.id };
        let owner = named.owner(&row.tenant_id, &row.environment_id)?;
        let customer_id = named.column("customer_id", CustomerId::parse(&row.customer_id))?;
        let status = named.status(&row.status)?;
        let stored = StoredMapping {
            id: row.id,
            provider_type: row.provider_type,
            provider_entity_id: row.provider_entity_id,
            metadata: row.metadata,
            created_at: row.created_at,
            created_by: row.created_by,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
        };
        stored.of(owner, customer_id, status)
    }
}

/// What a mapping is read from: a row without what whoever reads it beside its customer knows already.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct StoredMapping {
    pub(crate) id: String,
    pub(crate) provider_type: String,
    pub(crate) provider_entity_id: String,
    pub(crate) metadata: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl StoredMapping {
    /// The mapping, of this customer and in this status.
    pub(crate) fn of(
        self,
        owner: Owner,
        customer_id: CustomerId,
        status: Status,
    ) -> Result<IntegrationMapping, StoreError> {
        let named = RowName { table: "integration_mappings", id: &self.id };
        Ok(IntegrationMapping {
            id: named.column("id", MappingId::parse(&self.id))?,
            owner,
            customer_id,
            provider_type: named.column("provider_type", ProviderType::new(self.provider_type))?,
            provider_entity_id: named.column("provider_entity_id", ProviderEntityId::new(self.provider_entity_id))?,
            metadata: named.json_object(&self.metadata)?,
            status,
            audit: named.audit(AuditColumns {
                created_at: self.created_at,
                created_by: self.created_by,
                updated_at: self.updated_at,
                updated_by: self.updated_by,
            })?,
        })
    }
}
