//! A clock, ids and secrets that tests control.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::a_time;
use crate::{
    Clock,
    ids::{IdGenerator, IdSequence, Randomness, RandomnessUnavailable},
    time::Timestamp,
};

/// A clock that does not move until it is set. It starts at [`a_time`].
///
/// ```
/// use patron_domain::{Clock, testkit::{FixedClock, a_time}};
///
/// let clock = FixedClock::default();
/// assert_eq!(clock.now(), a_time());
/// assert!(clock.advance_micros(1) > a_time());
/// ```
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// A clock at this time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets another time, earlier or later.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock by some microseconds, forward or back, and returns the new time. It stops at the ends of the
    /// years 1 and 9999.
    pub fn advance_micros(&self, micros: i64) -> Timestamp {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = Timestamp::from_micros(now.micros().saturating_add(micros)).unwrap_or(*now);
        *now
    }
}

impl Default for FixedClock {
    fn default() -> Self {
        Self::at(a_time())
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids that count up: the same calls at the same times give the same ids. Each start has room for 65,536 ids.
///
/// ```
/// use patron_domain::{ids::IdGenerator, testkit::{CountingIds, a_time}};
///
/// assert_eq!(CountingIds::default().start(a_time()), CountingIds::default().start(a_time()));
/// ```
#[derive(Debug, Default)]
pub struct CountingIds {
    salt: u64,
    next: AtomicU64,
}

impl CountingIds {
    /// Counting ids that differ from those of every other salt, for salts below 2^38 and up to 2^20 starts each.
    #[must_use]
    pub fn salted(salt: u64) -> Self {
        Self { salt, next: AtomicU64::new(0) }
    }
}

impl IdGenerator for CountingIds {
    fn start(&self, at: Timestamp) -> IdSequence {
        // The 74 free bits of a UUIDv7: 38 for the salt, 20 for the starts, 16 for the ids of one start.
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let bits = (u128::from(self.salt) << 36).wrapping_add(u128::from(count) << 16);
        // RFC 9562 has 12 of them before and 62 of them after the two variant bits.
        let [.., a0, a1] = ((bits >> 62) as u16).to_be_bytes();
        let [b0, b1, b2, b3, b4, b5, b6, b7] = (bits as u64).to_be_bytes();
        IdSequence::start(at, [a0, a1, b0, b1, b2, b3, b4, b5, b6, b7])
    }
}

/// The same 256 bits each time.
///
/// ```
/// use patron_domain::{ids::Randomness, testkit::FixedRandomness};
///
/// assert_eq!(FixedRandomness([7; 32]).secret_bytes(), Ok([7; 32]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedRandomness(
    /// The bits.
    pub [u8; 32],
);

impl Randomness for FixedRandomness {
    fn secret_bytes(&self) -> Result<[u8; 32], RandomnessUnavailable> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{CountingIds, FixedClock};
    use crate::{
        Clock,
        ids::{EventId, IdGenerator},
        testkit::a_time,
        time::Timestamp,
    };

    #[test]
    fn counting_ids_do_not_repeat_and_are_reproducible() {
        let first_three_of_each = |salt: u64| {
            let ids = CountingIds::salted(salt);
            let three =
                |mut sequence: crate::ids::IdSequence| -> [EventId; 3] { std::array::from_fn(|_| sequence.next_id()) };
            (0..100).flat_map(|_| three(ids.start(a_time()))).collect::<Vec<_>>()
        };
        let salts = [0, 1, 2, 1 << 26, 1 << 30, (1 << 38) - 1];
        let all: HashSet<EventId> = salts.into_iter().flat_map(first_three_of_each).collect();
        assert_eq!(all.len(), salts.len() * 300);
        assert_eq!(first_three_of_each(7), first_three_of_each(7));
        assert!(all.iter().all(|id| id.uuid().get_version_num() == 7));
    }

    #[test]
    fn the_clock_shows_the_time_that_was_set() {
        let clock = FixedClock::default();
        assert_eq!(clock.now(), a_time());
        clock.set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.advance_micros(-7).micros(), -7);
        assert_eq!(clock.advance_micros(i64::MAX).micros(), -7, "the year 10000 is out of range");
        assert_eq!(clock.now().micros(), -7);
    }
}
