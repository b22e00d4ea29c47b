//! New ids.

use uuid::Uuid;

use super::{Id, Kind};
use crate::time::Timestamp;

/// The ids of one operation, all derived from one UUIDv7: the first is that UUID, and each further one increments its
/// random part. So one call for randomness is enough, and a decision that only learns inside the transaction how many
/// ids it needs stays a pure function.
///
/// ```
/// use patron_domain::{ids::{CustomerId, EventId, IdSequence}, testkit::a_time};
///
/// let mut ids = IdSequence::start(a_time(), [7; 10]);
/// let (customer, event): (CustomerId, EventId) = (ids.next_id(), ids.next_id());
/// assert_ne!(customer.uuid(), event.uuid());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdSequence {
    next: u128,
}

impl IdSequence {
    /// The 62 random bits at the end of a UUIDv7, `rand_b` in RFC 9562.
    const COUNTER: u128 = (1 << 62) - 1;

    /// Starts a sequence at a time, with 80 random bits, of which a UUIDv7 has room for 74.
    #[must_use]
    pub fn start(at: Timestamp, random: [u8; 10]) -> Self {
        let first = uuid::Builder::from_unix_timestamp_millis(at.unix_millis(), &random).into_uuid();
        Self { next: first.as_u128() }
    }

    /// More ids than any operation makes.
    const MOST: u128 = 1 << 24;

    /// Whether an id is one of the next ones of this sequence.
    ///
    /// ```
    /// use patron_domain::{ids::{EventId, IdSequence}, testkit::a_time};
    ///
    /// let start = IdSequence::start(a_time(), [7; 10]);
    /// let mut ids = start;
    /// let id: EventId = ids.next_id();
    /// assert!(start.may_make(id.uuid()) && !ids.may_make(id.uuid()));
    /// ```
    #[must_use]
    pub fn may_make(&self, id: Uuid) -> bool {
        let id = id.as_u128();
        let same_start = id & !Self::COUNTER == self.next & !Self::COUNTER;
        same_start && (id.wrapping_sub(self.next) & Self::COUNTER) < Self::MOST
    }

    /// The next id.
    pub fn next_id<K: Kind>(&mut self) -> Id<K> {
        let id = Id::from_uuid(Uuid::from_u128(self.next));
        self.next = (self.next & !Self::COUNTER) | (self.next.wrapping_add(1) & Self::COUNTER);
        id
    }
}

/// The port for new ids.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{ids::IdGenerator, testkit::{CountingIds, a_time}};
///
/// let ids: Arc<dyn IdGenerator> = Arc::new(CountingIds::default());
/// assert_ne!(ids.start(a_time()), ids.start(a_time()));
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait IdGenerator: Send + Sync {
    /// Starts the ids of one operation. They MUST start at `at`, with bits that no other call gets.
    fn start(&self, at: Timestamp) -> IdSequence;
}
