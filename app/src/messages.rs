//! Advice for the command line on errors whose domain message does not say what to do.

use patron_domain::tenancy::ApiKeyError;

use crate::failure::Failure;

/// The failure for a key that could not be created or revoked.
pub(crate) fn of_key(error: ApiKeyError) -> Failure {
    match error {
        ApiKeyError::UnknownEnvironment => Failure::failed(format!("{error}; `patron environments list` shows them")),
        ApiKeyError::UnknownKey => Failure::failed(format!("{error}; `patron keys list` shows them")),
        other => Failure::failed(other),
    }
}
