//! An event as clients see it.

use patron_domain::{
    event::{
        CustomerEventKind, EventEntityType, EventKind, EventRecord, EventState, EventType, Onboarding, TaxRateEventKind,
    },
    ids::{EventId, MappingId, TaxAssociationId},
    tenancy::Actor,
    time::Timestamp,
};
use serde::Serialize;

use crate::http::{
    customer::response::CustomerResponse,
    tax::response::{TaxAssociationResponse, TaxRateResponse},
};

/// One event.
#[derive(Serialize)]
pub(super) struct EventResponse<'a> {
    id: EventId,
    r#type: EventType,
    entity: Entity,
    sequence: u64,
    at: Timestamp,
    actor: &'a Actor,
    request_id: Option<&'a str>,
    changed: Vec<&'static str>,
    detail: Detail<'a>,
    data: Option<Data<'a>>,
}

#[derive(Serialize)]
struct Entity {
    r#type: EventEntityType,
    id: String,
}

/// What only this type of event knows.
#[derive(Default, Serialize)]
struct Detail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_onboarding_workflow: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    onboarding_workflow_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping_id: Option<MappingId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_association_id: Option<TaxAssociationId>,
}

/// The entity as the change left it; as its own answers show it.
#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Customer(Box<CustomerData<'a>>),
    TaxRate(Box<TaxRateResponse<'a>>),
}

#[derive(Serialize)]
struct CustomerData<'a> {
    #[serde(flatten)]
    customer: CustomerResponse<'a>,
    tax_associations: Vec<TaxAssociationResponse<'a>>,
}

impl<'a> EventResponse<'a> {
    pub(super) fn new(event: &'a EventRecord) -> Self {
        Self {
            id: event.id,
            r#type: event.kind.event_type(),
            entity: Entity { r#type: event.entity.kind(), id: event.entity.id() },
            sequence: event.sequence.get(),
            at: event.at,
            actor: &event.actor,
            request_id: event.request_id.as_ref().map(|id| id.as_str()),
            changed: event.kind.changed(),
            detail: Detail::of(&event.kind),
            data: event.state.as_ref().map(Data::of),
        }
    }
}

impl<'a> Detail<'a> {
    fn of(kind: &'a EventKind) -> Self {
        match kind {
            EventKind::Customer(kind) => Self::of_customer(kind),
            EventKind::TaxRate(
                TaxRateEventKind::Created | TaxRateEventKind::Updated { .. } | TaxRateEventKind::Deleted,
            ) => Self::default(),
        }
    }

    fn of_customer(kind: &'a CustomerEventKind) -> Self {
        match kind {
            CustomerEventKind::Created { onboarding: Onboarding { skip, workflow } } => Self {
                skip_onboarding_workflow: Some(*skip),
                onboarding_workflow_name: workflow.as_ref().map(|name| name.as_str()),
                ..Self::default()
            },
            CustomerEventKind::Updated { .. } | CustomerEventKind::Deleted | CustomerEventKind::Restored => {
                Self::default()
            }
            CustomerEventKind::IntegrationLinked { mapping_id }
            | CustomerEventKind::IntegrationUnlinked { mapping_id } => {
                Self { mapping_id: Some(*mapping_id), ..Self::default() }
            }
            CustomerEventKind::TaxAssociated { association_id }
            | CustomerEventKind::TaxAssociationUpdated { association_id }
            | CustomerEventKind::TaxDissociated { association_id } => {
                Self { tax_association_id: Some(*association_id), ..Self::default() }
            }
        }
    }
}

impl<'a> Data<'a> {
    fn of(state: &'a EventState) -> Self {
        match state {
            EventState::Customer(state) => Self::Customer(Box::new(CustomerData {
                customer: CustomerResponse::new(&state.customer, &state.mappings),
                tax_associations: state.associations.iter().map(TaxAssociationResponse::new).collect(),
            })),
            EventState::TaxRate(rate) => Self::TaxRate(Box::new(TaxRateResponse::new(rate))),
        }
    }
}
