//! A mapping as a payload holds it.

use std::borrow::Cow;

use patron_domain::{ids::CustomerId, integration::IntegrationMapping, lifecycle::Owner, store::StoreError};
use serde::{Deserialize, Serialize};

use super::{last, later};
use crate::persistence::{
    column::RowName,
    integration::row::{MappingRow, StoredMapping},
};

#[derive(Serialize, Deserialize)]
pub(super) struct FrozenMapping<'a> {
    id: Cow<'a, str>,
    provider_type: Cow<'a, str>,
    provider_entity_id: Cow<'a, str>,
    metadata: Cow<'a, str>,
    status: Cow<'a, str>,
    created_at: i64,
    created_by: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Cow<'a, str>>,
}

impl<'a> From<&'a MappingRow> for FrozenMapping<'a> {
    fn from(row: &'a MappingRow) -> Self {
        Self {
            id: row.id.as_str().into(),
            provider_type: row.provider_type.as_str().into(),
            provider_entity_id: row.provider_entity_id.as_str().into(),
            metadata: row.metadata.as_str().into(),
            status: row.status.as_str().into(),
            created_at: row.created_at,
            created_by: row.created_by.as_str().into(),
            updated_at: later(row.created_at, row.updated_at),
            updated_by: later(row.created_by.as_str(), row.updated_by.as_str()).map(Cow::Borrowed),
        }
    }
}

impl FrozenMapping<'_> {
    pub(super) fn of(self, owner: Owner, customer: CustomerId) -> Result<IntegrationMapping, StoreError> {
        let status = RowName { table: "integration_mappings", id: &self.id }.status(&self.status)?;
        let stored = StoredMapping {
            id: self.id.into_owned(),
            provider_type: self.provider_type.into_owned(),
            provider_entity_id: self.provider_entity_id.into_owned(),
            metadata: self.metadata.into_owned(),
            created_at: self.created_at,
            updated_by: last(&self.created_by, self.updated_by).into_owned(),
            created_by: self.created_by.into_owned(),
            updated_at: last(&self.created_at, self.updated_at),
        };
        stored.of(owner, customer, status)
    }
}
