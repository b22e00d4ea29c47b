//! One taxonomy for the errors of all operations, for adapters that send them over a protocol.

use crate::{
    audit::AuditError,
    custom_field::CustomFieldError,
    customer::{ChangeCustomerError, ReadError},
    event::{EventLogError, FollowError, LogTakenBack},
    idempotency::{IdempotencyKeyReused, OnceError},
    ids::RandomnessUnavailable,
    import::ImportError,
    privacy::PrivacyError,
    store::StoreError,
    tax::{
        BasisError, ChangeTaxDefaultError, ChangeTaxRateError, CreateTaxDefaultError, CreateTaxRateError,
        FindTaxRateError, TaxesOfError,
    },
    tenancy::{
        ApiKeyError, AuthenticateError, CreateEnvironmentError, EnvironmentError, KeyError, PermissionDenied,
        RotateKeyError, TenantError,
    },
    violation::Violations,
};

/// The kind of an error. All operations share these kinds.
///
/// ```
/// use patron_domain::{ErrorKind, OperationError, customer::ChangeCustomerError, testkit::an_id};
///
/// let taken = ChangeCustomerError::ExternalIdTaken { existing: an_id(1) };
/// assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
/// assert_eq!((taken.code(), taken.http_status()), ("already_exists", 409));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Fields break rules; [`OperationError::violations`] names them.
    Invalid,
    /// The search would have to compare too many objects.
    TooBroad,
    /// The state of the object forbids it.
    InvalidOperation,
    /// The caller was not authenticated.
    Unauthenticated,
    /// The caller lacks a permission.
    Denied,
    /// The caller's tenant is suspended.
    Suspended,
    /// The requested or referenced object does not exist in the caller's scope.
    NotFound,
    /// Another object has the value that must be unique.
    AlreadyExists,
    /// The external id belonged to a customer that is suppressed or erased.
    ErasedSubject,
    /// Something keeps a customer from being erased.
    ErasureBlocked,
    /// An erasure has begun and cannot be cancelled.
    ErasureBegun,
    /// The idempotency key was used for another request.
    KeyReused,
    /// A precondition failed.
    VersionConflict,
    /// The log no longer holds the event at which a reader stopped.
    LogTakenBack,
    /// The history that was asked for was removed.
    Gone,
    /// There were too many requests of this kind lately.
    TooManyRequests,
    /// The store is temporarily unavailable. The same operation may succeed later.
    Unavailable,
    /// A defect or a broken installation. The message is for the log, not for clients.
    Internal,
}

impl ErrorKind {
    /// All kinds.
    pub const ALL: [Self; 18] = [
        Self::Invalid,
        Self::TooBroad,
        Self::InvalidOperation,
        Self::Unauthenticated,
        Self::Denied,
        Self::Suspended,
        Self::NotFound,
        Self::AlreadyExists,
        Self::ErasedSubject,
        Self::ErasureBlocked,
        Self::ErasureBegun,
        Self::KeyReused,
        Self::VersionConflict,
        Self::LogTakenBack,
        Self::Gone,
        Self::TooManyRequests,
        Self::Unavailable,
        Self::Internal,
    ];

    /// A short, stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "validation_error",
            Self::TooBroad => "search_too_broad",
            Self::InvalidOperation => "invalid_operation",
            Self::Unauthenticated => "unauthenticated",
            Self::Denied => "permission_denied",
            Self::Suspended => "suspended",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::ErasedSubject => "erased_subject",
            Self::ErasureBlocked => "erasure_blocked",
            Self::ErasureBegun => "erasure_begun",
            Self::KeyReused => "idempotency_key_reused",
            Self::VersionConflict => "version_conflict",
            Self::LogTakenBack => "log_taken_back",
            Self::Gone => "gone",
            Self::TooManyRequests => "too_many_requests",
            Self::Unavailable => "service_unavailable",
            Self::Internal => "system_error",
        }
    }

    /// The HTTP status code (RFC 9110, section 15). This crate does not use HTTP; the codes are here so that all
    /// adapters return the same ones.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid | Self::TooBroad | Self::InvalidOperation => 400,
            Self::Unauthenticated => 401,
            Self::Denied | Self::Suspended => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::ErasedSubject | Self::ErasureBlocked | Self::ErasureBegun | Self::KeyReused => {
                409
            }
            Self::LogTakenBack | Self::Gone => 410,
            Self::VersionConflict => 412,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

/// An error of an operation. Every error that a service or repository returns implements it.
///
/// ```
/// use patron_domain::{ErrorKind, OperationError};
///
/// /// All that a handler needs to know about an error.
/// fn answer(error: &dyn OperationError) -> (u16, String) {
///     // Clients must not see internal details.
///     let is_internal = error.kind() == ErrorKind::Internal;
///     (error.http_status(), if is_internal { "something went wrong".to_owned() } else { error.to_string() })
/// }
///
/// use patron_domain::{customer::ReadError, store::StoreError};
/// assert_eq!(answer(&ReadError::from(StoreError::unavailable("busy"))).0, 503);
/// ```
pub trait OperationError: std::error::Error {
    /// The kind of the error.
    fn kind(&self) -> ErrorKind;

    /// The broken rules, if fields are invalid.
    fn violations(&self) -> Option<&Violations> {
        None
    }

    /// [`ErrorKind::code`].
    fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// [`ErrorKind::http_status`].
    fn http_status(&self) -> u16 {
        self.kind().http_status()
    }
}

/// Maps the variants of errors to kinds. Variants in brackets contain another error and have its kind; the variant in
/// parentheses contains violations.
macro_rules! operation_errors {
    ($($error:ident [$($inner:ident),*] $(($invalid:ident))? { $($kind:ident: $($variant:pat_param)|+,)* })+) => {$(
        impl $crate::OperationError for $error {
            fn kind(&self) -> $crate::ErrorKind {
                match self {
                    $(Self::$inner(error) => $crate::OperationError::kind(error),)*
                    $(Self::$invalid(_) => $crate::ErrorKind::Invalid,)?
                    $($($variant)|+ => $crate::ErrorKind::$kind,)*
                }
            }

            $(fn violations(&self) -> Option<&$crate::violation::Violations> {
                match self {
                    Self::$invalid(broken) => Some(broken),
                    _ => None,
                }
            })?
        }
    )+};
}

impl OperationError for Violations {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn violations(&self) -> Option<&Violations> {
        Some(self)
    }
}

impl OperationError for PermissionDenied {
    fn kind(&self) -> ErrorKind {
        if *self == Self::Suspended { ErrorKind::Suspended } else { ErrorKind::Denied }
    }
}

impl OperationError for IdempotencyKeyReused {
    fn kind(&self) -> ErrorKind {
        if self.gone { ErrorKind::Gone } else { ErrorKind::KeyReused }
    }
}

impl OperationError for LogTakenBack {
    fn kind(&self) -> ErrorKind {
        ErrorKind::LogTakenBack
    }
}

impl OperationError for RandomnessUnavailable {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

operation_errors! {
    StoreError [] {
        Unavailable: Self::Unavailable { .. } | Self::TooSlow,
        Internal: Self::Corrupt { .. } | Self::Failed { .. },
    }
    OnceError [KeyReused, Store] {}
    AuthenticateError [Denied, Store] { Unauthenticated: Self::Unauthenticated, }
    ReadError [Denied, Store] { TooBroad: Self::TooBroad { .. }, }
    AuditError [Denied, Store] {}
    CustomFieldError [Denied, KeyReused, Store] (Invalid) {
        NotFound: Self::Unknown,
        AlreadyExists: Self::KeyTaken { .. } | Self::Clash { .. },
        InvalidOperation: Self::TooMany | Self::Quota(_) | Self::InUse | Self::Purging,
        VersionConflict: Self::VersionConflict(_),
    }
    PrivacyError [Denied, KeyReused, Store] (Invalid) {
        NotFound: Self::UnknownCustomer | Self::UnknownRequest | Self::NoReceipt,
        AlreadyExists: Self::ExternalIdTaken { .. } | Self::ValueTaken { .. },
        ErasureBlocked: Self::Blocked(_),
        ErasureBegun: Self::Begun,
        VersionConflict: Self::VersionConflict(_),
        Internal: Self::Keys(_),
    }
    EventLogError [TakenBack, Store] {}
    FollowError [Denied, TakenBack, Store] {}
    ChangeCustomerError [Denied, KeyReused, Store] (Invalid) {
        InvalidOperation: Self::Forbidden(_) | Self::Quota(_),
        NotFound: Self::UnknownCustomer | Self::UnknownMapping | Self::UnknownItem { .. } | Self::UnknownAssociation
            | Self::UnknownTaxRates(_) | Self::NotHeld,
        AlreadyExists: Self::ExternalIdTaken { .. } | Self::AlreadyAssociated { .. } | Self::CustomFieldTaken { .. },
        ErasedSubject: Self::ErasedSubject,
        VersionConflict: Self::VersionConflict { .. },
    }
    FindTaxRateError [Denied, Store] {}
    TaxesOfError [Denied, Store] (Invalid) { NotFound: Self::UnknownCustomer, Gone: Self::HistoryRemoved, }
    BasisError [Store] { Gone: Self::Removed, }
    CreateTaxRateError [Denied, KeyReused, Store] (Invalid) {
        AlreadyExists: Self::CodeTaken { .. },
    }
    ChangeTaxRateError [Denied, KeyReused, Store] (Invalid) {
        NotFound: Self::Unknown | Self::UnknownChange,
        InvalidOperation: Self::Archived | Self::InUse | Self::HasChanges | Self::HasBegun | Self::TooMany { .. },
        AlreadyExists: Self::CodeTaken { .. } | Self::SameTime { .. },
        VersionConflict: Self::VersionConflict(_),
    }
    CreateTaxDefaultError [Denied, KeyReused, Store] (Invalid) {
        NotFound: Self::UnknownRate,
        AlreadyExists: Self::AlreadyAssociated { .. },
    }
    ChangeTaxDefaultError [Denied, KeyReused, Store] (Invalid) {
        NotFound: Self::Unknown,
        InvalidOperation: Self::Archived,
        AlreadyExists: Self::AlreadyAssociated { .. },
        VersionConflict: Self::VersionConflict(_),
    }
    ImportError [Denied, Store] {
        NotFound: Self::Unknown,
        InvalidOperation: Self::Forbidden(_) | Self::Quota(_),
        AlreadyExists: Self::AlreadyImported { .. },
    }
    CreateEnvironmentError [KeyReused, Store] { NotFound: Self::UnknownTenant, }
    EnvironmentError [Denied, KeyReused, Store] (Invalid) {
        NotFound: Self::Unknown,
        VersionConflict: Self::VersionConflict(_),
    }
    KeyError [Denied, KeyReused, Randomness, Store] (Invalid) {
        NotFound: Self::UnknownEnvironment | Self::UnknownKey,
        InvalidOperation: Self::NotRotated(_),
    }
    ApiKeyError [Randomness, Store] {
        NotFound: Self::UnknownEnvironment | Self::UnknownKey,
        Invalid: Self::Expiry(_),
        InvalidOperation: Self::NotRotated(_),
    }
    RotateKeyError [KeyReused, Store] {
        NotFound: Self::Unknown,
        InvalidOperation: Self::Ended(_),
    }
    TenantError [Store] { NotFound: Self::Unknown, }
}

#[cfg(feature = "webhooks")]
mod of_webhooks {
    use crate::{
        onboarding::OnboardingError,
        webhook::{VaultError, WebhookError},
    };

    operation_errors! {
        VaultError [Randomness] { Internal: Self::Sealed, }
        WebhookError [Denied, KeyReused, Vault, Store] (Invalid) {
            NotFound: Self::UnknownEndpoint | Self::UnknownEvent,
            InvalidOperation: Self::TooManyEndpoints | Self::Quota(_) | Self::TooManyEvents,
            VersionConflict: Self::VersionConflict(_),
            TooManyRequests: Self::TooManyReplays { .. },
        }
        OnboardingError [Denied, KeyReused, Vault, Store] {
            NotFound: Self::UnknownWorkflow | Self::UnknownRun,
            InvalidOperation: Self::Forbidden(_) | Self::Quota(_),
            VersionConflict: Self::VersionConflict(_),
            Invalid: Self::ForeignToken(_),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tenancy::Permission;

    #[test]
    fn every_kind_has_its_own_code() {
        let codes: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn a_wrapped_error_keeps_its_kind_and_its_violations() {
        let denied = ChangeCustomerError::from(PermissionDenied::Role(Permission::Write));
        assert_eq!((denied.kind(), denied.violations()), (ErrorKind::Denied, None));
        let mut broken = Violations::new();
        broken.add("name", &crate::tenancy::NoRole);
        let invalid = CreateTaxRateError::from(broken.clone());
        assert_eq!((invalid.http_status(), invalid.violations()), (400, Some(&broken)));
        let reused = EnvironmentError::from(OnceError::from(IdempotencyKeyReused::default()));
        assert_eq!(reused.code(), "idempotency_key_reused");
    }
}
