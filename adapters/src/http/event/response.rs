//! An event in responses.

use patron_domain::{
    customer::CustomerAggregate,
    event::{
        CustomerEventKind, EventEntity, EventEntityType, EventKind, EventRecord, EventState, EventType,
        TaxRateEventKind,
    },
    ids::{EnvironmentId, EventId, MappingId, TaxAssociationId, TaxRateChangeId, TenantId},
    onboarding::{Onboarding, WorkflowName},
    tenancy::{Actor, RequestId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::{
    customer::response::CustomerResponse,
    import::ImportSummaryResponse,
    openapi::{ChangedField, all, exactly, or_null},
    tax::response::{TaxAssociationResponse, TaxRateResponse},
};

/// One event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventResponse<'a> {
    #[schema(schema_with = exactly::<EventId>)]
    id: EventId,
    /// `customer.deleted` is Flexprice's word for an archived customer; `customer.restored` may follow.
    #[schema(schema_with = exactly::<EventType>)]
    r#type: EventType,
    entity: Entity,
    /// The number of the event among those of its entity, from 1 and without gaps. It equals the entity's version after
    /// the change.
    #[schema(schema_with = exactly::<u64>)]
    sequence: u64,
    #[schema(schema_with = exactly::<Timestamp>)]
    at: Timestamp,
    #[schema(schema_with = exactly::<TenantId>)]
    tenant_id: TenantId,
    #[schema(schema_with = exactly::<EnvironmentId>)]
    environment_id: EnvironmentId,
    #[schema(schema_with = exactly::<Actor>)]
    actor: &'a Actor,
    #[schema(required = true, schema_with = or_null::<RequestId>)]
    request_id: Option<&'a str>,
    /// The fields that an update changed.
    #[schema(schema_with = all::<ChangedField>)]
    changed: Vec<&'static str>,
    detail: Detail<'a>,
    /// The entity after the change; `null` if it was erased.
    #[schema(required = true)]
    data: Option<Data<'a>>,
}

/// The entity of an event.
#[derive(Serialize, ToSchema)]
#[schema(as = EventEntity)]
struct Entity {
    #[schema(schema_with = exactly::<EventEntityType>)]
    r#type: EventEntityType,
    #[schema(schema_with = exactly::<EventEntity>)]
    id: String,
}

/// Details that only this type of event has.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = EventDetail)]
pub(crate) struct Detail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<bool>)]
    skip_onboarding_workflow: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<WorkflowName>)]
    onboarding_workflow_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<MappingId>)]
    mapping_id: Option<MappingId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TaxAssociationId>)]
    tax_association_id: Option<TaxAssociationId>,
    /// The scheduled change of a tax rate that has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TaxRateChangeId>)]
    tax_rate_change_id: Option<TaxRateChangeId>,
}

/// The entity after the change, in the form of its own responses.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = EventData)]
enum Data<'a> {
    Customer(Box<CustomerData<'a>>),
    TaxRate(Box<TaxRateResponse<'a>>),
    Import(Box<ImportSummaryResponse<'a>>),
}

/// A customer, with its tax associations.
#[derive(Serialize, ToSchema)]
#[schema(as = EventCustomer)]
struct CustomerData<'a> {
    #[serde(flatten)]
    customer: CustomerResponse<'a>,
    tax_associations: Vec<TaxAssociationResponse<'a>>,
}

impl<'a> EventResponse<'a> {
    pub(crate) fn new(event: &'a EventRecord) -> Self {
        Self {
            id: event.id,
            r#type: event.kind.event_type(),
            entity: Entity { r#type: event.entity.kind(), id: event.entity.id() },
            sequence: event.sequence.get(),
            at: event.at,
            tenant_id: event.owner.tenant_id,
            environment_id: event.owner.environment_id,
            actor: &event.actor,
            request_id: event.request_id.as_ref().map(|id| id.as_str()),
            changed: event.kind.changed(),
            detail: Detail::of(&event.kind),
            data: event.state.as_ref().map(|state| Data::of(state, event.at)),
        }
    }
}

impl<'a> Detail<'a> {
    pub(crate) fn of(kind: &'a EventKind) -> Self {
        match kind {
            EventKind::Customer(kind) => Self::of_customer(kind),
            EventKind::TaxRate(TaxRateEventKind::ValueChanged { change_id }) => {
                Self { tax_rate_change_id: Some(*change_id), ..Self::default() }
            }
            // The type says everything about the other events.
            _ => Self::default(),
        }
    }

    fn of_customer(kind: &'a CustomerEventKind) -> Self {
        match kind {
            CustomerEventKind::Created { onboarding: Onboarding { skip, workflow } } => Self {
                skip_onboarding_workflow: Some(*skip),
                onboarding_workflow_name: workflow.as_ref().map(|name| name.as_str()),
                ..Self::default()
            },
            CustomerEventKind::IntegrationLinked { mapping_id }
            | CustomerEventKind::IntegrationUnlinked { mapping_id } => {
                Self { mapping_id: Some(*mapping_id), ..Self::default() }
            }
            CustomerEventKind::TaxAssociated { association_id }
            | CustomerEventKind::TaxAssociationUpdated { association_id }
            | CustomerEventKind::TaxDissociated { association_id } => {
                Self { tax_association_id: Some(*association_id), ..Self::default() }
            }
            // The type says everything about the other events.
            _ => Self::default(),
        }
    }
}

impl<'a> CustomerData<'a> {
    fn of(state: &'a CustomerAggregate) -> Self {
        Self {
            customer: CustomerResponse::new(&state.customer, &state.mappings),
            tax_associations: state.associations.iter().map(TaxAssociationResponse::new).collect(),
        }
    }
}

/// A customer with everything that belongs to it, as `GET /events` shows it: for showing customers without HTTP.
#[must_use]
pub fn customer_value(customer: &CustomerAggregate) -> Value {
    // Serialising a response cannot fail. Without it there would be nothing to compare.
    serde_json::to_value(CustomerData::of(customer)).unwrap_or_default()
}

impl<'a> Data<'a> {
    fn of(state: &'a EventState, at: Timestamp) -> Self {
        match state {
            EventState::Customer(state) => Self::Customer(Box::new(CustomerData::of(state))),
            EventState::TaxRate(rate) => Self::TaxRate(Box::new(TaxRateResponse::at(rate, at))),
            EventState::Import(summary) => Self::Import(Box::new(ImportSummaryResponse::new(summary))),
        }
    }
}
