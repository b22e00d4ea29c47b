//! What a reader of the log gets.

use super::{EventLimit, EventPosition, EventRecord, EventSink};

/// Events that stand next to one another in what was asked for.
///
/// ```
/// use patron_domain::event::{EventLimit, EventPage, EventPosition};
///
/// let end = EventPosition::from_stored(7).unwrap();
/// let page = EventPage::cut(Vec::new(), EventLimit::default(), end, false);
/// assert_eq!((page.reached, page.has_more), (end, false));
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
    /// A page from the events found up to a position, of which one more than asked for may have been taken to see whether
    /// there are more.
    #[must_use]
    pub fn cut(mut events: Vec<EventRecord>, limit: EventLimit, end: EventPosition, more_behind: bool) -> Self {
        let limit = usize::from(limit.get());
        if events.len() <= limit {
            return Self { events, reached: end, has_more: more_behind };
        }
        events.truncate(limit);
        let reached = events.last().map_or(end, |event| event.position);
        Self { events, reached, has_more: true }
    }

    /// Hands over its events, and tells how far they reach: [`read_each`](super::EventLog::read_each) of a log that reads
    /// whole pages.
    pub fn hand_over(self, mut sink: Box<dyn EventSink + '_>) -> Reached {
        let Self { events, reached, has_more } = self;
        events.into_iter().for_each(|event| sink.take(event));
        Reached { position: reached, has_more }
    }
}

/// How far a reader of the log has come.
///
/// ```
/// use patron_domain::event::{EventLimit, EventPage, EventPosition, Reached};
///
/// let position = EventPosition::from_stored(7).unwrap();
/// let page = EventPage::cut(Vec::new(), EventLimit::default(), position, true);
/// assert_eq!(page.hand_over(Box::new(|event| panic!("{event:?}"))), Reached { position, has_more: true });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// As [`EventPage::reached`].
    pub position: EventPosition,
    /// As [`EventPage::has_more`].
    pub has_more: bool,
}
