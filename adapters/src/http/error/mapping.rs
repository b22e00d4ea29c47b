//! Conversion of the domain's errors to errors of the API.

use patron_domain::{
    ErrorKind,
    audit::AuditError,
    customer::{ChangeCustomerError, ReadError},
    event::FollowError,
    lifecycle::VersionConflict,
    privacy::PrivacyError,
    store::StoreError,
    tenancy::{EnvironmentError, KeyError, PermissionDenied},
};

use super::{ApiError, NO_SUCH_RATE};
use crate::http::{CallerError, messages};

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } | StoreError::TooSlow => {
                tracing::warn!(%error, "answered 503");
                Self::unavailable()
            }
            other => Self::unforeseen(&other),
        }
    }
}

impl From<PermissionDenied> for ApiError {
    fn from(error: PermissionDenied) -> Self {
        Self::denied(error)
    }
}

impl From<CallerError> for ApiError {
    fn from(error: CallerError) -> Self {
        match error {
            CallerError::Unauthenticated => Self::unauthenticated(),
            CallerError::Denied(error) => error.into(),
            CallerError::Invalid(broken) => broken.into(),
            CallerError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeCustomerError> for ApiError {
    fn from(error: ChangeCustomerError) -> Self {
        let message = error.to_string();
        match error {
            ChangeCustomerError::Denied(error) => error.into(),
            ChangeCustomerError::Invalid(violations) => violations.into(),
            ChangeCustomerError::Forbidden(_) | ChangeCustomerError::Quota(_) => Self::invalid_operation(message),
            ChangeCustomerError::UnknownCustomer
            | ChangeCustomerError::UnknownMapping
            | ChangeCustomerError::UnknownItem { .. }
            | ChangeCustomerError::UnknownAssociation => Self::not_found(message),
            ChangeCustomerError::UnknownTaxRates(codes) => codes
                .into_iter()
                .fold(Self::not_found(message), |error, (path, _)| error.names_nothing(path, NO_SUCH_RATE)),
            ChangeCustomerError::ExternalIdTaken { existing } => {
                Self::already_exists("external_id", message, existing.to_string())
            }
            ChangeCustomerError::CustomFieldTaken { key, existing } => {
                Self::already_exists(&key.path(), message, existing.to_string())
            }
            ChangeCustomerError::AlreadyAssociated { existing } => {
                Self::already_exists("tax_rate_code", message, existing.to_string())
            }
            ChangeCustomerError::ErasedSubject => Self::erased_subject(),
            ChangeCustomerError::NotHeld => Self::not_found(message),
            ChangeCustomerError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            ChangeCustomerError::VersionConflict { current } => Self::version_conflict(current),
            ChangeCustomerError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<FollowError> for ApiError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Denied(error) => error.into(),
            FollowError::TakenBack(error) => Self::of(ErrorKind::LogTakenBack, messages::log_taken_back(&error))
                .fact("resume_from", error.resume_from.to_string()),
            FollowError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(error) => error.into(),
            ReadError::TooBroad { ref filter } => Self::too_broad(filter, error.to_string()),
            ReadError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<AuditError> for ApiError {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Denied(error) => error.into(),
            AuditError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<PrivacyError> for ApiError {
    fn from(error: PrivacyError) -> Self {
        let message = error.to_string();
        match error {
            PrivacyError::Denied(error) => error.into(),
            PrivacyError::Invalid(violations) => violations.into(),
            PrivacyError::UnknownCustomer | PrivacyError::UnknownRequest | PrivacyError::NoReceipt => {
                Self::not_found(message)
            }
            PrivacyError::Blocked(blocking) => Self::erasure_blocked(&blocking, message),
            PrivacyError::Begun => Self::of(ErrorKind::ErasureBegun, message),
            PrivacyError::ExternalIdTaken { existing } => {
                Self::already_exists("external_id", message, existing.to_string())
            }
            PrivacyError::ValueTaken { key, existing } => {
                Self::already_exists(&key.path(), message, existing.to_string())
            }
            PrivacyError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            PrivacyError::VersionConflict(conflict) => conflict.into(),
            PrivacyError::Keys(error) => {
                tracing::error!(%error, "answered 503; add the key with which they were sealed to PATRON_SECRETS_KEY");
                Self::unavailable()
            }
            PrivacyError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<VersionConflict> for ApiError {
    fn from(conflict: VersionConflict) -> Self {
        Self::version_conflict(conflict.current)
    }
}

impl From<EnvironmentError> for ApiError {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Denied(error) => error.into(),
            EnvironmentError::Invalid(violations) => violations.into(),
            EnvironmentError::Unknown => Self::not_found(error.to_string()),
            EnvironmentError::VersionConflict(conflict) => conflict.into(),
            EnvironmentError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            EnvironmentError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Denied(error) => error.into(),
            KeyError::Invalid(violations) => violations.into(),
            KeyError::UnknownEnvironment => {
                Self::not_found(error.to_string()).names_nothing("environment_id", error.to_string())
            }
            KeyError::UnknownKey => Self::not_found(error.to_string()),
            KeyError::NotRotated(error) => Self::invalid_operation(error.to_string()),
            KeyError::Randomness(error) => {
                tracing::error!(%error, "answered 500");
                Self::system_error()
            }
            KeyError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            KeyError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        OperationError, custom_field::CustomFieldKey, customer::InvalidOperation, idempotency::IdempotencyKeyReused,
        ids::CustomerId, tenancy::Permission, violation::Violations,
    };

    use super::*;

    #[test]
    fn an_error_has_the_status_and_the_code_of_its_kind() {
        let id = CustomerId::from_u128(7);
        let errors = [
            ChangeCustomerError::Denied(PermissionDenied::Role(Permission::Write)),
            ChangeCustomerError::Invalid(Violations::new()),
            ChangeCustomerError::Forbidden(InvalidOperation::Archived),
            ChangeCustomerError::UnknownCustomer,
            ChangeCustomerError::UnknownTaxRates(Vec::new()),
            ChangeCustomerError::ExternalIdTaken { existing: id },
            ChangeCustomerError::CustomFieldTaken { key: CustomFieldKey::new("code").unwrap(), existing: id },
            ChangeCustomerError::KeyReused(IdempotencyKeyReused::default()),
            ChangeCustomerError::VersionConflict { current: None },
            ChangeCustomerError::Store(StoreError::unavailable("busy")),
            ChangeCustomerError::Store(StoreError::Failed { reason: "broken".to_owned() }),
        ];
        for error in errors {
            let wanted = (error.http_status(), error.code());
            let answered = ApiError::from(error);
            assert_eq!((answered.status().code, answered.code()), wanted);
        }
    }
}
