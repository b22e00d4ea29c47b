//! The column `detail` of an event: what only its type knows, as JSON. No personal value is ever part of it.

use patron_domain::{
    customer::WorkflowName,
    event::{CustomerEventKind, CustomerField, Onboarding},
    ids::{MappingId, TaxAssociationId},
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

impl Detail {
    /// The column for a kind of event; NULL when there is nothing to say.
    pub(super) fn of(kind: &CustomerEventKind) -> Result<Option<String>, StoreError> {
        let detail = match kind {
            CustomerEventKind::Created { onboarding: Onboarding { skip: false, workflow: None } }
            | CustomerEventKind::Deleted
            | CustomerEventKind::Restored => return Ok(None),
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

/// The kind of an event from its type and its detail; `None` when they do not fit together.
pub(super) fn kind(event_type: &str, detail: Option<&str>) -> Option<CustomerEventKind> {
    let Detail { skip_onboarding, workflow, changed, mapping, association } = match detail {
        Some(detail) => serde_json::from_str(detail).ok()?,
        None => Detail::default(),
    };
    Some(match event_type {
        "customer.created" => CustomerEventKind::Created { onboarding: Onboarding { skip: skip_onboarding, workflow } },
        "customer.updated" => CustomerEventKind::Updated { changed },
        "customer.deleted" => CustomerEventKind::Deleted,
        "customer.restored" => CustomerEventKind::Restored,
        "customer.integration_linked" => CustomerEventKind::IntegrationLinked { mapping_id: mapping? },
        "customer.integration_unlinked" => CustomerEventKind::IntegrationUnlinked { mapping_id: mapping? },
        "customer.tax_associated" => CustomerEventKind::TaxAssociated { association_id: association? },
        "customer.tax_association_updated" => CustomerEventKind::TaxAssociationUpdated { association_id: association? },
        "customer.tax_dissociated" => CustomerEventKind::TaxDissociated { association_id: association? },
        _ => return None,
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
        ] {
            let detail = Detail::of(&kind_of_event).unwrap();
            assert_eq!(kind(kind_of_event.event_type(), detail.as_deref()), Some(kind_of_event));
        }
        assert_eq!(kind("customer.integration_linked", None), None);
        assert_eq!(kind("customer.exploded", None), None);
        assert_eq!(kind("customer.updated", Some("[")), None);
    }
}
