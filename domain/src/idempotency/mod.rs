//! Idempotency keys: a request that is sent again under its key is done once, and answered as it was the first time.
//!
//! The record of a key is written in the transaction of the work it stands for, so there is no moment in which one exists
//! without the other. A refusal leaves no record: its key stays free.

mod answer;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod outcome;
mod port;

use std::{fmt, time::Duration};

#[cfg(any(test, feature = "mock"))]
pub use self::port::MockIdempotencyRecords;
pub use self::{
    answer::{Answer, KeptAnswer, NotKept},
    outcome::{Done, OnceError, Outcome},
    port::IdempotencyRecords,
};
use data_encoding::HEXLOWER;

use crate::{ids::EventId, lifecycle::Owner, tenancy::EnvironmentScope, time::Timestamp, violation::Rule};
pub(crate) use outcome::from_once_error;

/// The key under which a client sends a request again: 1–255 printable ASCII characters.
///
/// ```
/// use patron_domain::idempotency::IdempotencyKey;
///
/// assert!(IdempotencyKey::new("order-4711").is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// Why a text is no [`IdempotencyKey`].
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
    /// The most characters.
    pub const MAX_CHARS: usize = 255;

    /// Checks a key.
    ///
    /// # Errors
    /// When it is empty, too long, or holds another character.
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

/// What tells one request from another: a hash of 256 bits over its method, its path with query, and its body.
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
    /// From the bits of the hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bits of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// In 64 lower-case hexadecimal digits, as stores keep it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Takes back what [`Self::to_hex`] gave; `None` for anything else.
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

/// A key with the request it stands for: what a client sends.
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

/// What a command asks of the store for its key: to find its record, or to make one together with the work.
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
    /// Records made before are too old to count; the claim takes their place.
    pub since: Timestamp,
}

/// A claim with the environment that the key belongs to: the caller's own, wherever the work itself lies. For work in a
/// tenant, or in another environment of it.
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

/// What a store keeps under a key: which request it stood for, and what came of it.
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
    /// What came of it.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
}

/// The key stands for another request.
///
/// ```
/// use patron_domain::{
///     idempotency::{Fingerprint, IdempotencyClaim, IdempotencyKey, IdempotencyKeyReused, IdempotencyRecord, Outcome},
///     testkit::{a_time, an_id},
///     time::Timestamp,
/// };
///
/// let fingerprint = Fingerprint::from_bytes([7; 32]);
/// let record = IdempotencyRecord { fingerprint, outcome: Outcome::Event(an_id(1)), at: a_time() };
/// let key = IdempotencyKey::new("key-1").unwrap();
/// let other = IdempotencyClaim { key, fingerprint: Fingerprint::from_bytes([8; 32]), since: Timestamp::UNIX_EPOCH };
/// assert_eq!(other.settle(Some(&record)), Err(IdempotencyKeyReused));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this idempotency key was used with another request; use a new key with a new request")]
pub struct IdempotencyKeyReused;

impl IdempotentRequest {
    /// What is asked of the store for it now, when records count for so long.
    #[must_use]
    pub fn claim(self, now: Timestamp, ttl: Duration) -> IdempotencyClaim {
        let Self { key, fingerprint } = self;
        IdempotencyClaim { key, fingerprint, since: now.earlier(ttl) }
    }
}

impl CallersClaim {
    /// A claim of a caller whose work lies in its own environment.
    #[must_use]
    pub fn within(scope: &EnvironmentScope, claim: Option<IdempotencyClaim>) -> Option<Self> {
        claim.map(|claim| Self { owner: scope.owner, claim })
    }
}

impl IdempotencyClaim {
    /// Decides about a request that makes an event, and whose key may have a record: the event to answer again, or `None`
    /// when the work is to be done.
    ///
    /// # Errors
    /// [`IdempotencyKeyReused`] when the record is of another request.
    pub fn settle(&self, record: Option<&IdempotencyRecord>) -> Result<Option<EventId>, IdempotencyKeyReused> {
        match self.outcome(record)? {
            None => Ok(None),
            Some(Outcome::Event(id)) => Ok(Some(*id)),
            Some(Outcome::Kept(_)) => Err(IdempotencyKeyReused),
        }
    }

    /// The same for a request about what has no events: answers that as it was then. The owner is the environment that
    /// the key belongs to.
    ///
    /// # Errors
    /// [`OnceError::KeyReused`] when the record is of another request, [`OnceError::Store`] when it cannot be read.
    pub fn settle_kept<T: Answer>(
        &self,
        owner: Owner,
        record: Option<&IdempotencyRecord>,
    ) -> Result<Option<T>, OnceError> {
        match self.outcome(record)? {
            None => Ok(None),
            Some(Outcome::Kept(kept)) => T::from_kept(owner, kept).map(Some).map_err(NotKept::refusal),
            Some(Outcome::Event(_)) => Err(IdempotencyKeyReused.into()),
        }
    }

    /// What was answered before, for services that look at other things before the work: asked first, so that nothing is
    /// refused that was right when it was done. `None` when it is to be done now, and no promise that nobody is first.
    ///
    /// # Errors
    /// When the record is of another request, or the store fails.
    pub(crate) async fn answered<T: Answer>(
        &self,
        records: &dyn IdempotencyRecords,
        scope: &EnvironmentScope,
    ) -> Result<Option<T>, OnceError> {
        let record = records.find(scope, &self.key).await?;
        self.settle_kept(scope.owner, record.as_ref())
    }

    /// The record that is to be kept of work that is done now.
    #[must_use]
    pub fn record(&self, outcome: Outcome, at: Timestamp) -> IdempotencyRecord {
        IdempotencyRecord { fingerprint: self.fingerprint, outcome, at }
    }

    fn outcome<'a>(&self, record: Option<&'a IdempotencyRecord>) -> Result<Option<&'a Outcome>, IdempotencyKeyReused> {
        match record {
            Some(record) if record.at < self.since => Ok(None),
            Some(record) if record.fingerprint == self.fingerprint => Ok(Some(&record.outcome)),
            Some(_) => Err(IdempotencyKeyReused),
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
    fn keys_are_printable_and_bounded() {
        assert!(IdempotencyKey::new("a".repeat(255)).is_ok());
        for bad in ["", "ü", "a\nb", &"a".repeat(256)] {
            assert!(IdempotencyKey::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_same_request_is_answered_again_and_another_refused_until_the_record_is_too_old() {
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
        assert_eq!(claim(other, 100).settle(Some(&record)), Err(IdempotencyKeyReused));
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
