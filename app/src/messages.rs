//! What to do on the command line about errors that the domain words alone do not say.

use patron_domain::tenancy::ApiKeyError;

use crate::failure::Failure;

/// The refusal of a key that was to be made or revoked.
pub(crate) fn of_key(error: ApiKeyError) -> Failure {
    match error {
        ApiKeyError::UnknownEnvironment => Failure::failed(format!("{error}; `patron environments list` shows them")),
        ApiKeyError::UnknownKey => Failure::failed(format!("{error}; `patron keys list` shows them")),
        other => Failure::failed(other),
    }
}
