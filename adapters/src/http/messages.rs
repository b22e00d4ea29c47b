//! Messages about errors whose domain message does not say what to do about them over HTTP.
//!
//! The domain says what is wrong. This adapter names the headers, parameters and keys.

use patron_domain::tenancy::{Permission, PermissionDenied};

/// The caller could not be identified.
pub(crate) const UNAUTHENTICATED: &str = "a valid API key is required: send it in the header x-api-key";

/// The idempotency key was used for another request.
pub(crate) const KEY_REUSED: &str =
    "this Idempotency-Key was used for another request; send a new key with each new request";

/// The precondition failed.
pub(crate) const VERSION_CONFLICT: &str =
    "the customer was changed in the meantime; read it again, and repeat the change with its current ETag";

/// The caller lacks a permission.
pub(crate) fn denied(error: &PermissionDenied) -> String {
    let message = match error {
        PermissionDenied::Role(Permission::Read) => {
            "this API key may not read; use one with the role all_reader, all_writer or super_admin"
        }
        PermissionDenied::Role(Permission::Write) => {
            "this API key may only read; use one with the role all_writer or super_admin"
        }
        PermissionDenied::Role(Permission::Administer) => "this requires an API key with the role super_admin",
        PermissionDenied::MoreThanOwn => {
            "this API key cannot create one with more permissions than its own; leave out the roles that it lacks"
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
        let roles = [Permission::Read, Permission::Write, Permission::Administer].map(PermissionDenied::Role);
        for error in roles.into_iter().chain([PermissionDenied::MoreThanOwn, PermissionDenied::Environment]) {
            assert!(denied(&error).contains("API key"), "{error}");
            assert!(!error.to_string().contains("API key"), "{error}");
        }
    }
}
