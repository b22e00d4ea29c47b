//! Rows of the table `events`.

use patron_domain::{
    event::{
        CustomerEvent, CustomerMark, EventEntity, EventEntityType, EventPosition, EventRecord, EventType, ImportEvent,
        TaxRateEvent,
        chain::{ChainHash, Commitment, Salt, SealedEvent},
    },
    ids::{EventId, Randomness},
    lifecycle::{Owner, Version},
    store::StoreError,
    stored,
    system::OsRandomness,
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
    /// One row of `events`. Position, the log's own time and the hash are set under the lock of its environment's log.
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
        salt: Option<Vec<u8>>,
        commitment: Option<Vec<u8>>,
        hash: Vec<u8>,
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
    const SHAPE: Shape = Shape { columns: 18, weighed: &[17] };

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
    pub(crate) fn of_customer(
        environment: i32,
        event: &CustomerEvent,
        document: &Document,
    ) -> Result<Self, StoreError> {
        let CustomerEvent { id, sequence, kind, at, actor, request_id, .. } = event;
        let entity = EventEntity::Customer(event.state.customer.id);
        Self {
            detail: stored::event::customer_detail(kind).map(Document),
            ..Self::bare(environment, (*id, *sequence), kind.event_type(), entity, (*at, actor, request_id.as_ref()))
        }
        .committed(document)
    }

    /// An event of a customer without its state.
    pub(crate) fn of_mark(environment: i32, mark: &CustomerMark) -> Self {
        let CustomerMark { id, sequence, kind, at, actor, request_id, .. } = mark;
        let entity = EventEntity::Customer(mark.customer_id);
        Self::bare(environment, (*id, *sequence), kind.event_type(), entity, (*at, actor, request_id.as_ref()))
    }

    /// The event of a tax rate. `document` is the rate's state.
    pub(crate) fn of_tax_rate(environment: i32, event: &TaxRateEvent, document: &Document) -> Result<Self, StoreError> {
        let TaxRateEvent { id, sequence, kind, at, actor, request_id, .. } = event;
        let entity = EventEntity::TaxRate(event.state.id);
        Self {
            detail: stored::event::tax_rate_detail(kind).map(Document),
            document: Some(document.clone()),
            ..Self::bare(environment, (*id, *sequence), kind.event_type(), entity, (*at, actor, request_id.as_ref()))
        }
        .committed(document)
    }

    /// The end of an import.
    pub(crate) fn of_import(environment: i32, event: &ImportEvent) -> Result<Self, StoreError> {
        let ImportEvent { id, kind, at, actor, request_id, state, .. } = event;
        let entity = EventEntity::Import(state.id);
        let (about, document) = ((*at, actor, request_id.as_ref()), Document::of(state));
        Self {
            document: Some(document.clone()),
            ..Self::bare(environment, (*id, Version::FIRST), kind.event_type(), entity, about)
        }
        .committed(&document)
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
            salt: None,
            commitment: None,
            hash: Vec::new(),
            document: None,
        }
    }

    /// Adds the commitment of its state, with a salt that no decision knows.
    fn committed(self, document: &Document) -> Result<Self, StoreError> {
        let reason = || "the operating system returned no random bytes".to_owned();
        let random = OsRandomness.secret_bytes().map_err(|_| StoreError::Failed { reason: reason() })?;
        let salt = Salt::random(&random);
        let commitment = Commitment::new(&salt, &document.0);
        Ok(Self { salt: Some(salt.as_bytes().to_vec()), commitment: Some(commitment.as_bytes().to_vec()), ..self })
    }

    /// The event as its hash covers it. A row may have been changed, so an unknown word is an empty one, and a value of
    /// another length is absent: then the hash differs.
    pub(crate) fn sealed(&self) -> SealedEvent<'_> {
        let event_type = EventType::of(self.kind, "events", "kind").map_or("", EventType::as_str);
        let commitment = self.commitment.as_deref().and_then(Commitment::from_stored);
        // Events without a state may hold a copy of the customer's, which is not shown.
        let document = self.document.as_ref().filter(|_| commitment.is_some());
        SealedEvent {
            position: self.position,
            id: EventId::to_string(&self.id.id()).into(),
            event_type: event_type.into(),
            entity: self.entity().map(EventEntity::id).unwrap_or_default().into(),
            sequence: self.sequence,
            at: self.at,
            logged_at: self.logged_at,
            actor: self.actor.as_str().into(),
            request_id: self.request_id.as_deref().map(Into::into),
            detail: self.detail.as_ref().map(|detail| detail.0.as_str().into()),
            commitment,
            salt: self.salt.as_deref().and_then(Salt::from_stored),
            document: document.map(|document| document.0.as_str().into()),
            hash: ChainHash::from_stored(&self.hash).unwrap_or(ChainHash::START),
            withheld: false,
        }
    }

    fn entity(&self) -> Result<EventEntity, StoreError> {
        Ok(match EventEntityType::of(self.entity_kind, "events", "entity_kind")? {
            EventEntityType::Customer => EventEntity::Customer(self.entity.id()),
            EventEntityType::TaxRate => EventEntity::TaxRate(self.entity.id()),
            EventEntityType::Import => EventEntity::Import(self.entity.id()),
        })
    }

    /// The event, with its owner.
    pub(crate) fn record(self, owner: Owner) -> Result<EventRecord, StoreError> {
        let place = self.position;
        let broken = |column| corrupt("events", column, place);
        let entity = self.entity()?;
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
