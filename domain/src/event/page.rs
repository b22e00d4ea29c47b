//! The result of reading the log.

use super::{EventCursor, EventQuery, EventRecord, EventSink};

/// Consecutive events that match a query.
///
/// ```
/// use patron_domain::{event::{EventCursor, EventLog, EventQuery}, testkit::{MemoryStore, a_scope}};
///
/// # futures::executor::block_on(async {
/// let page = MemoryStore::default().read(&a_scope(), &EventQuery::default()).await.unwrap();
/// assert_eq!((page.events.len(), page.reached, page.has_more), (0, EventCursor::START, false));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EventPage {
    /// The events, in the order of their positions.
    pub events: Vec<EventRecord>,
    /// Where the reader continues. Every selected event before this place has been returned, and none can appear there
    /// later.
    pub reached: EventCursor,
    /// Whether the end of the log was not reached, so the reader should continue at once.
    pub has_more: bool,
}

impl EventPage {
    /// The events that were handed over, as a page.
    pub(super) fn of(events: Vec<EventRecord>, reached: Reached) -> Self {
        let Reached { cursor, has_more } = reached;
        Self { events, reached: cursor, has_more }
    }
}

/// The progress of a reader.
///
/// ```
/// use patron_domain::{event::{EventCursor, EventLog, EventQuery, Reached}, tenancy::SystemScope, testkit::*};
///
/// # futures::executor::block_on(async {
/// let (store, sink) = (MemoryStore::default(), Box::new(|event| panic!("{event:?}")));
/// let read = store.read_each(&SystemScope::patron(), a_scope().owner, &EventQuery::default(), sink).await;
/// assert_eq!(read, Ok(Reached { cursor: EventCursor::START, has_more: false }));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// As [`EventPage::reached`].
    pub cursor: EventCursor,
    /// As [`EventPage::has_more`].
    pub has_more: bool,
}

/// Hands events over to the sink of [`read_each`](super::EventLog::read_each), but no more than requested. The store
/// reads one event more, to see whether there are more.
///
/// ```
/// use patron_domain::{event::{EventCursor, EventPosition, EventQuery, HandOver, Reached}, testkit::an_id};
///
/// let end = EventCursor::behind(EventPosition::from_stored(7).unwrap(), an_id(1));
/// let over = HandOver::new(&EventQuery::default(), Box::new(|event| panic!("{event:?}")));
/// assert_eq!(over.reached(end, false), Reached { cursor: end, has_more: false });
/// ```
pub struct HandOver<'a> {
    sink: Box<dyn EventSink + 'a>,
    left: u16,
    /// Behind the last event, or where the reader began.
    cursor: EventCursor,
    has_more: bool,
}

impl<'a> HandOver<'a> {
    /// A new hand-over for a query.
    #[must_use]
    pub fn new(query: &EventQuery, sink: Box<dyn EventSink + 'a>) -> Self {
        Self { sink, left: query.limit.get(), cursor: query.after, has_more: false }
    }

    /// Takes the next event in the order of positions.
    pub fn take(&mut self, event: EventRecord) {
        if self.left == 0 {
            self.has_more = true;
            return;
        }
        self.left -= 1;
        self.cursor = event.cursor();
        self.sink.take(event);
    }

    /// Marks that there are more events after this page.
    pub fn ends_early(&mut self) {
        self.left = 0;
        self.has_more = true;
    }

    /// The reader's progress, when all events up to `end` were read. `goes_on` says whether the log continues after it.
    #[must_use]
    pub fn reached(self, end: EventCursor, goes_on: bool) -> Reached {
        match self.has_more {
            true => Reached { cursor: self.cursor, has_more: true },
            false if end.position() > self.cursor.position() => Reached { cursor: end, has_more: goes_on },
            false => Reached { cursor: self.cursor, has_more: goes_on },
        }
    }
}
