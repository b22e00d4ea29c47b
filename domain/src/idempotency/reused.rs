//! Refusals of idempotency keys.

use crate::time::Timestamp;

/// The key was used for a different request, or the result under it was erased.
///
/// ```
/// use patron_domain::{
///     idempotency::{EarlierUse, Fingerprint, IdempotencyClaim, IdempotencyKey, IdempotencyRecord, Outcome},
///     testkit::{a_time, an_id},
///     time::Timestamp,
/// };
///
/// let fingerprint = Fingerprint::from_bytes([7; 32]);
/// let record = IdempotencyRecord { fingerprint, outcome: Outcome::Event(an_id(1)), at: a_time() };
/// let key = IdempotencyKey::new("key-1").unwrap();
/// let other = IdempotencyClaim { key, fingerprint: Fingerprint::from_bytes([8; 32]), since: Timestamp::UNIX_EPOCH };
/// let refused = other.settle(Some(&record)).unwrap_err();
/// assert_eq!(refused.earlier, Some(EarlierUse { at: a_time(), same_operation: false }));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", if *gone { GONE } else { REUSED })]
pub struct IdempotencyKeyReused {
    /// The request that used the key. `None` if its record does not tell.
    pub earlier: Option<EarlierUse>,
    /// Whether the result was erased, because its customer is suppressed or erased. Then the requests cannot be compared.
    pub gone: bool,
}

const REUSED: &str = "this idempotency key was used for a different request; use a new key for a new request";
const GONE: &str = "the result of the request with this idempotency key was erased; use a new key for a new request";

impl IdempotencyKeyReused {
    /// The result under the key was erased.
    #[must_use]
    pub const fn gone() -> Self {
        Self { earlier: None, gone: true }
    }
}

/// The request that used an idempotency key first.
///
/// ```
/// use patron_domain::{idempotency::EarlierUse, testkit::a_time};
///
/// // The same route, so the bodies differ.
/// let earlier = EarlierUse { at: a_time(), same_operation: true };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierUse {
    /// The time.
    pub at: Timestamp,
    /// Whether it had the same method and path with query. The two requests then differ in their bodies.
    pub same_operation: bool,
}
