//! Idempotency keys: a request that is repeated with its key is done once, and gets the same response.
//!
//! The record of a key is written in the same transaction as the work, so neither exists without the other. A refusal
//! leaves no record: the key stays free.

mod answer;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod outcome;
mod port;
mod reused;

use std::{fmt, time::Duration};

#[cfg(any(test, feature = "mock"))]
pub use self::port::MockIdempotencyRecords;
pub use self::{
    answer::{Answer, KeptAnswer, NotKept},
    outcome::{Done, OnceError, Outcome},
    port::IdempotencyRecords,
    reused::{EarlierUse, IdempotencyKeyReused},
};
use data_encoding::HEXLOWER;

use crate::{ids::EventId, lifecycle::Owner, tenancy::EnvironmentScope, time::Timestamp, violation::Rule};
pub(crate) use outcome::from_once_error;

/// The idempotency key of a request: 1–255 printable ASCII characters.
///
/// ```
/// use patron_domain::idempotency::IdempotencyKey;
///
/// assert!(IdempotencyKey::new("order-4711").is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// Why a text is not a valid [`IdempotencyKey`].
///
/// ```
/// use patron_domain::idempotency::{IdempotencyKey, IdempotencyKeyError};
///
/// assert!(IdempotencyKey::new("").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key must be 1 to {max} printable ASCII characters", max = IdempotencyKey::MAX_CHARS)]
pub struct IdempotencyKeyError;

impl Rule for IdempotencyKeyError {
    fn rule(&self) -> &'static str {
        "idempotency_key"
    }
}

impl IdempotencyKey {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 255;

    /// Checks a key.
    ///
    /// # Errors
    /// When the text is empty, too long, or contains another character.
    pub fn new(text: impl Into<String>) -> Result<Self, IdempotencyKeyError> {
        let text = text.into();
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if printable && (1..=Self::MAX_CHARS).contains(&text.len()) { Ok(Self(text)) } else { Err(IdempotencyKeyError) }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Identifies a request: a 64-bit hash of its operation (the method and the path with query), and a 192-bit hash of the
/// whole request, including its body.
///
/// ```
/// use patron_domain::idempotency::Fingerprint;
///
/// let fingerprint = Fingerprint::from_bytes([7; 32]);
/// assert_eq!(Fingerprint::from_hex(&fingerprint.to_hex()), Some(fingerprint));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The number of bytes at the beginning that depend on the operation alone.
    pub const OPERATION_BYTES: usize = 8;

    /// A fingerprint of these bits.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Whether two requests have the same method and path with query.
    fn has_operation_of(&self, other: &Self) -> bool {
        self.0[..Self::OPERATION_BYTES] == other.0[..Self::OPERATION_BYTES]
    }

    /// The bits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As 64 lower-case hexadecimal digits, the stored form.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Reads the text of [`Self::to_hex`]; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", self.to_hex())
    }
}

/// A key with the fingerprint of its request, as a client sends it.
///
/// ```
/// use patron_domain::idempotency::{Fingerprint, IdempotencyKey, IdempotentRequest};
///
/// let key = IdempotencyKey::new("order-4711").unwrap();
/// let request = IdempotentRequest { key, fingerprint: Fingerprint::from_bytes([7; 32]) };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The key.
    pub key: IdempotencyKey,
    /// The request.
    pub fingerprint: Fingerprint,
}

impl IdempotentRequest {
    /// One item of a request with many. Each item has a key of its own, which no client can send.
    ///
    /// ```
    /// use patron_domain::idempotency::{Fingerprint, IdempotencyKey, IdempotentRequest};
    ///
    /// let key = IdempotencyKey::new("order-4711").unwrap();
    /// let request = IdempotentRequest { key, fingerprint: Fingerprint::from_bytes([7; 32]) };
    /// assert_eq!(request.of_item(3).key.as_str(), "order-4711\u{1f}3");
    /// ```
    #[must_use]
    pub fn of_item(&self, number: usize) -> Self {
        Self { key: IdempotencyKey(format!("{}\u{1f}{number}", self.key.0)), fingerprint: self.fingerprint }
    }
}

/// The idempotency part of a command: the store finds the key's record, or writes one together with the work.
///
/// ```
/// use patron_domain::{
///     idempotency::{Fingerprint, IdempotencyClaim, IdempotencyKey, IdempotencyRecord, Outcome},
///     testkit::{a_time, an_id},
///     time::Timestamp,
/// };
///
/// let (key, fingerprint) = (IdempotencyKey::new("key-1").unwrap(), Fingerprint::from_bytes([7; 32]));
/// let claim = IdempotencyClaim { key, fingerprint, since: Timestamp::UNIX_EPOCH };
/// let record = IdempotencyRecord { fingerprint, outcome: Outcome::Event(an_id(1)), at: a_time() };
/// assert_eq!((claim.settle(None), claim.settle(Some(&record))), (Ok(None), Ok(Some(an_id(1)))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// The key.
    pub key: IdempotencyKey,
    /// The request.
    pub fingerprint: Fingerprint,
    /// The time before which a record has expired. A new record replaces it.
    pub since: Timestamp,
}

/// A claim with the environment that the key belongs to. That is always the caller's own, even if the work concerns the
/// tenant or another of its environments.
///
/// ```
/// use patron_domain::{idempotency::{CallersClaim, Fingerprint, IdempotencyClaim, IdempotencyKey}, testkit::{a_scope, a_time}};
///
/// let key = IdempotencyKey::new("order-4711").unwrap();
/// let claim = IdempotencyClaim { key, fingerprint: Fingerprint::from_bytes([7; 32]), since: a_time() };
/// assert_eq!(CallersClaim::within(&a_scope(), Some(claim)).unwrap().owner, a_scope().owner);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallersClaim {
    /// The caller's environment.
    pub owner: Owner,
    /// The claim.
    pub claim: IdempotencyClaim,
}

/// The stored record of a key: its request and the result.
///
/// ```
/// use patron_domain::{idempotency::{Fingerprint, IdempotencyRecord, Outcome}, testkit::{a_time, an_id}};
///
/// let fingerprint = Fingerprint::from_bytes([7; 32]);
/// let record = IdempotencyRecord { fingerprint, outcome: Outcome::Event(an_id(1)), at: a_time() };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRecord {
    /// The request.
    pub fingerprint: Fingerprint,
    /// The result.
    pub outcome: Outcome,
    /// The time.
    pub at: Timestamp,
}

impl IdempotentRequest {
    /// The claim now, when records are kept for `ttl`.
    #[must_use]
    pub fn claim(self, now: Timestamp, ttl: Duration) -> IdempotencyClaim {
        let Self { key, fingerprint } = self;
        IdempotencyClaim { key, fingerprint, since: now.earlier(ttl) }
    }
}

impl CallersClaim {
    /// A claim of a caller for work in its own environment.
    #[must_use]
    pub fn within(scope: &EnvironmentScope, claim: Option<IdempotencyClaim>) -> Option<Self> {
        claim.map(|claim| Self { owner: scope.owner, claim })
    }
}

impl IdempotencyClaim {
    /// Decides whether a request that creates an event was done before: returns the event of the record, or `None` when
    /// the work must be done.
    ///
    /// # Errors
    /// [`IdempotencyKeyReused`] when the record belongs to a different request, or its result was erased.
    pub fn settle(&self, record: Option<&IdempotencyRecord>) -> Result<Option<EventId>, IdempotencyKeyReused> {
        match self.outcome(record)? {
            None => Ok(None),
            Some(Outcome::Event(id)) => Ok(Some(*id)),
            Some(Outcome::Kept(_)) => Err(IdempotencyKeyReused::default()),
            Some(Outcome::Gone) => Err(IdempotencyKeyReused::gone()),
        }
    }

    /// The same for a request without events: returns the stored result. The owner is the environment that the key
    /// belongs to.
    ///
    /// # Errors
    /// [`OnceError::KeyReused`] when the record belongs to a different request, or its result was erased;
    /// [`OnceError::Store`] when it cannot be read.
    pub fn settle_kept<T: Answer>(
        &self,
        owner: Owner,
        record: Option<&IdempotencyRecord>,
    ) -> Result<Option<T>, OnceError> {
        match self.outcome(record)? {
            None => Ok(None),
            Some(Outcome::Kept(kept)) => T::from_kept(owner, kept).map(Some).map_err(NotKept::refusal),
            Some(Outcome::Event(_)) => Err(IdempotencyKeyReused::default().into()),
            Some(Outcome::Gone) => Err(IdempotencyKeyReused::gone().into()),
        }
    }

    /// The stored result of an earlier request, for services that check other things before the work. They call this
    /// first, so that a repeated request is not refused because something changed after it was done. `None` when there
    /// is no record; a concurrent request with the same key may still be first.
    ///
    /// # Errors
    /// When the record belongs to a different request, or the store fails.
    pub(crate) async fn answered<T: Answer>(
        &self,
        records: &dyn IdempotencyRecords,
        scope: &EnvironmentScope,
    ) -> Result<Option<T>, OnceError> {
        let record = records.find(scope, &self.key).await?;
        self.settle_kept(scope.owner, record.as_ref())
    }

    /// The record for work that is done now.
    #[must_use]
    pub fn record(&self, outcome: Outcome, at: Timestamp) -> IdempotencyRecord {
        IdempotencyRecord { fingerprint: self.fingerprint, outcome, at }
    }

    fn outcome<'a>(&self, record: Option<&'a IdempotencyRecord>) -> Result<Option<&'a Outcome>, IdempotencyKeyReused> {
        match record {
            Some(record) if record.at < self.since => Ok(None),
            Some(record) if record.outcome == Outcome::Gone => Ok(Some(&record.outcome)),
            Some(record) if record.fingerprint == self.fingerprint => Ok(Some(&record.outcome)),
            Some(record) => {
                let same_operation = record.fingerprint.has_operation_of(&self.fingerprint);
                Err(IdempotencyKeyReused { earlier: Some(EarlierUse { at: record.at, same_operation }), gone: false })
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::IdSequence;

    fn time(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    #[test]
    fn keys_are_printable_and_limited_in_length() {
        assert!(IdempotencyKey::new("a".repeat(255)).is_ok());
        for bad in ["", "ü", "a\nb", &"a".repeat(256)] {
            assert!(IdempotencyKey::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_same_request_gets_the_same_result_and_another_is_refused_until_the_record_expires() {
        let event_id = IdSequence::start(time(0), [0; 10]).next_id();
        let fingerprint = Fingerprint::from_bytes([7; 32]);
        let record = IdempotencyRecord { fingerprint, outcome: Outcome::Event(event_id), at: time(100) };
        let claim = |fingerprint, since| IdempotencyClaim {
            key: IdempotencyKey::new("k").unwrap(),
            fingerprint,
            since: time(since),
        };
        let other = Fingerprint::from_bytes([8; 32]);
        assert_eq!(claim(fingerprint, 100).settle(None), Ok(None));
        assert_eq!(claim(fingerprint, 100).settle(Some(&record)), Ok(Some(event_id)));
        for (bytes, same_operation) in [([8; 32], false), ([[7; 16], [8; 16]].concat().try_into().unwrap(), true)] {
            let earlier = Some(EarlierUse { at: time(100), same_operation });
            let settled = claim(Fingerprint::from_bytes(bytes), 100).settle(Some(&record));
            assert_eq!(settled, Err(IdempotencyKeyReused { earlier, gone: false }));
        }
        assert_eq!(claim(other, 101).settle(Some(&record)), Ok(None));
    }

    proptest! {
        #[test]
        fn fingerprints_survive_their_text(bytes: [u8; 32]) {
            let fingerprint = Fingerprint::from_bytes(bytes);
            prop_assert_eq!(Fingerprint::from_hex(&fingerprint.to_hex()), Some(fingerprint));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,70}|[0-9a-f]{60,70}") {
            let _ = Fingerprint::from_hex(&text);
        }
    }
}
