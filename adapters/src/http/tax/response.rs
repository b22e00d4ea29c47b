//! Tax rates and tax associations as clients see them.

use std::collections::BTreeMap;

use patron_domain::{
    ids::{EnvironmentId, TaxAssociationId, TaxRateId, TenantId},
    lifecycle::Status,
    tax::{
        CurrencyCode, TaxAssociation, TaxRate, TaxRateCode, TaxRateDescription, TaxRateName, TaxRateScope,
        TaxRateStatus, TaxRateType, TaxValue, TaxedEntity, TaxedEntityType,
    },
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;

/// One tax rate.
#[derive(Serialize)]
pub(crate) struct TaxRateResponse<'a> {
    id: TaxRateId,
    code: &'a TaxRateCode,
    name: &'a TaxRateName,
    description: &'a str,
    tax_rate_type: TaxRateType,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_value: Option<String>,
    scope: TaxRateScope,
    tax_rate_status: TaxRateStatus,
    metadata: &'a BTreeMap<String, String>,
    status: Status,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    created_at: Timestamp,
    created_by: &'a Actor,
    updated_at: Timestamp,
    updated_by: &'a Actor,
}

impl<'a> TaxRateResponse<'a> {
    pub(crate) fn new(rate: &'a TaxRate) -> Self {
        let (percentage_value, fixed_value) = match rate.value {
            TaxValue::Percentage(percentage) => (Some(percentage.to_string()), None),
            TaxValue::Fixed(amount) => (None, Some(amount.to_string())),
        };
        Self {
            id: rate.id,
            code: &rate.code,
            name: &rate.name,
            description: rate.description.as_ref().map_or("", TaxRateDescription::as_str),
            tax_rate_type: rate.value.kind(),
            percentage_value,
            fixed_value,
            scope: rate.scope,
            tax_rate_status: rate.rate_status,
            metadata: rate.metadata.as_map(),
            status: rate.status,
            tenant_id: rate.owner.tenant_id,
            environment_id: rate.owner.environment_id,
            created_at: rate.audit.created_at,
            created_by: &rate.audit.created_by,
            updated_at: rate.audit.updated_at,
            updated_by: &rate.audit.updated_by,
        }
    }
}

/// One tax association.
#[derive(Serialize)]
pub(crate) struct TaxAssociationResponse<'a> {
    id: TaxAssociationId,
    tax_rate_id: TaxRateId,
    entity_type: TaxedEntityType,
    entity_id: String,
    priority: i32,
    auto_apply: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<CurrencyCode>,
    metadata: &'a BTreeMap<String, String>,
    start_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<Timestamp>,
    status: Status,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    created_at: Timestamp,
    created_by: &'a Actor,
    updated_at: Timestamp,
    updated_by: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_rate: Option<TaxRateResponse<'a>>,
}

impl<'a> TaxAssociationResponse<'a> {
    pub(crate) fn new(association: &'a TaxAssociation) -> Self {
        let entity_id = match association.entity {
            TaxedEntity::Customer(id) => id.to_string(),
            TaxedEntity::Tenant => association.owner.tenant_id.to_string(),
        };
        Self {
            id: association.id,
            tax_rate_id: association.tax_rate_id,
            entity_type: association.entity.kind(),
            entity_id,
            priority: association.priority.get(),
            auto_apply: association.auto_apply,
            currency: association.currency,
            metadata: association.metadata.as_map(),
            start_date: association.start,
            end_date: association.end,
            status: association.status,
            tenant_id: association.owner.tenant_id,
            environment_id: association.owner.environment_id,
            created_at: association.audit.created_at,
            created_by: &association.audit.created_by,
            updated_at: association.audit.updated_at,
            updated_by: &association.audit.updated_by,
            tax_rate: None,
        }
    }

    /// The same with its rate embedded, if that is among those given.
    pub(super) fn with_rate(self, rates: &'a [TaxRate]) -> Self {
        let own = rates.iter().find(|rate| rate.id == self.tax_rate_id);
        Self { tax_rate: own.map(TaxRateResponse::new), ..self }
    }
}
