//! Messages about errors whose domain message does not say what to do about them over HTTP.
//!
//! The domain says what is wrong. This adapter names the headers, parameters and keys.

use patron_domain::{
    event::LogTakenBack,
    idempotency::{EarlierUse, IdempotencyKeyReused},
    onboarding::StepFailure,
    tenancy::{Permission, PermissionDenied},
    webhook::{NotCalled, SendFailure},
};

/// The API key is missing or invalid.
pub(crate) const NO_KEY: &str = "a valid API key is required: send it in the header x-api-key";

/// The request has two keys.
pub(crate) const TWO_KEYS: &str =
    "the request has two different API keys, in x-api-key and Authorization; send one of them";

/// The caller could not be identified, outside an API.
pub(crate) const UNAUTHENTICATED: &str = "the caller could not be identified";

/// The idempotency key was used for another request.
pub(crate) fn key_reused(reused: IdempotencyKeyReused) -> String {
    if reused.gone {
        return "the answer under this Idempotency-Key was about a customer whose deletion was requested; send a new key \
                with each new request"
            .to_owned();
    }
    let earlier = match reused.earlier {
        Some(EarlierUse { at, same_operation: true }) => format!(" at {at}, to the same route but with another body"),
        Some(EarlierUse { at, same_operation: false }) => format!(" at {at}, to another route"),
        None => String::new(),
    };
    format!("this Idempotency-Key was used for another request{earlier}; send a new key with each new request")
}

/// The external id belonged to an erased customer.
pub(crate) const ERASED_SUBJECT: &str = "this external_id belonged to a customer whose deletion was requested; send \"confirm_new_subject\": true if this is \
     another customer, or use another external_id";

/// The precondition failed.
pub(crate) const VERSION_CONFLICT: &str =
    "the object was changed in the meantime; read it again, and repeat the change with its current ETag";

/// The cursor belongs to events that the log no longer holds.
pub(crate) fn log_taken_back(error: &LogTakenBack) -> String {
    format!(
        "{error}, because the database was restored or failed over; continue with the cursor in details.resume_from"
    )
}

/// An address that this server does not call.
pub(crate) fn not_called(reason: NotCalled) -> String {
    match reason {
        NotCalled::Private => format!(
            "{reason}: use a public one, or start the server with PATRON_WEBHOOKS_ALLOW_PRIVATE=true (for development)"
        ),
        NotCalled::PlainHttp => format!(
            "{reason}: use https, or start the server with PATRON_WEBHOOKS_ALLOW_HTTP=true (for a host on a private \
             network PATRON_WEBHOOKS_ALLOW_PRIVATE=true)"
        ),
        NotCalled::Never => format!("{reason}: PATRON_WEBHOOKS_NEVER_CALL names it"),
    }
}

/// A call without a response.
pub(crate) fn send_failure(failure: SendFailure) -> String {
    match failure {
        SendFailure::AddressRefused => format!(
            "{}; PATRON_WEBHOOKS_ALLOW_PRIVATE and PATRON_WEBHOOKS_ALLOW_HTTP allow the last two",
            failure.explanation()
        ),
        other => other.explanation().to_owned(),
    }
}

/// A step of an onboarding that failed.
pub(crate) fn step_failure(failure: &StepFailure) -> String {
    match failure {
        StepFailure::Send(failure) => send_failure(*failure),
        StepFailure::Secret => format!("{failure}; add the key to PATRON_SECRETS_KEY"),
        other => other.to_string(),
    }
}

/// The request took too long.
pub(crate) const TOO_LATE: &str = "the request took too long, and it is not known whether a change was made; try again \
                                   shortly, and repeat a change with the same Idempotency-Key";

/// The API key lacks a permission.
pub(crate) fn key_denied(error: &PermissionDenied) -> String {
    let message = match error {
        PermissionDenied::Role(Permission::Write) => {
            "this API key may not write; use one with the role all_writer or super_admin"
        }
        PermissionDenied::Role(permission) => {
            return format!("this API key may not do this; use one with the role {}", permission.roles());
        }
        PermissionDenied::MoreThanOwn => {
            "this API key cannot create one with more permissions than its own; omit the roles that it lacks"
        }
        PermissionDenied::Suspended => "the tenant of this API key is suspended; ask the operator of this server",
        PermissionDenied::Network => {
            "this API key is not allowed from this address; use it from one of its networks, or use another key"
        }
        PermissionDenied::Environment => {
            "this API key does not belong to the environment in X-Environment-ID; use a key of that environment, or \
             omit the header"
        }
        other => return other.to_string(),
    };
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_denial_names_the_api_key() {
        let roles = Permission::ALL.map(PermissionDenied::Role);
        for error in roles.into_iter().chain([
            PermissionDenied::MoreThanOwn,
            PermissionDenied::Environment,
            PermissionDenied::Suspended,
            PermissionDenied::Network,
        ]) {
            assert!(key_denied(&error).contains("API key"), "{error}");
            assert!(!error.to_string().contains("API key"), "{error}");
        }
    }
}
