//! What clients are told of an error where the domain's own words do not say what to do about it over HTTP.
//!
//! The domain says what is wrong; headers, parameters and keys are this adapter's to name.

use patron_domain::tenancy::{Permission, PermissionDenied};

/// Nobody was recognised.
pub(crate) const UNAUTHENTICATED: &str = "a valid API key is needed: send it in the header x-api-key";

/// The idempotency key stands for another request.
pub(crate) const KEY_REUSED: &str =
    "this Idempotency-Key was used with another request; send a new key with a new request";

/// The precondition does not hold.
pub(crate) const VERSION_CONFLICT: &str =
    "the customer has changed since; read it again, and repeat the change with its current ETag";

/// The caller may not do it.
pub(crate) fn denied(error: &PermissionDenied) -> String {
    let message = match error {
        PermissionDenied::Role(Permission::Read) => {
            "this API key may not read; use one with the role all_reader, all_writer or super_admin"
        }
        PermissionDenied::Role(Permission::Write) => {
            "this API key may only read; use one with the role all_writer or super_admin"
        }
        PermissionDenied::Role(Permission::Administer) => "this needs an API key with the role super_admin",
        PermissionDenied::MoreThanOwn => {
            "this API key cannot make one that may do more than it may itself; leave out the roles that it lacks"
        }
        PermissionDenied::Environment => {
            "this API key belongs to another environment than X-Environment-ID names; use that environment's key or \
             leave the header out"
        }
        other => return other.to_string(),
    };
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_which_key_or_header_is_meant() {
        let roles = [Permission::Read, Permission::Write, Permission::Administer].map(PermissionDenied::Role);
        for error in roles.into_iter().chain([PermissionDenied::MoreThanOwn, PermissionDenied::Environment]) {
            assert!(denied(&error).contains("API key"), "{error}");
            assert!(!error.to_string().contains("API key"), "{error}");
        }
    }
}
