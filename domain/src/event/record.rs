//! Events of every kind, as the log keeps them.

use super::{CustomerEvent, CustomerEventKind, EventPosition, EventType, TaxRateEvent, TaxRateEventKind};
use crate::{
    customer::CustomerAggregate,
    ids::{CustomerId, EventId, TaxRateId},
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
    /// Where it stands.
    pub position: EventPosition,
    /// Its id.
    pub id: EventId,
    /// Whose it is.
    pub owner: Owner,
    /// What it happened to.
    pub entity: EventEntity,
    /// What happened.
    pub kind: EventKind,
    /// The entity's version after the change: numbers its events without gaps, from 1.
    pub sequence: Version,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The request it was done in.
    pub request_id: Option<RequestId>,
    /// The entity after the change, frozen; `None` once it was erased.
    pub state: Option<EventState>,
}

/// What an event happened to.
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
}

words!(EventEntityType, "customer, tax_rate", Customer => "customer", TaxRate => "tax_rate");

/// Whose events are asked for.
///
/// ```
/// use patron_domain::{customer::Customer, event::{EventEntities, EventEntityType, EventQuery}, ids::Kind};
///
/// let query = EventQuery { entities: EventEntities::Kind(EventEntityType::Customer), ..EventQuery::default() };
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventEntities {
    /// Everybody's.
    #[default]
    All,
    /// Those of one kind of entity.
    Kind(EventEntityType),
    /// Those of one entity.
    One(EventEntity),
}

/// What happened, to an entity of any kind.
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
    /// To a customer.
    Customer(CustomerEventKind),
    /// To a tax rate.
    TaxRate(TaxRateEventKind),
}

/// An entity as a change left it.
///
/// ```
/// use patron_domain::{event::EventState, tax::TaxRate, testkit::a_tax_rate};
///
/// let state = EventState::TaxRate(Box::new(a_tax_rate("VAT")));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum EventState {
    /// A customer with all that belongs to it.
    Customer(Box<CustomerAggregate>),
    /// A tax rate.
    TaxRate(Box<TaxRate>),
}

impl EventEntity {
    /// What kind of entity it is.
    #[must_use]
    pub fn kind(self) -> EventEntityType {
        match self {
            Self::Customer(_) => EventEntityType::Customer,
            Self::TaxRate(_) => EventEntityType::TaxRate,
        }
    }

    /// Its id as text.
    #[must_use]
    pub fn id(self) -> String {
        match self {
            Self::Customer(id) => id.to_string(),
            Self::TaxRate(id) => id.to_string(),
        }
    }

    /// The entity with an id, whose prefix says of which kind it is; `None` when no entity has such an id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        let customer = CustomerId::parse(id).ok().map(Self::Customer);
        customer.or_else(|| TaxRateId::parse(id).ok().map(Self::TaxRate))
    }
}

impl EventKind {
    /// The type on the wire and in stores.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Customer(kind) => kind.event_type(),
            Self::TaxRate(kind) => kind.event_type(),
        }
    }

    /// The names of the fields that have another value than before; empty for what is no update.
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
    /// A customer's event at its place in the log.
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
        }
    }

    /// The event as a customer's; `None` when it is another entity's, or its state was erased.
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

    /// A tax rate's event at its place in the log.
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
        }
    }
}
