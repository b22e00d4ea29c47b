//! Rows of the table `events`.

use patron_domain::{
    event::{
        CustomerEvent, CustomerMark, EventEntity, EventEntityType, EventPosition, EventRecord, EventType, ImportEvent,
        TaxRateEvent,
    },
    ids::EventId,
    lifecycle::{Owner, Version},
    store::StoreError,
    stored,
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

use super::entity_key;
use crate::persistence::{
    page::{Shape, Weighed},
    rows::rows,
    value::{Document, Key, corrupt},
    word::Word,
};

rows! {
    /// One row of `events`. Position and the log's own time are set under the lock of its environment's log.
    EventRow: events {
        environment: i32, position: i64;
        id: Key,
        entity_kind: i16,
        entity: Key,
        sequence: i64,
        kind: i16,
        at: i64,
        logged_at: i64,
        actor: String,
        request_id: Option<String>,
        trace_id: Option<String>,
        source: Option<i16>,
        detail: Option<Document>,
        document: Option<Document>,
    }
}

rows! {
    /// The key of an event, for deleting it.
    EventPlaceRow: events {
        environment: i32, position: i64;
    }
}

impl Weighed for EventRow {
    const SHAPE: Shape = Shape { columns: 15, weighed: &[14] };

    fn bytes(&self) -> usize {
        self.document.as_ref().map_or(0, Weighed::bytes)
    }
}

/// A version as a column stores it.
pub(crate) fn version_number(version: Version) -> i64 {
    // No aggregate changes 2^63 times.
    i64::try_from(version.get()).unwrap_or(i64::MAX)
}

impl EventRow {
    /// The event of a customer, while it is the customer's latest: the customer's own row has the document.
    pub(crate) fn of_customer(environment: i32, event: &CustomerEvent) -> Self {
        let CustomerEvent { id, sequence, kind, at, actor, request_id, .. } = event;
        let entity = EventEntity::Customer(event.state.customer.id);
        Self {
            detail: stored::event::customer_detail(kind).map(Document),
            ..Self::bare(environment, (*id, *sequence), kind.event_type(), entity, (*at, actor, request_id.as_ref()))
        }
    }

    /// An event of a customer without its state.
    pub(crate) fn of_mark(environment: i32, mark: &CustomerMark) -> Self {
        let CustomerMark { id, sequence, kind, at, actor, request_id, .. } = mark;
        let entity = EventEntity::Customer(mark.customer_id);
        Self::bare(environment, (*id, *sequence), kind.event_type(), entity, (*at, actor, request_id.as_ref()))
    }

    /// The event of a tax rate. `document` is the rate's state.
    pub(crate) fn of_tax_rate(environment: i32, event: &TaxRateEvent, document: Document) -> Self {
        let TaxRateEvent { id, sequence, kind, at, actor, request_id, .. } = event;
        let entity = EventEntity::TaxRate(event.state.id);
        Self {
            detail: stored::event::tax_rate_detail(kind).map(Document),
            document: Some(document),
            ..Self::bare(environment, (*id, *sequence), kind.event_type(), entity, (*at, actor, request_id.as_ref()))
        }
    }

    /// The end of an import.
    pub(crate) fn of_import(environment: i32, event: &ImportEvent) -> Self {
        let ImportEvent { id, kind, at, actor, request_id, state, .. } = event;
        let entity = EventEntity::Import(state.id);
        let about = (*at, actor, request_id.as_ref());
        Self {
            document: Some(Document::of(state)),
            ..Self::bare(environment, (*id, Version::FIRST), kind.event_type(), entity, about)
        }
    }

    /// An event without detail and document.
    fn bare(
        environment: i32,
        (id, sequence): (EventId, Version),
        event_type: EventType,
        entity: EventEntity,
        (at, actor, request_id): (Timestamp, &Actor, Option<&RequestId>),
    ) -> Self {
        Self {
            environment,
            position: 0,
            id: id.into(),
            entity_kind: entity.kind().code(),
            entity: entity_key(entity),
            sequence: version_number(sequence),
            kind: event_type.code(),
            at: at.micros(),
            logged_at: 0,
            actor: actor.as_str().to_owned(),
            request_id: request_id.map(|id| id.as_str().to_owned()),
            trace_id: None,
            source: None,
            detail: None,
            document: None,
        }
    }

    /// The event, with its owner.
    pub(crate) fn record(self, owner: Owner) -> Result<EventRecord, StoreError> {
        let place = self.position;
        let broken = |column| corrupt("events", column, place);
        let entity = match EventEntityType::of(self.entity_kind, "events", "entity_kind")? {
            EventEntityType::Customer => EventEntity::Customer(self.entity.id()),
            EventEntityType::TaxRate => EventEntity::TaxRate(self.entity.id()),
            EventEntityType::Import => EventEntity::Import(self.entity.id()),
        };
        let event_type = EventType::of(self.kind, "events", "kind")?;
        let detail = self.detail.as_ref().map(|detail| detail.0.as_str());
        let kind = stored::event::kind(event_type, detail).map_err(|_| broken("detail"))?;
        let state = self.document.as_ref().map(|document| stored::event::state(owner, entity.kind(), &document.0));
        let state = state.transpose().map_err(|_| broken("document"))?;
        Ok(EventRecord {
            position: EventPosition::from_stored(place).ok_or_else(|| broken("position"))?,
            id: self.id.id(),
            owner,
            entity,
            kind,
            sequence: Version::from_stored(self.sequence).ok_or_else(|| broken("sequence"))?,
            at: Timestamp::from_micros(self.at).map_err(|_| broken("at"))?,
            actor: Actor::new(self.actor).map_err(|_| broken("actor"))?,
            request_id: self.request_id.map(RequestId::new).transpose().map_err(|_| broken("request_id"))?,
            state,
            withheld: false,
        })
    }
}
