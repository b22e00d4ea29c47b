//! What a reader of the log gets.

use super::{EventPosition, EventQuery, EventRecord, EventSink};

/// Events that stand next to one another in what was asked for.
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
    /// Where the reader stands now: nothing that it asked for is left before, now or later. Never before where it stood.
    pub reached: EventPosition,
    /// Whether the log was not read to its end: asking again at once is worth while.
    pub has_more: bool,
}

impl EventPage {
    /// What was handed over, as a page.
    pub(super) fn of(events: Vec<EventRecord>, reached: Reached) -> Self {
        let Reached { position, has_more } = reached;
        Self { events, reached: position, has_more }
    }
}

/// How far a reader of the log has come.
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

/// Hands over what a store finds, for its [`read_each`](super::EventLog::read_each): no more than was asked for. The store
/// looks for one event more than that, to see whether there are more.
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
    /// Of the last event, or where the reader stands.
    position: EventPosition,
    has_more: bool,
}

impl<'a> HandOver<'a> {
    /// Nothing yet, for a query.
    #[must_use]
    pub fn new(query: &EventQuery, sink: Box<dyn EventSink + 'a>) -> Self {
        Self { sink, left: query.limit.get(), position: query.after, has_more: false }
    }

    /// The next event, in the order of their positions.
    pub fn take(&mut self, event: EventRecord) {
        if self.left == 0 {
            self.has_more = true;
            return;
        }
        self.left -= 1;
        self.position = event.position;
        self.sink.take(event);
    }

    /// How far it was, when all up to `end` was looked through, and the log goes on behind or does not.
    #[must_use]
    pub fn reached(self, end: EventPosition, goes_on: bool) -> Reached {
        match self.has_more {
            true => Reached { position: self.position, has_more: true },
            false => Reached { position: self.position.max(end), has_more: goes_on },
        }
    }
}
