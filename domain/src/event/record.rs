//! Events of all kinds, as in the log.

use super::{
    CustomerEvent, CustomerEventKind, EventCursor, EventPosition, EventType, ImportEvent, ImportEventKind,
    ImportSummary, TaxRateEvent, TaxRateEventKind,
};
use crate::{
    customer::CustomerAggregate,
    ids::{CustomerId, EventId, ImportId, TaxRateId},
    lifecycle::{Owner, Version},
    tax::TaxRate,
    tenancy::{Actor, RequestId},
    time::Timestamp,
    words::words,
};

/// One event in the log.
///
/// ```
/// use patron_domain::{
///     event::{EventPosition, EventRecord, EventType, TaxRateEvent},
///     testkit::{a_tax_rate, an_id},
/// };
///
/// let created = TaxRateEvent::created(an_id(1), None, a_tax_rate("VAT"));
/// let record = EventRecord::of_tax_rate(EventPosition::from_stored(1).unwrap(), created);
/// assert_eq!(record.kind.event_type(), EventType::TaxRateCreated);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// The position in the log.
    pub position: EventPosition,
    /// The id.
    pub id: EventId,
    /// The tenant and environment.
    pub owner: Owner,
    /// The entity that changed.
    pub entity: EventEntity,
    /// The kind of change.
    pub kind: EventKind,
    /// The entity's version after the change. It numbers the entity's events from 1 without gaps.
    pub sequence: Version,
    /// The time of the change.
    pub at: Timestamp,
    /// The actor.
    pub actor: Actor,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The entity's state after the change; `None` if it was erased or is [withheld](Self::withheld), and for events
    /// that have none: see [`EventType::has_state`].
    pub state: Option<EventState>,
    /// Whether the state exists, but is not shown while the customer is suppressed.
    pub withheld: bool,
}

/// The entity of an event.
///
/// ```
/// use patron_domain::{customer::Customer, event::EventEntity, testkit::an_id};
///
/// assert_eq!(EventEntity::of_id(&EventEntity::Customer(an_id(1)).id()), Some(EventEntity::Customer(an_id(1))));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventEntity {
    /// A customer, with its mappings and tax associations.
    Customer(CustomerId),
    /// A tax rate.
    TaxRate(TaxRateId),
    /// An import.
    Import(ImportId),
}

/// The kinds of [`EventEntity`].
///
/// ```
/// use patron_domain::{event::EventEntityType, tax::TaxRate};
///
/// assert_eq!(EventEntityType::parse("tax_rate"), Ok(EventEntityType::TaxRate));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventEntityType {
    /// A customer.
    Customer,
    /// A tax rate.
    TaxRate,
    /// An import.
    Import,
}

words!(
    EventEntityType, "customer, tax_rate, import",
    Customer => "customer", TaxRate => "tax_rate", Import => "import",
);

/// Selects entities with events.
///
/// ```
/// use patron_domain::{customer::Customer, event::{EventEntities, EventEntityType, EventQuery}, ids::Kind};
///
/// let query = EventQuery { entities: EventEntities::Kind(EventEntityType::Customer), ..EventQuery::default() };
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventEntities {
    /// All entities.
    #[default]
    All,
    /// All entities of one kind.
    Kind(EventEntityType),
    /// One entity.
    One(EventEntity),
}

/// The kind of change, for every kind of entity.
///
/// ```
/// use patron_domain::event::{CustomerEventKind, CustomerField, EventKind, EventType};
///
/// let kind = EventKind::Customer(CustomerEventKind::Updated { changed: vec![CustomerField::Name] });
/// assert_eq!((kind.event_type(), kind.changed()), (EventType::CustomerUpdated, vec!["name"]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A change of a customer.
    Customer(CustomerEventKind),
    /// A change of a tax rate.
    TaxRate(TaxRateEventKind),
    /// The end of an import.
    Import(ImportEventKind),
}

/// The state of an entity after a change.
///
/// ```
/// use patron_domain::{event::EventState, tax::TaxRate, testkit::a_tax_rate};
///
/// let state = EventState::TaxRate(Box::new(a_tax_rate("VAT")));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum EventState {
    /// A customer with everything that belongs to it.
    Customer(Box<CustomerAggregate>),
    /// A tax rate.
    TaxRate(Box<TaxRate>),
    /// An import.
    Import(Box<ImportSummary>),
}

impl EventState {
    /// The customer, if it is the state of one.
    pub(crate) fn into_customer(self) -> Option<CustomerAggregate> {
        match self {
            Self::Customer(customer) => Some(*customer),
            Self::TaxRate(_) | Self::Import(_) => None,
        }
    }
}

impl EventEntity {
    /// The kind of entity.
    #[must_use]
    pub fn kind(self) -> EventEntityType {
        match self {
            Self::Customer(_) => EventEntityType::Customer,
            Self::TaxRate(_) => EventEntityType::TaxRate,
            Self::Import(_) => EventEntityType::Import,
        }
    }

    /// The id as text.
    #[must_use]
    pub fn id(self) -> String {
        match self {
            Self::Customer(id) => id.to_string(),
            Self::TaxRate(id) => id.to_string(),
            Self::Import(id) => id.to_string(),
        }
    }

    /// The entity with an id. The prefix gives its kind; `None` when no entity can have this id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        let customer = CustomerId::parse(id).ok().map(Self::Customer);
        let rate = || TaxRateId::parse(id).ok().map(Self::TaxRate);
        customer.or_else(rate).or_else(|| ImportId::parse(id).ok().map(Self::Import))
    }
}

impl EventKind {
    /// The type on the wire and in stores.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Customer(kind) => kind.event_type(),
            Self::TaxRate(kind) => kind.event_type(),
            Self::Import(kind) => kind.event_type(),
        }
    }

    /// The names of the fields whose values changed; empty unless the event is an update.
    #[must_use]
    pub fn changed(&self) -> Vec<&'static str> {
        match self {
            Self::Customer(CustomerEventKind::Updated { changed }) => {
                changed.iter().map(|field| field.as_str()).collect()
            }
            Self::TaxRate(TaxRateEventKind::Updated { changed }) => {
                changed.iter().map(|field| field.as_str()).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl EventRecord {
    /// The place behind this event.
    #[must_use]
    pub fn cursor(&self) -> EventCursor {
        EventCursor::behind(self.position, self.id)
    }

    /// A customer's event at a position of the log.
    #[must_use]
    pub fn of_customer(position: EventPosition, event: CustomerEvent) -> Self {
        let CustomerEvent { id, kind, sequence, at, actor, request_id, state } = event;
        Self {
            position,
            id,
            owner: state.customer.owner,
            entity: EventEntity::Customer(state.customer.id),
            kind: EventKind::Customer(kind),
            sequence,
            at,
            actor,
            request_id,
            state: Some(EventState::Customer(Box::new(state))),
            withheld: false,
        }
    }

    /// The event as a customer's event; `None` for another entity or an erased state.
    #[must_use]
    pub fn into_customer_event(self) -> Option<CustomerEvent> {
        let Self { id, kind, sequence, at, actor, request_id, state, .. } = self;
        match (kind, state) {
            (EventKind::Customer(kind), Some(EventState::Customer(state))) => {
                Some(CustomerEvent { id, kind, sequence, at, actor, request_id, state: *state })
            }
            _ => None,
        }
    }

    /// The event of a tax rate; `None` if it belongs to another entity or its state was erased.
    #[must_use]
    pub fn into_tax_rate_event(self) -> Option<TaxRateEvent> {
        let Self { id, kind, sequence, at, actor, request_id, state, .. } = self;
        match (kind, state) {
            (EventKind::TaxRate(kind), Some(EventState::TaxRate(state))) => {
                Some(TaxRateEvent { id, kind, sequence, at, actor, request_id, state: *state })
            }
            _ => None,
        }
    }

    /// A tax rate's event at a position of the log.
    #[must_use]
    pub fn of_tax_rate(position: EventPosition, event: TaxRateEvent) -> Self {
        let TaxRateEvent { id, kind, sequence, at, actor, request_id, state } = event;
        Self {
            position,
            id,
            owner: state.owner,
            entity: EventEntity::TaxRate(state.id),
            kind: EventKind::TaxRate(kind),
            sequence,
            at,
            actor,
            request_id,
            state: Some(EventState::TaxRate(Box::new(state))),
            withheld: false,
        }
    }

    /// The event of an import at a position of the log.
    #[must_use]
    pub fn of_import(position: EventPosition, event: ImportEvent) -> Self {
        let ImportEvent { id, kind, at, actor, request_id, state } = event;
        Self {
            position,
            id,
            owner: state.owner,
            entity: EventEntity::Import(state.id),
            kind: EventKind::Import(kind),
            // An import ends once.
            sequence: Version::FIRST,
            at,
            actor,
            request_id,
            state: Some(EventState::Import(Box::new(state))),
            withheld: false,
        }
    }
}
