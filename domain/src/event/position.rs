//! Positions in the event log.

use std::fmt;

/// The place of an event in its environment's log: 1, 2, 3 … without gaps, in the order of the commits. 0 is before the
/// first event. Outside, readers hold an [`EventCursor`](super::EventCursor).
///
/// ```
/// use patron_domain::event::EventPosition;
///
/// assert!(EventPosition::START < EventPosition::from_stored(7).unwrap());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPosition(u64);

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

    /// The next position.
    #[must_use]
    pub fn next(self) -> Self {
        // No log has 2^63 events.
        Self(self.0.saturating_add(1).min(Self::MAX.0))
    }

    /// The stored number.
    #[must_use]
    pub fn stored(self) -> i64 {
        // It fits by this type's invariant.
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for EventPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::EventPosition;

    #[test]
    fn stored_numbers_are_restored() {
        for number in [0, 1, i64::MAX] {
            assert_eq!(EventPosition::from_stored(number).unwrap().stored(), number);
        }
        assert_eq!(EventPosition::from_stored(-1), None);
    }
}
