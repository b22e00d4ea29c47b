//! What came of a request under a key: enough to answer it again.

use super::{Answer, IdempotencyKeyReused, KeptAnswer};
use crate::{ids::EventId, store::StoreError};

/// What came of a request: by this it is answered again.
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
    /// An event, whose state is what was answered.
    Event(EventId),
    /// The answer itself, of what has no events.
    Kept(KeptAnswer),
}

impl Outcome {
    /// An answer, kept.
    #[must_use]
    pub fn kept(answer: &impl Answer) -> Self {
        Self::Kept(answer.to_kept())
    }
}

/// What a request made, or a request of the same key before it.
///
/// ```
/// use patron_domain::{idempotency::Done, testkit::an_environment};
///
/// assert!(!Done::now(an_environment()).replayed);
/// assert!(Done::before(an_environment()).replayed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// What is answered: as the request left it, the first time.
    pub value: T,
    /// Whether it was done before, and not now.
    pub replayed: bool,
}

impl<T> Done<T> {
    /// Done just now.
    pub fn now(value: T) -> Self {
        Self { value, replayed: false }
    }

    /// Done before.
    pub fn before(value: T) -> Self {
        Self { value, replayed: true }
    }
}

/// Why something that is done once under a key was not done.
///
/// ```
/// use patron_domain::idempotency::{IdempotencyKeyReused, OnceError};
///
/// assert_eq!(OnceError::from(IdempotencyKeyReused).to_string(), IdempotencyKeyReused.to_string());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError {
    /// The key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Has errors say in their own variants, `KeyReused` and `Store`, why something was not done once.
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
