//! Positions in the event log.

use std::{fmt, str::FromStr};

use crate::violation::Rule;

/// The position of an event in its environment's log: 1, 2, 3 … in the order of the commits. 0 is before the first
/// event.
///
/// ```
/// use patron_domain::event::EventPosition;
///
/// assert!(EventPosition::START < "7".parse().unwrap());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPosition(u64);

/// Why a text is not a valid [`EventPosition`].
///
/// ```
/// use patron_domain::event::{EventPosition, EventPositionError};
///
/// assert_eq!("evt_1".parse::<EventPosition>(), Err(EventPositionError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an unchanged cursor of an earlier response")]
pub struct EventPositionError;

impl Rule for EventPositionError {
    fn rule(&self) -> &'static str {
        "cursor"
    }
}

impl EventPosition {
    /// The position before the first event.
    pub const START: Self = Self(0);
    /// The largest position: the maximum of a 64-bit signed integer, as all supported databases have it.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// Restores a stored number; `None` below 0.
    #[must_use]
    pub fn from_stored(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }

    /// The stored number.
    #[must_use]
    pub fn stored(self) -> i64 {
        // It fits by this type's invariant.
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Parses a cursor, the text from `Display`.
    ///
    /// # Errors
    /// [`EventPositionError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, EventPositionError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.and_then(Self::from_stored).ok_or(EventPositionError)
    }
}

impl fmt::Display for EventPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for EventPosition {
    type Err = EventPositionError;

    fn from_str(text: &str) -> Result<Self, EventPositionError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::EventPosition;

    #[test]
    fn only_an_unchanged_cursor_is_accepted() {
        for number in [0, 1, i64::MAX] {
            let position = EventPosition::from_stored(number).unwrap();
            assert_eq!(EventPosition::parse(&position.to_string()), Ok(position));
            assert_eq!(position.stored(), number);
        }
        assert_eq!(EventPosition::from_stored(-1), None);
        for bad in ["", "-1", "+1", " 1", "1.0", "9223372036854775808", "evt_1"] {
            assert!(EventPosition::parse(bad).is_err(), "{bad:?}");
        }
    }
}
