//! The column `answer` of a record: what was answered, where no event holds it, as JSON of its row. Never a secret, nor
//! the hash of one.

use patron_domain::{idempotency::Frozen, store::StoreError};
use serde::{Deserialize, Serialize};

use crate::persistence::{
    onboarding::{run_row::RunRow, workflow_row::version_id},
    tax::association_row::TaxAssociationRow,
    tenancy::row::{ApiKeyRow, EnvironmentRow},
    webhook::{delivery_row::DeliveryRow, endpoint_row::EndpointRow},
};

/// The rows, each under the name of its kind.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FrozenRow {
    TaxDefault(TaxAssociationRow),
    Environment(EnvironmentRow),
    ApiKey(ApiKeyRow),
    WebhookEndpoint(EndpointRow),
    WebhookDelivery(DeliveryRow),
    Count(u64),
    Nothing,
    Workflow(String),
    OnboardingRun(RunRow),
}

impl From<&Frozen> for FrozenRow {
    fn from(frozen: &Frozen) -> Self {
        match frozen {
            Frozen::TaxDefault(default) => Self::TaxDefault(TaxAssociationRow::from(default.as_ref())),
            Frozen::Environment(environment) => {
                Self::Environment(EnvironmentRow::new(environment.tenant_id, environment))
            }
            Frozen::ApiKey(key) => Self::ApiKey(ApiKeyRow::without_secret(key)),
            Frozen::WebhookEndpoint(endpoint) => Self::WebhookEndpoint(EndpointRow::from(endpoint.as_ref())),
            Frozen::WebhookDelivery(delivery) => Self::WebhookDelivery(DeliveryRow::from(delivery.as_ref())),
            Frozen::Count(count) => Self::Count(*count),
            Frozen::Nothing => Self::Nothing,
            Frozen::Workflow(version) => Self::Workflow(version.to_string()),
            Frozen::OnboardingRun(run) => Self::OnboardingRun(RunRow::from(run.as_ref())),
        }
    }
}

impl TryFrom<FrozenRow> for Frozen {
    type Error = StoreError;

    fn try_from(row: FrozenRow) -> Result<Self, StoreError> {
        Ok(match row {
            FrozenRow::TaxDefault(row) => Self::TaxDefault(Box::new(row.try_into()?)),
            FrozenRow::Environment(row) => Self::Environment(Box::new(row.try_into()?)),
            FrozenRow::ApiKey(row) => Self::ApiKey(Box::new(row.try_into()?)),
            FrozenRow::WebhookEndpoint(row) => Self::WebhookEndpoint(Box::new(row.try_into()?)),
            FrozenRow::WebhookDelivery(row) => Self::WebhookDelivery(Box::new(row.try_into()?)),
            FrozenRow::Count(count) => Self::Count(count),
            FrozenRow::Nothing => Self::Nothing,
            FrozenRow::Workflow(version) => Self::Workflow(Box::new(version_id(&version)?)),
            FrozenRow::OnboardingRun(row) => Self::OnboardingRun(Box::new(row.try_into()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        ids::WorkflowKind,
        onboarding::OnboardingRun,
        testkit::{
            a_delivery, a_tax_default, a_tax_rate, a_time, a_webhook_endpoint, an_api_key, an_environment, an_id,
            an_owner,
        },
    };

    use super::*;

    #[test]
    fn every_kind_survives_its_column_and_no_hash_is_in_it() {
        for frozen in [
            a_tax_default(&a_tax_rate("VAT")).into(),
            an_environment().into(),
            an_api_key().into(),
            a_webhook_endpoint().into(),
            a_delivery(7).into(),
            an_id::<WorkflowKind>(1).into(),
            OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time()).into(),
            Frozen::from(9),
            Frozen::from(()),
        ] {
            let text = serde_json::to_string(&FrozenRow::from(&frozen)).unwrap();
            assert!(!text.contains("hash") && !text.contains("a sealed secret"), "{text}");
            let row: FrozenRow = serde_json::from_str(&text).unwrap();
            assert_eq!(Frozen::try_from(row).unwrap(), frozen);
        }
    }
}
