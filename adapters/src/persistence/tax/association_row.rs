//! Rows of the table `tax_associations`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    ids::{CustomerId, TaxAssociationId, TaxRateId},
    lifecycle::Owner,
    store::StoreError,
    tax::{CreateTaxDefaultError, CurrencyCode, Priority, TaxAssociation, TaxedEntity, TaxedEntityType},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::persistence::{
    column::{AuditColumns, RowName, metadata_json},
    schema::tax_associations,
};

/// One row, in the order of the table's columns. Also the form in which a record of idempotency keeps one.
#[derive(Debug, Clone, Queryable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = tax_associations, primary_key(tenant_id, environment_id, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct TaxAssociationRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) tax_rate_id: String,
    pub(crate) entity_type: String,
    pub(crate) entity_id: String,
    pub(crate) priority: i32,
    pub(crate) auto_apply: bool,
    pub(crate) currency: Option<String>,
    pub(crate) currency_key: String,
    pub(crate) metadata: String,
    pub(crate) start_at: i64,
    pub(crate) end_at: Option<i64>,
    pub(crate) status: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

/// The column `entity_id` of an entity: the customer's id, or the tenant's for the environment's defaults.
pub(crate) fn entity_id(owner: Owner, entity: TaxedEntity) -> String {
    match entity {
        TaxedEntity::Customer(id) => id.to_string(),
        TaxedEntity::Tenant => owner.tenant_id.to_string(),
    }
}

impl From<&TaxAssociation> for TaxAssociationRow {
    fn from(association: &TaxAssociation) -> Self {
        let currency = association.currency;
        Self {
            tenant_id: association.owner.tenant_id.to_string(),
            environment_id: association.owner.environment_id.to_string(),
            id: association.id.to_string(),
            tax_rate_id: association.tax_rate_id.to_string(),
            entity_type: association.entity.kind().as_str().to_owned(),
            entity_id: entity_id(association.owner, association.entity),
            priority: association.priority.get(),
            auto_apply: association.auto_apply,
            currency: currency.map(|code| code.as_str().to_owned()),
            currency_key: currency.map(|code| code.key().as_str().to_owned()).unwrap_or_default(),
            metadata: metadata_json(&association.metadata),
            start_at: association.start.micros(),
            end_at: association.end.map(Timestamp::micros),
            status: association.status.as_str().to_owned(),
            created_at: association.audit.created_at.micros(),
            created_by: association.audit.created_by.as_str().to_owned(),
            updated_at: association.audit.updated_at.micros(),
            updated_by: association.audit.updated_by.as_str().to_owned(),
        }
    }
}

impl TryFrom<TaxAssociationRow> for TaxAssociation {
    type Error = StoreError;

    fn try_from(row: TaxAssociationRow) -> Result<Self, StoreError> {
        let named = RowName { table: "tax_associations", id: &row.id };
        let entity = match named.column("entity_type", TaxedEntityType::parse(&row.entity_type))? {
            TaxedEntityType::Customer => {
                TaxedEntity::Customer(named.column("entity_id", CustomerId::parse(&row.entity_id))?)
            }
            TaxedEntityType::Tenant => TaxedEntity::Tenant,
        };
        let owner = named.owner(&row.tenant_id, &row.environment_id)?;
        let stored = StoredAssociation {
            id: row.id,
            tax_rate_id: row.tax_rate_id,
            priority: row.priority,
            auto_apply: row.auto_apply,
            currency: row.currency,
            metadata: row.metadata,
            start_at: row.start_at,
            end_at: row.end_at,
            status: row.status,
            created_at: row.created_at,
            created_by: row.created_by,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
        };
        stored.of(owner, entity)
    }
}

/// What an association is read from: a row without whose it is and what it is of, which whoever reads it knows.
pub(crate) struct StoredAssociation {
    pub(crate) id: String,
    pub(crate) tax_rate_id: String,
    pub(crate) priority: i32,
    pub(crate) auto_apply: bool,
    pub(crate) currency: Option<String>,
    pub(crate) metadata: String,
    pub(crate) start_at: i64,
    pub(crate) end_at: Option<i64>,
    pub(crate) status: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl StoredAssociation {
    /// The association, of this owner and entity.
    pub(crate) fn of(self, owner: Owner, entity: TaxedEntity) -> Result<TaxAssociation, StoreError> {
        let named = RowName { table: "tax_associations", id: &self.id };
        Ok(TaxAssociation {
            id: named.column("id", TaxAssociationId::parse(&self.id))?,
            owner,
            tax_rate_id: named.column("tax_rate_id", TaxRateId::parse(&self.tax_rate_id))?,
            entity,
            priority: named.column("priority", Priority::new(self.priority.into()))?,
            auto_apply: self.auto_apply,
            currency: named.nullable("currency", self.currency, CurrencyCode::from_stored)?,
            metadata: named.metadata(&self.metadata)?,
            start: named.column("start_at", Timestamp::from_micros(self.start_at))?,
            end: named.nullable("end_at", self.end_at, Timestamp::from_micros)?,
            status: named.status(&self.status)?,
            audit: named.audit(AuditColumns {
                created_at: self.created_at,
                created_by: self.created_by,
                updated_at: self.updated_at,
                updated_by: self.updated_by,
            })?,
        })
    }
}

/// The refusal of a default of which the association with this id is in the way.
pub(crate) fn already_associated(holder: &str) -> CreateTaxDefaultError {
    let named = RowName { table: "tax_associations", id: holder };
    match named.column("id", TaxAssociationId::parse(holder)) {
        Ok(existing) => CreateTaxDefaultError::AlreadyAssociated { existing },
        Err(corrupt) => corrupt.into(),
    }
}
