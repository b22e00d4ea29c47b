//! The result of reading the log.

use super::{EventPosition, EventQuery, EventRecord, EventSink};

/// Consecutive events of those that a query selects.
///
/// ```
/// use patron_domain::{event::{EventLog, EventPosition, EventQuery}, testkit::{MemoryStore, a_scope}};
///
/// # futures::executor::block_on(async {
/// let page = MemoryStore::default().read(&a_scope(), &EventQuery::default()).await.unwrap();
/// assert_eq!((page.events.len(), page.reached, page.has_more), (0, EventPosition::START, false));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events, in the order of their positions.
    pub events: Vec<EventRecord>,
    /// The reader's new position: every selected event up to it has been returned, and none can appear there later.
    /// Never before the position where the reader was.
    pub reached: EventPosition,
    /// Whether the end of the log was not reached, so the reader should continue at once.
    pub has_more: bool,
}

impl EventPage {
    /// The events that were handed over, as a page.
    pub(super) fn of(events: Vec<EventRecord>, reached: Reached) -> Self {
        let Reached { position, has_more } = reached;
        Self { events, reached: position, has_more }
    }
}

/// The progress of a reader.
///
/// ```
/// use patron_domain::{event::{EventLog, EventPosition, EventQuery, Reached}, tenancy::SystemScope, testkit::*};
///
/// # futures::executor::block_on(async {
/// let (store, sink) = (MemoryStore::default(), Box::new(|event| panic!("{event:?}")));
/// let read = store.read_each(&SystemScope::patron(), a_scope().owner, &EventQuery::default(), sink).await;
/// assert_eq!(read, Ok(Reached { position: EventPosition::START, has_more: false }));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// As [`EventPage::reached`].
    pub position: EventPosition,
    /// As [`EventPage::has_more`].
    pub has_more: bool,
}

/// Hands events over to the sink of [`read_each`](super::EventLog::read_each), but no more than requested. The store
/// reads one event more, to see whether there are more.
///
/// ```
/// use patron_domain::event::{EventPosition, EventQuery, HandOver, Reached};
///
/// let end = EventPosition::from_stored(7).unwrap();
/// let over = HandOver::new(&EventQuery::default(), Box::new(|event| panic!("{event:?}")));
/// assert_eq!(over.reached(end, false), Reached { position: end, has_more: false });
/// ```
pub struct HandOver<'a> {
    sink: Box<dyn EventSink + 'a>,
    left: u16,
    /// The position of the last event, or the reader's position.
    position: EventPosition,
    has_more: bool,
}

impl<'a> HandOver<'a> {
    /// A new hand-over for a query.
    #[must_use]
    pub fn new(query: &EventQuery, sink: Box<dyn EventSink + 'a>) -> Self {
        Self { sink, left: query.limit.get(), position: query.after, has_more: false }
    }

    /// Takes the next event in the order of positions.
    pub fn take(&mut self, event: EventRecord) {
        if self.left == 0 {
            self.has_more = true;
            return;
        }
        self.left -= 1;
        self.position = event.position;
        self.sink.take(event);
    }

    /// The reader's progress, when all events up to `end` were read. `goes_on` says whether the log continues after it.
    #[must_use]
    pub fn reached(self, end: EventPosition, goes_on: bool) -> Reached {
        match self.has_more {
            true => Reached { position: self.position, has_more: true },
            false => Reached { position: self.position.max(end), has_more: goes_on },
        }
    }
}
