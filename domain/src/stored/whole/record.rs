//! Events as whole values.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Owned, form, micros, owned, unfit};
use crate::{
    event::{
        CustomerEvent, EventEntity, EventEntityType, EventPosition, EventRecord, EventState, EventType, TaxRateEvent,
    },
    ids::EventId,
    lifecycle::{Owner, Version},
    stored::{Stored, event},
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

/// An event: its envelope, and the entity's document.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<EventPosition>,
    id: EventId,
    entity_type: EventEntityType,
    entity_id: String,
    r#type: EventType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
    sequence: Version,
    #[serde(with = "micros")]
    at: Timestamp,
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Value>,
}

/// Embeds a document.
fn inner(document: &str) -> Option<Value> {
    serde_json::from_str(document).ok()
}

impl EventForm {
    fn of(event: &EventRecord, position: Option<EventPosition>) -> Self {
        let state = |state: &EventState| match state {
            EventState::Customer(state) => inner(&state.to_document()),
            EventState::TaxRate(state) => inner(&state.to_document()),
            EventState::Import(state) => inner(&state.to_document()),
        };
        Self {
            position,
            id: event.id,
            entity_type: event.entity.kind(),
            entity_id: event.entity.id(),
            r#type: event.kind.event_type(),
            detail: event::detail(&event.kind).and_then(|detail| inner(&detail)),
            sequence: event.sequence,
            at: event.at,
            actor: event.actor.clone(),
            request_id: event.request_id.as_ref().map(|id| id.as_str().to_owned()),
            state: event.state.as_ref().and_then(state),
        }
    }

    fn take(self, owner: Owner) -> Result<EventRecord, &'static str> {
        let detail = self.detail.map(|detail| detail.to_string());
        let state = self.state.map(|state| event::state(owner, self.entity_type, &state.to_string()));
        let entity = EventEntity::of_id(&self.entity_id).filter(|entity| entity.kind() == self.entity_type);
        Ok(EventRecord {
            position: self.position.unwrap_or_default(),
            id: self.id,
            owner,
            entity: entity.ok_or("entity_id")?,
            kind: event::kind(self.r#type, detail.as_deref()).map_err(|_| "detail")?,
            sequence: self.sequence,
            at: self.at,
            actor: self.actor,
            request_id: self.request_id.map(RequestId::new).transpose().map_err(|_| "request_id")?,
            state: state.transpose().map_err(|_| "state")?,
            withheld: false,
        })
    }
}

impl Serialize for EventRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Owned::of(self.owner, EventForm::of(self, Some(self.position))).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EventRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (owner, object) = owned(deserializer)?;
        let form: EventForm = form::<_, D>(object)?;
        form.take(owner).map_err(unfit)
    }
}

/// Events outside a log, as records without a position.
macro_rules! events {
    ($($event:ident: $record:ident, $back:ident;)+) => {$(
        impl Serialize for $event {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let record = EventRecord::$record(EventPosition::START, self.clone());
                Owned::of(record.owner, EventForm::of(&record, None)).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $event {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                EventRecord::deserialize(deserializer)?.$back().ok_or_else(|| unfit("state"))
            }
        }
    )+};
}

events! {
    CustomerEvent: of_customer, into_customer_event;
    TaxRateEvent: of_tax_rate, into_tax_rate_event;
}
