//! Errors of operations on definitions.

use crate::{
    idempotency::{IdempotencyKeyReused, from_once_error},
    ids::{CustomFieldId, CustomerId},
    lifecycle::VersionConflict,
    store::StoreError,
    tenancy::{PermissionDenied, Quota, QuotaReached, Quoted},
    violation::Violations,
};

/// The maximum number of definitions in an environment.
pub const MAX_CUSTOM_FIELDS: u64 = 100;

/// The maximum number of customers that [`CustomFieldError::Clash`] names.
pub const MAX_NAMED_CLASHES: u16 = 10;

/// Why an operation on the definition of a custom field failed.
///
/// ```
/// use patron_domain::{ErrorKind, OperationError, custom_field::CustomFieldError, testkit::an_id};
///
/// assert_eq!(CustomFieldError::Clash { customers: vec![an_id(1), an_id(2)] }.kind(), ErrorKind::AlreadyExists);
/// assert_eq!(CustomFieldError::InUse.kind(), ErrorKind::InvalidOperation);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomFieldError {
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The caller's environment has no such field.
    #[error("no custom field has this key")]
    Unknown,
    /// The environment has a field with this key.
    #[error("a custom field with this key already exists; use another key, or update the existing field")]
    KeyTaken {
        /// The other definition's id.
        existing: CustomFieldId,
    },
    /// The environment has the maximum number of fields.
    #[error("an environment can have at most {max} custom fields; delete one that is no longer used", max = MAX_CUSTOM_FIELDS)]
    TooMany,
    /// The environment has as many fields as its quota allows.
    #[error(transparent)]
    Quota(#[from] QuotaReached),
    /// Customers have values of the field.
    #[error("customers have values in this custom field; delete it with purge, which removes them, or keep it")]
    InUse,
    /// The field is being deleted.
    #[error("the custom field is being deleted; repeat the deletion with purge until it is done")]
    Purging,
    /// Published customers have the same value, so the field cannot become unique.
    #[error("several customers have the same value in this custom field; change their values first")]
    Clash {
        /// Some of these customers, in the order of their ids: at most [`MAX_NAMED_CLASHES`].
        customers: Vec<CustomerId>,
    },
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The definition is not at the version that the client expects.
    #[error(transparent)]
    VersionConflict(#[from] VersionConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(CustomFieldError);

/// Checks whether an environment with `count` definitions may get one more.
///
/// ```
/// use patron_domain::{custom_field::{CustomFieldError, MAX_CUSTOM_FIELDS, check_custom_fields}, tenancy::Quota};
///
/// assert!(check_custom_fields(1, Quota::of(2)).is_ok());
/// assert!(matches!(check_custom_fields(2, Quota::of(2)), Err(CustomFieldError::Quota(_))));
/// assert_eq!(check_custom_fields(MAX_CUSTOM_FIELDS, Quota::UNLIMITED), Err(CustomFieldError::TooMany));
/// ```
///
/// # Errors
/// [`CustomFieldError::TooMany`] at [`MAX_CUSTOM_FIELDS`], and [`CustomFieldError::Quota`] when the quota is reached.
pub fn check_custom_fields(count: u64, quota: Quota) -> Result<(), CustomFieldError> {
    if count >= MAX_CUSTOM_FIELDS {
        return Err(CustomFieldError::TooMany);
    }
    Ok(quota.admit(Quoted::CustomFields, count)?)
}
