//! Advice for the command line on errors whose domain message does not say what to do.

use patron_domain::tenancy::{ApiKeyError, TenantError};

use crate::failure::Failure;

/// The failure for a tenant that could not be suspended or resumed.
pub(crate) fn of_tenant(error: TenantError) -> Failure {
    match error {
        TenantError::Unknown => Failure::failed(format!("{error}; `patron tenants list` shows them")),
        other => Failure::failed(other),
    }
}

/// The failure for a key that could not be created or revoked.
pub(crate) fn of_key(error: ApiKeyError) -> Failure {
    match error {
        ApiKeyError::UnknownEnvironment => Failure::failed(format!("{error}; `patron environments list` shows them")),
        ApiKeyError::Expiry(error) => Failure::configuration(format!("--expires-at: {error}")),
        ApiKeyError::UnknownKey => Failure::failed(format!("{error}; `patron keys list` shows them")),
        other => Failure::failed(other),
    }
}
