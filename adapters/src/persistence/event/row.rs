//! Rows of the table `events`.

use patron_domain::{
    event::{
        CustomerEvent, CustomerMark, EventEntity, EventEntityType, EventPosition, EventRecord, EventType, TaxRateEvent,
    },
    lifecycle::{Owner, Version},
    store::StoreError,
    stored,
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

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
        salt: Option<Vec<u8>>,
        hash: Option<Vec<u8>>,
    }
}

rows! {
    /// The key of an event, for deleting it.
    EventPlaceRow: events {
        environment: i32, position: i64;
    }
}

impl Weighed for EventRow {
    const SHAPE: Shape = Shape { columns: 17, weighed: &[14] };

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
        Self {
            environment,
            position: 0,
            id: event.id.into(),
            entity_kind: EventEntityType::Customer.code(),
            entity: event.state.customer.id.into(),
            sequence: version_number(event.sequence),
            kind: event.kind.event_type().code(),
            at: event.at.micros(),
            logged_at: 0,
            actor: event.actor.as_str().to_owned(),
            request_id: event.request_id.as_ref().map(|id| id.as_str().to_owned()),
            trace_id: None,
            source: None,
            detail: stored::event::customer_detail(&event.kind).map(Document),
            document: None,
            salt: None,
            hash: None,
        }
    }

    /// An event of a customer without its state.
    pub(crate) fn of_mark(environment: i32, mark: &CustomerMark) -> Self {
        Self {
            environment,
            position: 0,
            id: mark.id.into(),
            entity_kind: EventEntityType::Customer.code(),
            entity: mark.customer_id.into(),
            sequence: version_number(mark.sequence),
            kind: mark.kind.event_type().code(),
            at: mark.at.micros(),
            logged_at: 0,
            actor: mark.actor.as_str().to_owned(),
            request_id: mark.request_id.as_ref().map(|id| id.as_str().to_owned()),
            trace_id: None,
            source: None,
            detail: None,
            document: None,
            salt: None,
            hash: None,
        }
    }

    /// The event of a tax rate. `document` is the rate's state.
    pub(crate) fn of_tax_rate(environment: i32, event: &TaxRateEvent, document: Document) -> Self {
        Self {
            environment,
            position: 0,
            id: event.id.into(),
            entity_kind: EventEntityType::TaxRate.code(),
            entity: event.state.id.into(),
            sequence: version_number(event.sequence),
            kind: event.kind.event_type().code(),
            at: event.at.micros(),
            logged_at: 0,
            actor: event.actor.as_str().to_owned(),
            request_id: event.request_id.as_ref().map(|id| id.as_str().to_owned()),
            trace_id: None,
            source: None,
            detail: stored::event::tax_rate_detail(&event.kind).map(Document),
            document: Some(document),
            salt: None,
            hash: None,
        }
    }

    /// The event, with its owner.
    pub(crate) fn record(self, owner: Owner) -> Result<EventRecord, StoreError> {
        let place = self.position;
        let broken = |column| corrupt("events", column, place);
        let entity = match EventEntityType::of(self.entity_kind, "events", "entity_kind")? {
            EventEntityType::Customer => EventEntity::Customer(self.entity.id()),
            EventEntityType::TaxRate => EventEntity::TaxRate(self.entity.id()),
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
