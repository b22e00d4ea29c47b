//! Errors of erasing.

use crate::{
    custom_field::CustomFieldKey,
    idempotency::{IdempotencyKeyReused, from_once_error},
    ids::CustomerId,
    lifecycle::VersionConflict,
    store::StoreError,
    tenancy::PermissionDenied,
    violation::Violations,
    words::words,
};

/// What keeps a customer from being erased.
///
/// ```
/// use patron_domain::privacy::Blocking;
///
/// assert_eq!(Blocking::LegalHold.as_str(), "legal_hold");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blocking {
    /// A legal hold is in force.
    LegalHold,
    /// An import of the environment still has its file, which may name the customer.
    ImportRunning,
}

words!(Blocking, "legal_hold, import_running", LegalHold => "legal_hold", ImportRunning => "import_running");

/// The reasons as a text, each with its remedy.
fn reasons(blocking: &[Blocking]) -> String {
    let reason = |blocking: &Blocking| match blocking {
        Blocking::LegalHold => "it is on legal hold; remove the hold first",
        Blocking::ImportRunning => "an import has not ended; wait for its end, or cancel it",
    };
    blocking.iter().map(reason).collect::<Vec<_>>().join("; ")
}

/// The keys of the installation cannot be used.
///
/// ```
/// use patron_domain::privacy::KeysUnavailable;
///
/// assert!(KeysUnavailable.to_string().starts_with("the keys for erasures"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keys for erasures and receipts cannot be opened with the configured secrets key")]
pub struct KeysUnavailable;

/// Why an operation about an erasure failed.
///
/// ```
/// use patron_domain::{ErrorKind, OperationError, privacy::{Blocking, PrivacyError}};
///
/// let blocked = PrivacyError::Blocked(vec![Blocking::LegalHold]);
/// assert_eq!(blocked.kind(), ErrorKind::ErasureBlocked);
/// assert_eq!(blocked.to_string(), "the customer cannot be erased: it is on legal hold; remove the hold first");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivacyError {
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// There is no such customer.
    #[error("there is no such customer")]
    UnknownCustomer,
    /// There is no such request.
    #[error("there is no deletion request with this id")]
    UnknownRequest,
    /// The request is not completed.
    #[error("there is no receipt yet: the erasure is not completed")]
    NoReceipt,
    /// Something keeps the customer from being erased.
    #[error("the customer cannot be erased: {}", reasons(.0))]
    Blocked(Vec<Blocking>),
    /// The redaction has begun.
    #[error("the erasure has begun and cannot be cancelled")]
    Begun,
    /// Another published customer has the external id now.
    #[error("another customer has the external_id now; change or archive that customer first")]
    ExternalIdTaken {
        /// The other customer's id.
        existing: CustomerId,
    },
    /// Another published customer has a unique value of the customer now.
    #[error("another customer has the value in a custom field whose values are unique; change that customer first")]
    ValueTaken {
        /// The field.
        key: CustomFieldKey,
        /// The other customer's id.
        existing: CustomerId,
    },
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The request is not at the version that the client expects.
    #[error(transparent)]
    VersionConflict(#[from] VersionConflict),
    /// The keys of the installation cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(PrivacyError);
