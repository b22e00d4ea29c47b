//! Errors of operations on environments and keys.

use crate::{
    idempotency::{IdempotencyKeyReused, from_once_error},
    ids::RandomnessUnavailable,
    lifecycle::VersionConflict,
    store::StoreError,
    tenancy::{EnvironmentType, NotRotated, PermissionDenied, RotateKeyError},
    violation::{Rule, Violations},
};

/// Why an operation on environments failed.
///
/// ```
/// use patron_domain::{store::StoreError, tenancy::EnvironmentError};
///
/// let failed = EnvironmentError::from(StoreError::unavailable("busy"));
/// assert_ne!(failed, EnvironmentError::Unknown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The caller's tenant has no such environment.
    #[error("there is no environment with this id")]
    Unknown,
    /// The environment is not at the version that the client expects.
    #[error(transparent)]
    VersionConflict(#[from] VersionConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an operation on keys failed.
///
/// ```
/// use patron_domain::{store::StoreError, tenancy::KeyError};
///
/// let failed = KeyError::from(StoreError::unavailable("busy"));
/// assert_ne!(failed, KeyError::UnknownKey);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The caller's tenant has no such environment.
    #[error("there is no environment with this id")]
    UnknownEnvironment,
    /// The caller's tenant has no such key.
    #[error("there is no API key with this id")]
    UnknownKey,
    /// The key to be replaced is no longer valid.
    #[error(transparent)]
    NotRotated(#[from] NotRotated),
    /// No secret could be generated.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(EnvironmentError, KeyError);

impl From<RotateKeyError> for KeyError {
    fn from(error: RotateKeyError) -> Self {
        match error {
            RotateKeyError::Unknown => Self::UnknownKey,
            RotateKeyError::Ended(error) => error.into(),
            RotateKeyError::KeyReused(reused) => reused.into(),
            RotateKeyError::Store(error) => error.into(),
        }
    }
}

/// The request would change the type of an environment.
#[derive(Debug, thiserror::Error)]
#[error("type cannot change, and this environment's type is {0}; leave it out, or create another environment")]
pub(super) struct FixedType(pub(super) EnvironmentType);

impl Rule for FixedType {
    fn rule(&self) -> &'static str {
        "fixed"
    }
}
