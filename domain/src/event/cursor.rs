//! Cursors of log readers, which detect that the log was taken back.

use std::{fmt, str::FromStr, time::Duration};

use super::EventPosition;
use crate::{
    ids::{EventId, crockford},
    time::Timestamp,
    violation::Rule,
};

/// A part of an event's id: its creation time and random bits.
///
/// ```
/// use patron_domain::{event::EventMark, testkit::an_id};
///
/// assert_eq!(EventMark::of(an_id(1)), EventMark::of(an_id(1)));
/// assert_ne!(EventMark::of(an_id(1)), EventMark::of(an_id(2)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventMark {
    /// The first half of the id: 48 bits of milliseconds, the version, 12 random bits.
    first: u64,
    /// The last 32 random bits of the id.
    last: u32,
}

impl EventMark {
    /// The mark of an event.
    #[must_use]
    pub fn of(id: EventId) -> Self {
        let bits = id.uuid().as_u128();
        #[expect(clippy::cast_possible_truncation, reason = "each takes its part of the 128 bits")]
        let (first, last) = ((bits >> 64) as u64, bits as u32);
        Self { first, last }
    }

    /// The creation time of the event.
    fn made_at(self) -> Timestamp {
        let millis = i64::try_from(self.first >> 16).unwrap_or(i64::MAX);
        Timestamp::from_micros(millis.saturating_mul(1_000)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A place in the log of one environment: the position of the last event that was read, and a part of that event's id.
///
/// A restore or an asynchronous fail-over takes events back, and new events get their positions. The mark distinguishes
/// them. The text form is opaque to clients and versioned: `1` and 32 characters of Crockford's base 32.
///
/// ```
/// use patron_domain::event::EventCursor;
///
/// let start = EventCursor::START;
/// assert_eq!(start.to_string().parse(), Ok(start));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EventCursor {
    position: EventPosition,
    mark: Option<EventMark>,
}

/// The text is not an [`EventCursor`].
///
/// ```
/// use patron_domain::event::{EventCursor, EventCursorError};
///
/// assert_eq!("7".parse::<EventCursor>(), Err(EventCursorError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a cursor exactly as an earlier response returned it")]
pub struct EventCursorError;

impl Rule for EventCursorError {
    fn rule(&self) -> &'static str {
        "cursor"
    }
}

/// The log no longer holds the event behind which a reader wants to continue: a restore or a fail-over took it back.
///
/// ```
/// use patron_domain::event::{EventCursor, LogTakenBack};
///
/// let error = LogTakenBack { resume_from: EventCursor::START };
/// assert_eq!(error.to_string(), "the log was taken back: it no longer holds the event at which this reader stopped");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log was taken back: it no longer holds the event at which this reader stopped")]
pub struct LogTakenBack {
    /// Where to continue. The reader misses nothing, and may get events of the last minute again.
    pub resume_from: EventCursor,
}

impl EventCursor {
    /// Before the first event.
    pub const START: Self = Self { position: EventPosition::START, mark: None };

    /// The maximum difference between the clocks of two servers. A reader continues this long before the lost event.
    const CLOCKS: Duration = Duration::from_secs(60);
    /// The first character of the text form.
    const VERSION: char = '1';

    /// Behind the event with this id at this position.
    #[must_use]
    pub fn behind(position: EventPosition, id: EventId) -> Self {
        Self { position, mark: Some(EventMark::of(id)) }
    }

    /// A position without a mark. Nothing notices if the log is taken back to before it and grows past it again.
    #[must_use]
    pub fn unmarked(position: EventPosition) -> Self {
        Self { position, mark: None }
    }

    /// The position of the last event that was read.
    #[must_use]
    pub fn position(self) -> EventPosition {
        self.position
    }

    /// Whether the log was taken back behind this place. `last` is the log's last position; `found` is the event that
    /// it holds at this place, if any. Events that the retention job removed are absent too, but the log's last event
    /// is never removed.
    ///
    /// ```
    /// use patron_domain::{event::{EventCursor, EventPosition}, testkit::an_id};
    ///
    /// let at = |position| EventPosition::from_stored(position).unwrap();
    /// let cursor = EventCursor::behind(at(7), an_id(1));
    /// assert!(!cursor.was_taken_back(at(9), Some(an_id(1))));
    /// assert!(cursor.was_taken_back(at(9), Some(an_id(2))), "another event has this position");
    /// assert!(cursor.was_taken_back(at(6), None), "the log ends before");
    /// ```
    #[must_use]
    pub fn was_taken_back(self, last: EventPosition, found: Option<EventId>) -> bool {
        match (self.mark, found) {
            _ if self.position > last => true,
            (Some(mark), Some(found)) => mark != EventMark::of(found),
            _ => false,
        }
    }

    /// The smallest id of an event that may have been written after the log was taken back; `None` if that is unknown.
    ///
    /// The event at this place was created before the log was taken back, and all events that replaced lost ones were
    /// created later. So the reader continues before the first event with this id or a larger one.
    #[must_use]
    pub fn first_doubtful(self) -> Option<EventId> {
        self.mark.map(|mark| EventId::first_at(mark.made_at().earlier(Self::CLOCKS)))
    }

    /// Parses the text form.
    ///
    /// # Errors
    /// [`EventCursorError`] for anything that `Display` does not produce.
    pub fn parse(text: &str) -> Result<Self, EventCursorError> {
        let rest = text.strip_prefix(Self::VERSION).ok_or(EventCursorError)?;
        let bits = crockford::decode_160(rest.as_bytes()).ok_or(EventCursorError)?;
        let (position, first, last) = (bits.0 >> 64, bits.0, bits.1);
        #[expect(clippy::cast_possible_truncation, reason = "each takes its part of the bits")]
        let (position, mark) = (position as u64, EventMark { first: first as u64, last });
        let position = i64::try_from(position).ok().and_then(EventPosition::from_stored).ok_or(EventCursorError)?;
        let mark = Some(mark).filter(|mark| *mark != EventMark { first: 0, last: 0 });
        Ok(Self { position, mark })
    }
}

impl From<EventPosition> for EventCursor {
    fn from(position: EventPosition) -> Self {
        Self::unmarked(position)
    }
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EventMark { first, last } = self.mark.unwrap_or(EventMark { first: 0, last: 0 });
        let position = u128::from(self.position.stored().unsigned_abs());
        let text = crockford::encode_160(position << 64 | u128::from(first), last);
        write!(f, "{}{}", Self::VERSION, crockford::as_str(&text))
    }
}

impl FromStr for EventCursor {
    type Err = EventCursorError;

    fn from_str(text: &str) -> Result<Self, EventCursorError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::ids::Id;

    proptest! {
        #[test]
        fn the_text_form_can_be_parsed_back(position in 0..=i64::MAX, id in any::<u128>()) {
            let position = EventPosition::from_stored(position).unwrap();
            let cursor = EventCursor::behind(position, Id::from_uuid(Uuid::from_u128(id | 1)));
            prop_assert_eq!(EventCursor::parse(&cursor.to_string()), Ok(cursor));
            let unmarked = EventCursor::unmarked(position);
            prop_assert_eq!(EventCursor::parse(&unmarked.to_string()), Ok(unmarked));
        }

        #[test]
        fn only_the_canonical_text_form_is_accepted(text in "[0-9A-Za-z]{0,40}") {
            if let Ok(cursor) = EventCursor::parse(&text) {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn doubtful_ids_begin_a_minute_before_the_lost_event() {
        let made_at = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        let cursor = EventCursor::behind(EventPosition::START, EventId::last_at(made_at));
        let doubtful = cursor.first_doubtful().unwrap();
        assert!(EventId::last_at(made_at.earlier(Duration::from_millis(60_001))) < doubtful);
        assert!(doubtful <= EventId::first_at(made_at.earlier(Duration::from_secs(60))));
        assert_eq!(EventCursor::START.first_doubtful(), None);
    }
}
