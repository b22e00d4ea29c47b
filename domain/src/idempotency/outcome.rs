//! The stored outcome of a request with a key, which repeated requests get again.

use super::{Answer, IdempotencyKeyReused, KeptAnswer};
use crate::{ids::EventId, store::StoreError};

/// The outcome of a request, from which its response can be built again.
///
/// ```
/// use patron_domain::{idempotency::Outcome, testkit::{an_environment, an_id}};
///
/// let of_a_customer = Outcome::Event(an_id(1));
/// let of_an_environment = Outcome::kept(&an_environment());
/// assert_ne!(of_a_customer, of_an_environment);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An event, whose state is the result.
    Event(EventId),
    /// The result itself, for requests without events.
    Kept(KeptAnswer),
    /// It was erased, with the personal data of a customer.
    Gone,
}

impl Outcome {
    /// The outcome of a result.
    #[must_use]
    pub fn kept(answer: &impl Answer) -> Self {
        Self::Kept(answer.to_kept())
    }
}

/// The result of a request, or of an earlier request with the same key.
///
/// ```
/// use patron_domain::{idempotency::Done, testkit::an_environment};
///
/// assert!(!Done::now(an_environment()).replayed);
/// assert!(Done::before(an_environment()).replayed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// The result of the first request.
    pub value: T,
    /// Whether this is the stored result of an earlier request, so nothing was done now.
    pub replayed: bool,
}

impl<T> Done<T> {
    /// A result of work done now.
    pub fn now(value: T) -> Self {
        Self { value, replayed: false }
    }

    /// A stored result.
    pub fn before(value: T) -> Self {
        Self { value, replayed: true }
    }
}

/// Why work with an idempotency key failed.
///
/// ```
/// use patron_domain::idempotency::{IdempotencyKeyReused, OnceError};
///
/// assert_eq!(OnceError::from(IdempotencyKeyReused::default()).to_string(), IdempotencyKeyReused::default().to_string());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError {
    /// The key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Implements the conversion of [`OnceError`] into errors with the variants `KeyReused` and `Store`.
macro_rules! from_once_error {
    ($($error:ident),+) => {$(
        impl From<crate::idempotency::OnceError> for $error {
            fn from(error: crate::idempotency::OnceError) -> Self {
                match error {
                    crate::idempotency::OnceError::KeyReused(reused) => reused.into(),
                    crate::idempotency::OnceError::Store(error) => error.into(),
                }
            }
        }
    )+};
}

pub(crate) use from_once_error;
