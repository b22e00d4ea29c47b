//! A customer in an export.

use std::collections::BTreeMap;

use patron_domain::{
    customer::CustomerAggregate,
    ids::TaxRateId,
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    lifecycle::Status,
    metadata::JsonObject,
    tax::{CurrencyCode, TaxAssociation, TaxBehavior, TaxRateCode},
};
use serde::Serialize;

use super::response::CustomerResponse;

/// A customer as in responses, with its taxes and links in the form that a create takes.
#[derive(Serialize)]
pub(super) struct ExportRow<'a> {
    #[serde(flatten)]
    customer: CustomerResponse<'a>,
    tax_rate_overrides: Vec<OverrideOfRow<'a>>,
    integration_entity_mapping: Vec<LinkOfRow<'a>>,
}

impl<'a> ExportRow<'a> {
    /// The row of a customer. `codes` has the codes of the tax rates.
    pub(super) fn new(aggregate: &'a CustomerAggregate, codes: &'a BTreeMap<TaxRateId, TaxRateCode>) -> Self {
        let overrides = aggregate.associations.iter().filter(|one| one.status == Status::Published);
        Self {
            customer: CustomerResponse::bare(&aggregate.customer),
            tax_rate_overrides: overrides.filter_map(|one| OverrideOfRow::new(one, codes)).collect(),
            integration_entity_mapping: aggregate.links().map(LinkOfRow::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct OverrideOfRow<'a> {
    tax_rate_code: &'a TaxRateCode,
    currency: CurrencyCode,
    priority: i32,
    auto_apply: bool,
    metadata: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_behavior: Option<TaxBehavior>,
}

impl<'a> OverrideOfRow<'a> {
    /// `None` for an association that no create can have: of an unknown rate, or without a currency.
    fn new(association: &'a TaxAssociation, codes: &'a BTreeMap<TaxRateId, TaxRateCode>) -> Option<Self> {
        Some(Self {
            tax_rate_code: codes.get(&association.tax_rate_id)?,
            currency: association.currency?,
            priority: association.priority.get(),
            auto_apply: association.auto_apply,
            metadata: association.metadata.as_map(),
            tax_behavior: association.behavior,
        })
    }
}

#[derive(Serialize)]
struct LinkOfRow<'a> {
    provider_type: &'a ProviderType,
    provider_entity_id: &'a ProviderEntityId,
    metadata: &'a JsonObject,
}

impl<'a> From<&'a IntegrationMapping> for LinkOfRow<'a> {
    fn from(mapping: &'a IntegrationMapping) -> Self {
        Self {
            provider_type: &mapping.provider_type,
            provider_entity_id: &mapping.provider_entity_id,
            metadata: &mapping.metadata,
        }
    }
}
