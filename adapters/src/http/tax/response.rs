//! Tax rates and tax associations in responses.

use std::collections::BTreeMap;

use patron_domain::{
    ids::{EnvironmentId, TaxAssociationId, TaxRateId, TenantId},
    lifecycle::Status,
    tax::{
        CurrencyCode, FixedAmount, Percentage, Priority, TaxAssociation, TaxRate, TaxRateCode, TaxRateDescription,
        TaxRateName, TaxRateScope, TaxRateStatus, TaxRateType, TaxValue, TaxedEntity, TaxedEntityType,
    },
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::openapi::{exactly, metadata, or_empty};

/// One tax rate.
#[derive(Serialize, ToSchema)]
#[schema(as = TaxRate)]
pub(crate) struct TaxRateResponse<'a> {
    #[schema(schema_with = exactly::<TaxRateId>)]
    id: TaxRateId,
    #[schema(schema_with = exactly::<TaxRateCode>)]
    code: &'a TaxRateCode,
    #[schema(schema_with = exactly::<TaxRateName>)]
    name: &'a TaxRateName,
    #[schema(schema_with = or_empty::<TaxRateDescription>)]
    description: &'a str,
    #[schema(schema_with = exactly::<TaxRateType>)]
    tax_rate_type: TaxRateType,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Percentage>)]
    percentage_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<FixedAmount>)]
    fixed_value: Option<String>,
    /// Flexprice's word for where a rate is charged. It is stored and returned; nothing depends on it.
    #[schema(schema_with = exactly::<TaxRateScope>)]
    scope: TaxRateScope,
    #[schema(schema_with = exactly::<TaxRateStatus>)]
    tax_rate_status: TaxRateStatus,
    #[schema(schema_with = metadata)]
    metadata: &'a BTreeMap<String, String>,
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
#[derive(Serialize, ToSchema)]
#[schema(as = TaxAssociation)]
pub(crate) struct TaxAssociationResponse<'a> {
    #[schema(schema_with = exactly::<TaxAssociationId>)]
    id: TaxAssociationId,
    #[schema(schema_with = exactly::<TaxRateId>)]
    tax_rate_id: TaxRateId,
    #[schema(schema_with = exactly::<TaxedEntityType>)]
    entity_type: TaxedEntityType,
    entity_id: String,
    #[schema(schema_with = exactly::<Priority>)]
    priority: i32,
    #[schema(schema_with = exactly::<bool>)]
    auto_apply: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<CurrencyCode>)]
    currency: Option<CurrencyCode>,
    #[schema(schema_with = metadata)]
    metadata: &'a BTreeMap<String, String>,
    #[schema(schema_with = exactly::<Timestamp>)]
    start_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    end_date: Option<Timestamp>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
            // Clients see a removed association as archived, like one that was archived with its customer.
            status: if association.status == Status::Published { Status::Published } else { Status::Archived },
            tenant_id: association.owner.tenant_id,
            environment_id: association.owner.environment_id,
            created_at: association.audit.created_at,
            created_by: &association.audit.created_by,
            updated_at: association.audit.updated_at,
            updated_by: &association.audit.updated_by,
            tax_rate: None,
        }
    }

    /// Includes its rate, if that is one of those given.
    pub(super) fn with_rate(self, rates: &'a [TaxRate]) -> Self {
        let own = rates.iter().find(|rate| rate.id == self.tax_rate_id);
        Self { tax_rate: own.map(TaxRateResponse::new), ..self }
    }
}
