//! The column `detail` of an event: what only its type knows, as JSON. No personal value is ever part of it.

use patron_domain::{
    event::{CustomerEventKind, CustomerField, EventKind, EventType, TaxRateEventKind, TaxRateField},
    ids::{MappingId, TaxAssociationId},
    onboarding::{Onboarding, WorkflowName},
    store::StoreError,
};
use serde::{Deserialize, Serialize};

/// Every member any type has; each type uses its own.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Detail {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skip_onboarding: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<WorkflowName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<CustomerField>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<MappingId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    association: Option<TaxAssociationId>,
}

/// The same for a tax rate's events.
#[derive(Default, Serialize, Deserialize)]
struct TaxRateDetail {
    changed: Vec<TaxRateField>,
}

impl Detail {
    /// The column for a kind of event; NULL when there is nothing to say.
    pub(super) fn of(kind: &CustomerEventKind) -> Result<Option<String>, StoreError> {
        let detail = match kind {
            CustomerEventKind::Created { onboarding: Onboarding { skip: false, workflow: None } }
            | CustomerEventKind::Deleted
            | CustomerEventKind::Restored
            | CustomerEventKind::OnboardingCompleted
            | CustomerEventKind::OnboardingFailed => return Ok(None),
            CustomerEventKind::Created { onboarding } => {
                Self { skip_onboarding: onboarding.skip, workflow: onboarding.workflow.clone(), ..Self::default() }
            }
            CustomerEventKind::Updated { changed } => Self { changed: changed.clone(), ..Self::default() },
            CustomerEventKind::IntegrationLinked { mapping_id }
            | CustomerEventKind::IntegrationUnlinked { mapping_id } => {
                Self { mapping: Some(*mapping_id), ..Self::default() }
            }
            CustomerEventKind::TaxAssociated { association_id }
            | CustomerEventKind::TaxAssociationUpdated { association_id }
            | CustomerEventKind::TaxDissociated { association_id } => {
                Self { association: Some(*association_id), ..Self::default() }
            }
        };
        json(&detail).map(Some)
    }
}

/// The same column for a kind of event of a tax rate.
pub(super) fn of_tax_rate(kind: &TaxRateEventKind) -> Result<Option<String>, StoreError> {
    match kind {
        TaxRateEventKind::Created | TaxRateEventKind::Deleted => Ok(None),
        TaxRateEventKind::Updated { changed } => json(&TaxRateDetail { changed: changed.clone() }).map(Some),
    }
}

/// The kind of an event from its type and its detail; `None` when they do not fit together.
pub(super) fn kind(event_type: &str, detail: Option<&str>) -> Option<EventKind> {
    let event_type = EventType::parse(event_type).ok()?;
    if let Some(kind) = tax_rate_kind(event_type, detail) {
        return Some(EventKind::TaxRate(kind));
    }
    customer_kind(event_type, detail).map(EventKind::Customer)
}

fn tax_rate_kind(event_type: EventType, detail: Option<&str>) -> Option<TaxRateEventKind> {
    Some(match event_type {
        EventType::TaxRateCreated => TaxRateEventKind::Created,
        EventType::TaxRateUpdated => {
            TaxRateEventKind::Updated { changed: serde_json::from_str::<TaxRateDetail>(detail?).ok()?.changed }
        }
        EventType::TaxRateDeleted => TaxRateEventKind::Deleted,
        _ => return None,
    })
}

/// The kind of a customer's event.
fn customer_kind(event_type: EventType, detail: Option<&str>) -> Option<CustomerEventKind> {
    use CustomerEventKind as Kind;
    let Detail { skip_onboarding, workflow, changed, mapping, association } = match detail {
        Some(detail) => serde_json::from_str(detail).ok()?,
        None => Detail::default(),
    };
    Some(match event_type {
        EventType::CustomerCreated => Kind::Created { onboarding: Onboarding { skip: skip_onboarding, workflow } },
        EventType::CustomerUpdated => Kind::Updated { changed },
        EventType::CustomerDeleted => Kind::Deleted,
        EventType::CustomerRestored => Kind::Restored,
        EventType::CustomerIntegrationLinked => Kind::IntegrationLinked { mapping_id: mapping? },
        EventType::CustomerIntegrationUnlinked => Kind::IntegrationUnlinked { mapping_id: mapping? },
        EventType::CustomerTaxAssociated => Kind::TaxAssociated { association_id: association? },
        EventType::CustomerTaxAssociationUpdated => Kind::TaxAssociationUpdated { association_id: association? },
        EventType::CustomerTaxDissociated => Kind::TaxDissociated { association_id: association? },
        EventType::CustomerOnboardingCompleted => Kind::OnboardingCompleted,
        EventType::CustomerOnboardingFailed => Kind::OnboardingFailed,
        EventType::TaxRateCreated | EventType::TaxRateUpdated | EventType::TaxRateDeleted => return None,
    })
}

/// A value as compact JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|_| StoreError::Failed { reason: "a part of an event has no JSON form".to_owned() })
}

#[cfg(test)]
mod tests {
    use patron_domain::testkit::an_id;

    use super::*;

    #[test]
    fn every_kind_survives_its_columns() {
        let onboarding = Onboarding { skip: true, workflow: Some(WorkflowName::new("welcome").unwrap()) };
        for kind_of_event in [
            CustomerEventKind::Created { onboarding: Onboarding::default() },
            CustomerEventKind::Created { onboarding },
            CustomerEventKind::Updated { changed: CustomerField::ALL.to_vec() },
            CustomerEventKind::Updated { changed: Vec::new() },
            CustomerEventKind::Deleted,
            CustomerEventKind::Restored,
            CustomerEventKind::IntegrationLinked { mapping_id: an_id(1) },
            CustomerEventKind::IntegrationUnlinked { mapping_id: an_id(2) },
            CustomerEventKind::TaxAssociated { association_id: an_id(3) },
            CustomerEventKind::TaxAssociationUpdated { association_id: an_id(4) },
            CustomerEventKind::TaxDissociated { association_id: an_id(5) },
            CustomerEventKind::OnboardingCompleted,
            CustomerEventKind::OnboardingFailed,
        ] {
            let detail = Detail::of(&kind_of_event).unwrap();
            let event_type = kind_of_event.event_type().as_str();
            assert_eq!(kind(event_type, detail.as_deref()), Some(EventKind::Customer(kind_of_event)));
        }
        assert_eq!(kind("customer.integration_linked", None), None);
        assert_eq!(kind("customer.exploded", None), None);
        assert_eq!(kind("customer.updated", Some("[")), None);
    }
}
