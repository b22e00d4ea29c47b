//! Rows of the table `tax_rates`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    ids::TaxRateId,
    store::StoreError,
    tax::{
        CreateTaxRateError, FixedAmount, Percentage, TaxRate, TaxRateCode, TaxRateDescription, TaxRateName,
        TaxRateScope, TaxRateStatus, TaxRateType, TaxValue,
    },
};
use serde::{Deserialize, Serialize};

use crate::persistence::{
    column::{AuditColumns, RowName, metadata_json, version_number},
    schema::tax_rates,
};

/// One row, in the order of the table's columns. Also the form in which an event's payload freezes a rate.
#[derive(Debug, Clone, Queryable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = tax_rates, primary_key(tenant_id, environment_id, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct TaxRateRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) rate_type: String,
    pub(crate) value: String,
    pub(crate) scope: String,
    pub(crate) rate_status: String,
    pub(crate) metadata: String,
    pub(crate) status: String,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl From<&TaxRate> for TaxRateRow {
    fn from(rate: &TaxRate) -> Self {
        let value = match rate.value {
            TaxValue::Percentage(percentage) => percentage.to_string(),
            TaxValue::Fixed(amount) => amount.to_string(),
        };
        Self {
            tenant_id: rate.owner.tenant_id.to_string(),
            environment_id: rate.owner.environment_id.to_string(),
            id: rate.id.to_string(),
            code: rate.code.as_str().to_owned(),
            name: rate.name.as_str().to_owned(),
            description: rate.description.as_ref().map(|text| text.as_str().to_owned()),
            rate_type: rate.value.kind().as_str().to_owned(),
            value,
            scope: rate.scope.as_str().to_owned(),
            rate_status: rate.rate_status.as_str().to_owned(),
            metadata: metadata_json(&rate.metadata),
            status: rate.status.as_str().to_owned(),
            version: version_number(rate.version),
            created_at: rate.audit.created_at.micros(),
            created_by: rate.audit.created_by.as_str().to_owned(),
            updated_at: rate.audit.updated_at.micros(),
            updated_by: rate.audit.updated_by.as_str().to_owned(),
        }
    }
}

impl TryFrom<TaxRateRow> for TaxRate {
    type Error = StoreError;

    fn try_from(row: TaxRateRow) -> Result<Self, StoreError> {
        let named = RowName { table: "tax_rates", id: &row.id };
        let value = match named.column("rate_type", TaxRateType::parse(&row.rate_type))? {
            TaxRateType::Percentage => TaxValue::Percentage(named.column("value", Percentage::new(row.value))?),
            TaxRateType::Fixed => TaxValue::Fixed(named.column("value", FixedAmount::new(row.value))?),
        };
        Ok(Self {
            id: named.column("id", TaxRateId::parse(&row.id))?,
            owner: named.owner(&row.tenant_id, &row.environment_id)?,
            code: named.column("code", TaxRateCode::new(row.code))?,
            name: named.column("name", TaxRateName::new(row.name))?,
            description: named.nullable("description", row.description, TaxRateDescription::new)?,
            value,
            scope: named.column("scope", TaxRateScope::parse(&row.scope))?,
            rate_status: named.column("rate_status", TaxRateStatus::parse(&row.rate_status))?,
            metadata: named.metadata(&row.metadata)?,
            status: named.status(&row.status)?,
            version: named.version("version", row.version)?,
            audit: named.audit(AuditColumns {
                created_at: row.created_at,
                created_by: row.created_by,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })?,
        })
    }
}

/// A tax rate's id as the column holds it.
pub(crate) fn rate_id(id: &str) -> Result<TaxRateId, StoreError> {
    RowName { table: "tax_rates", id }.column("id", TaxRateId::parse(id))
}

/// The refusal of a create whose code the tax rate with this id has.
pub(crate) fn taken(holder: &str) -> CreateTaxRateError {
    match rate_id(holder) {
        Ok(existing) => CreateTaxRateError::CodeTaken { existing },
        Err(corrupt) => corrupt.into(),
    }
}
