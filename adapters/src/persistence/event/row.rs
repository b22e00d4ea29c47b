//! Rows of the tables `events` and `event_payloads`: an event's envelope, and the state it freezes.

use diesel::prelude::Insertable;
use patron_domain::{
    event::{CustomerEvent, EventEntityType},
    store::StoreError,
};

use crate::persistence::{
    column::version_number,
    customer::row::CustomerRow,
    event::{
        detail::{json, of_customer},
        frozen::FrozenState,
    },
    integration::row::MappingRow,
    schema::{event_payloads, events},
    tax::association_row::TaxAssociationRow,
};

/// One row of `events`.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(crate) struct EventRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) entity_type: String,
    pub(crate) entity_id: String,
    pub(crate) sequence: i64,
    pub(crate) at: i64,
    pub(crate) actor: String,
    pub(crate) request_id: Option<String>,
    pub(crate) detail: Option<String>,
    /// 0 until it is written: only a transaction can tell it.
    pub(crate) position: i64,
}

/// One row of `event_payloads`.
#[derive(Clone, Insertable)]
#[diesel(table_name = event_payloads, treat_none_as_default_value = false)]
pub(crate) struct EventPayloadRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) event_id: String,
    pub(crate) payload: String,
}

/// The rows one customer event leaves behind: its own, and those of the state it carries.
pub(crate) struct EventRows {
    pub(crate) event: EventRow,
    pub(crate) payload: EventPayloadRow,
    pub(crate) customer: CustomerRow,
    pub(crate) mappings: Vec<MappingRow>,
    pub(crate) associations: Vec<TaxAssociationRow>,
}

impl EventRows {
    pub(crate) fn new(event: &CustomerEvent) -> Result<Self, StoreError> {
        let state = &event.state;
        let customer = CustomerRow::from(&state.customer);
        let mappings: Vec<_> = state.mappings.iter().map(MappingRow::from).collect();
        let associations: Vec<_> = state.associations.iter().map(TaxAssociationRow::from).collect();
        let payload = json(&FrozenState::new(&customer, &mappings, &associations))?;
        let tenant_id = customer.tenant_id.clone();
        let environment_id = customer.environment_id.clone();
        let id = event.id.to_string();
        Ok(Self {
            event: EventRow {
                tenant_id: tenant_id.clone(),
                environment_id: environment_id.clone(),
                id: id.clone(),
                event_type: event.kind.event_type().as_str().to_owned(),
                entity_type: EventEntityType::Customer.as_str().to_owned(),
                entity_id: customer.id.clone(),
                sequence: version_number(event.sequence),
                at: event.at.micros(),
                actor: event.actor.as_str().to_owned(),
                request_id: event.request_id.as_ref().map(|id| id.as_str().to_owned()),
                detail: of_customer(&event.kind),
                position: 0,
            },
            payload: EventPayloadRow { tenant_id, environment_id, event_id: id, payload },
            customer,
            mappings,
            associations,
        })
    }
}
