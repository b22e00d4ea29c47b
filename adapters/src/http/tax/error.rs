//! Conversion of errors about taxes to errors of the API.

use patron_domain::{
    ErrorKind,
    customer::{ChangeCustomerError, InvalidOperation},
    tax::{
        ChangeTaxDefaultError, ChangeTaxRateError, CreateTaxDefaultError, CreateTaxRateError, FindTaxRateError,
        NamedCustomer, TaxesOfError,
    },
};

use crate::http::{
    error::{ApiError, NO_SUCH_RATE},
    references::no_customer,
};

impl From<CreateTaxRateError> for ApiError {
    fn from(error: CreateTaxRateError) -> Self {
        let message = error.to_string();
        match error {
            CreateTaxRateError::Denied(error) => error.into(),
            CreateTaxRateError::Invalid(violations) => violations.into(),
            CreateTaxRateError::CodeTaken { existing } => Self::already_exists("code", message, existing.to_string()),
            CreateTaxRateError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            CreateTaxRateError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<ChangeTaxRateError> for ApiError {
    fn from(error: ChangeTaxRateError) -> Self {
        let message = error.to_string();
        match error {
            ChangeTaxRateError::Denied(error) => error.into(),
            ChangeTaxRateError::Unknown => Self::not_found(message),
            ChangeTaxRateError::Invalid(violations) => violations.into(),
            ChangeTaxRateError::UnknownChange => Self::not_found(message),
            ChangeTaxRateError::Archived
            | ChangeTaxRateError::InUse
            | ChangeTaxRateError::HasChanges
            | ChangeTaxRateError::HasBegun
            | ChangeTaxRateError::TooMany { .. } => Self::invalid_operation(message),
            ChangeTaxRateError::SameTime { existing } => {
                Self::already_exists("effective_from", message, existing.to_string())
            }
            ChangeTaxRateError::CodeTaken { existing } => Self::already_exists("code", message, existing.to_string()),
            ChangeTaxRateError::VersionConflict(conflict) => conflict.into(),
            ChangeTaxRateError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            ChangeTaxRateError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<FindTaxRateError> for ApiError {
    fn from(error: FindTaxRateError) -> Self {
        match error {
            FindTaxRateError::Denied(error) => error.into(),
            FindTaxRateError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<TaxesOfError> for ApiError {
    fn from(error: TaxesOfError) -> Self {
        match error {
            TaxesOfError::Denied(error) => error.into(),
            TaxesOfError::Invalid(violations) => violations.into(),
            TaxesOfError::UnknownCustomer => Self::not_found(error.to_string()),
            TaxesOfError::HistoryRemoved => Self::of(ErrorKind::Gone, error.to_string()),
            TaxesOfError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<CreateTaxDefaultError> for ApiError {
    fn from(error: CreateTaxDefaultError) -> Self {
        let message = error.to_string();
        match error {
            CreateTaxDefaultError::Denied(error) => error.into(),
            CreateTaxDefaultError::Invalid(violations) => violations.into(),
            CreateTaxDefaultError::UnknownRate => unknown_rate(),
            CreateTaxDefaultError::AlreadyAssociated { existing } => {
                Self::already_exists("tax_rate_code", message, existing.to_string())
            }
            CreateTaxDefaultError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            CreateTaxDefaultError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<ChangeTaxDefaultError> for ApiError {
    fn from(error: ChangeTaxDefaultError) -> Self {
        let message = error.to_string();
        match error {
            ChangeTaxDefaultError::Denied(error) => error.into(),
            ChangeTaxDefaultError::Unknown => Self::not_found(message),
            ChangeTaxDefaultError::Invalid(violations) => violations.into(),
            ChangeTaxDefaultError::AlreadyAssociated { existing } => {
                Self::already_exists("start_date", message, existing.to_string())
            }
            ChangeTaxDefaultError::Archived => Self::invalid_operation(message),
            ChangeTaxDefaultError::VersionConflict(conflict) => conflict.into(),
            ChangeTaxDefaultError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            ChangeTaxDefaultError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

/// 404 for the `tax_rate_code` of a request.
fn unknown_rate() -> ApiError {
    ApiError::not_found(NO_SUCH_RATE).names_nothing("tax_rate_code", NO_SUCH_RATE)
}

/// The error of a list for the customer in its query.
pub(super) fn of_named(error: TaxesOfError, named: &NamedCustomer) -> ApiError {
    match error {
        TaxesOfError::UnknownCustomer => ApiError::unknown(no_customer(named)),
        error => error.into(),
    }
}

/// The error of a new association of a customer.
pub(super) fn of_association(error: ChangeCustomerError) -> ApiError {
    match error {
        ChangeCustomerError::UnknownTaxRates(_) => unknown_rate(),
        // The request names the customer. An archived one is as unknown here as one that never existed.
        ChangeCustomerError::UnknownCustomer | ChangeCustomerError::Forbidden(InvalidOperation::Archived) => {
            TaxesOfError::UnknownCustomer.into()
        }
        error => error.into(),
    }
}

/// The error of a change of a customer's association that exists or existed.
pub(super) fn of_association_change(error: ChangeCustomerError) -> ApiError {
    match error {
        ChangeCustomerError::UnknownAssociation => ChangeTaxDefaultError::Archived.into(),
        error => error.into(),
    }
}
