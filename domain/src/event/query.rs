//! Queries of the event log.

use super::{EventCursor, EventEntities, EventRecord, EventType};
use crate::{page::PageBytes, time::Timestamp, violation::Rule};

/// Selects the next events after a position, in the order of positions, that match the filters.
///
/// ```
/// use patron_domain::event::{EventCursor, EventQuery, EventType};
///
/// let query = EventQuery { types: Some(vec![EventType::CustomerCreated]), ..EventQuery::default() };
/// assert_eq!(query.after, EventCursor::START);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Where the reader continues.
    pub after: EventCursor,
    /// The types; `None` for all, an empty list for none.
    pub types: Option<Vec<EventType>>,
    /// The entities.
    pub entities: EventEntities,
    /// The earliest time of an event.
    pub from: Option<Timestamp>,
    /// The latest time of an event.
    pub until: Option<Timestamp>,
    /// The maximum number of events in a page.
    pub limit: EventLimit,
    /// The approximate largest size of an answer. A store that counts bytes ends the page early, and marks that there are
    /// more events.
    pub bytes: PageBytes,
}

impl EventQuery {
    /// Whether an event matches, whatever its position.
    #[must_use]
    pub fn admits(&self, event: &EventRecord) -> bool {
        let entity = match self.entities {
            EventEntities::All => true,
            EventEntities::Kind(kind) => event.entity.kind() == kind,
            EventEntities::One(entity) => event.entity == entity,
        };
        entity
            && self.types.as_ref().is_none_or(|types| types.contains(&event.kind.event_type()))
            && self.from.is_none_or(|from| event.at >= from)
            && self.until.is_none_or(|until| event.at <= until)
    }

    /// Whether few events may match, so that much of the log must be read to find one.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        let dense = match self.entities {
            EventEntities::One(_) => true,
            EventEntities::Kind(_) => false,
            EventEntities::All => self.types.is_none() && self.from.is_none() && self.until.is_none(),
        };
        !dense
    }
}

/// The maximum number of events in one page: 1 to 1000.
///
/// ```
/// use patron_domain::event::EventLimit;
///
/// assert_eq!(EventLimit::new(10).map(EventLimit::get), Ok(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventLimit(u16);

/// Why a number is not a valid [`EventLimit`].
///
/// ```
/// use patron_domain::event::{EventLimit, EventLimitError};
///
/// assert_eq!(EventLimit::new(0), Err(EventLimitError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("limit must be a whole number from 1 to {max}", max = EventLimit::MAX)]
pub struct EventLimitError;

impl Rule for EventLimitError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

impl EventLimit {
    /// The largest limit.
    pub const MAX: u16 = 1_000;

    /// Checks a number.
    ///
    /// # Errors
    /// When it is not from 1 to 1000.
    pub fn new(limit: u16) -> Result<Self, EventLimitError> {
        if (1..=Self::MAX).contains(&limit) { Ok(Self(limit)) } else { Err(EventLimitError) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for EventLimit {
    fn default() -> Self {
        Self(100)
    }
}
