//! One item of activity.

use crate::{
    audit::AuditEntry,
    event::{EventEntity, EventRecord},
    tenancy::{Actor, RequestId},
    time::Timestamp,
};

/// One item: an event or an entry of the audit log.
///
/// ```
/// use patron_domain::{
///     activity::Activity, audit::{Act, AuditEntry, AuditNumber}, tenancy::{Actor, Origin},
///     testkit::{a_time, an_api_key, an_owner},
/// };
///
/// let act = Act::key_created(&an_api_key());
/// let entry = AuditEntry::of(AuditNumber::FIRST, an_owner(), act, &Actor::system(), &Origin::default(), a_time());
/// assert_eq!(Activity::Entry(entry).action(), "api_key.created");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Activity {
    /// An event, without its state.
    Event(Box<EventRecord>),
    /// An entry of the audit log.
    Entry(AuditEntry),
}

impl Activity {
    /// The action: the type of the event, or the action of the entry.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::Event(event) => event.kind.event_type().as_str(),
            Self::Entry(entry) => entry.act.action.as_str(),
        }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Event(event) => event.id.to_string(),
            Self::Entry(entry) => entry.id().to_string(),
        }
    }

    /// The actor.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        match self {
            Self::Event(event) => &event.actor,
            Self::Entry(entry) => &entry.actor,
        }
    }

    /// The entity: its type and its id.
    #[must_use]
    pub fn entity(&self) -> (&'static str, String) {
        match self {
            Self::Event(event) => (event.entity.kind().as_str(), event.entity.id()),
            Self::Entry(entry) => (entry.act.object.kind().as_str(), entry.act.object.id()),
        }
    }

    /// The customer, if the item is about one.
    #[must_use]
    pub fn customer_id(&self) -> Option<String> {
        match self {
            Self::Event(event) => match event.entity {
                EventEntity::Customer(id) => Some(id.to_string()),
                EventEntity::TaxRate(_) | EventEntity::Import(_) => None,
            },
            Self::Entry(_) => None,
        }
    }

    /// The time.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.at,
            Self::Entry(entry) => entry.at,
        }
    }

    /// The request.
    #[must_use]
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Event(event) => event.request_id.as_ref(),
            Self::Entry(entry) => entry.request_id.as_ref(),
        }
    }
}
