//! One envelope for every error, and the one place that maps the domain's errors to it, but for those of taxes, which are
//! in `tax/error.rs`.
//!
//! | status | code |
//! | --- | --- |
//! | 400 | `validation_error`, `invalid_operation` |
//! | 401 | `unauthenticated` |
//! | 403 | `permission_denied` |
//! | 404 | `not_found` |
//! | 405, 408, 413, 415 | `method_not_allowed`, `request_timeout`, `payload_too_large`, `unsupported_media_type` |
//! | 409 | `already_exists` |
//! | 412 | `version_conflict` |
//! | 500 | `system_error`, with a constant text |
//! | 503 | `service_unavailable`, with `Retry-After` |

use patron_domain::{
    customer::{ChangeCustomerError, ReadError},
    lifecycle::Version,
    store::StoreError,
    tenancy::{AuthenticateError, EnvironmentError, KeyError, PermissionDenied},
    violation::Violations,
};
use rocket::http::Status;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{messages, version::etag};

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: Status,
    code: &'static str,
    message: String,
    details: Vec<Detail>,
    header: Option<(&'static str, String)>,
}

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Detail {
    path: String,
    message: String,
    rule: Option<&'static str>,
    existing_id: Option<String>,
    current_version: Option<u64>,
}

impl Detail {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        Self { path, message, rule: None, existing_id: None, current_version: None }
    }
}

/// After how many seconds a client may ask again when the service is not available.
const RETRY_AFTER_SECONDS: u32 = 1;

impl ApiError {
    fn new(status: Status, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), header: None }
    }

    /// 400: the body as a whole is no request.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(Status::BadRequest, "validation_error", message)
    }

    /// 401, the same for every kind of wrong key.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(Status::Unauthorized, "unauthenticated", messages::UNAUTHENTICATED)
            .header("WWW-Authenticate", "Bearer".to_owned())
    }

    /// 404: an object, or a route.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Status::NotFound, "not_found", message)
    }

    /// 405 with the methods that are allowed, separated by commas.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let message = format!("this path does not take this method; it takes {allowed}");
        Self::new(Status::MethodNotAllowed, "method_not_allowed", message).header("Allow", allowed.to_owned())
    }

    /// 408.
    pub(crate) fn body_timeout(seconds: u64) -> Self {
        let message = format!("the body did not arrive within {seconds} seconds; send the request again");
        Self::new(Status::RequestTimeout, "request_timeout", message).header("Connection", "close".to_owned())
    }

    /// 413.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body must have at most {limit} bytes");
        Self::new(Status::PayloadTooLarge, "payload_too_large", message)
    }

    /// 415.
    pub(crate) fn unsupported_media_type() -> Self {
        let message = "the body must be JSON; send it with the header Content-Type: application/json";
        Self::new(Status::UnsupportedMediaType, "unsupported_media_type", message)
    }

    /// 500, always the same: what happened is in the log, under the request's id.
    pub(crate) fn system_error() -> Self {
        let message = "something went wrong here, and it was noted; ask again later, or tell us the X-Request-ID";
        Self::new(Status::InternalServerError, "system_error", message)
    }

    /// 500 for an error that this adapter has no answer for: the domain is newer.
    pub(crate) fn unforeseen(error: &impl std::fmt::Display) -> Self {
        tracing::error!(%error, "answered 500");
        Self::system_error()
    }

    /// 503.
    pub(crate) fn unavailable() -> Self {
        let message = "the service cannot do this at the moment; ask again in a little while";
        let error = Self::new(Status::ServiceUnavailable, "service_unavailable", message);
        error.header("Retry-After", RETRY_AFTER_SECONDS.to_string())
    }

    /// The envelope for a status that Rocket itself gives.
    pub(crate) fn of_status(status: Status) -> Self {
        match status.code {
            401 => Self::unauthenticated(),
            404 => Self::not_found("there is nothing at this path; the documentation lists the routes"),
            500 => Self::system_error(),
            503 => Self::unavailable(),
            400..=499 => {
                let code = if status.code == 413 { "payload_too_large" } else { "validation_error" };
                Self::new(status, code, "the request could not be understood as HTTP; mend it and send it again")
            }
            _ => Self { status, ..Self::system_error() },
        }
    }

    fn header(mut self, name: &'static str, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(crate) fn detail(mut self, path: impl Into<String>, message: impl Into<String>) -> Self {
        self.details.push(Detail::new(path, message));
        self
    }

    /// 409: something has what was asked for.
    pub(crate) fn already_exists(path: &str, message: String, existing_id: String) -> Self {
        let mut error = Self::new(Status::Conflict, "already_exists", message.clone());
        let detail = Detail::new(path, message);
        error.details.push(Detail { rule: Some("unique"), existing_id: Some(existing_id), ..detail });
        error
    }

    /// 400: the state forbids it.
    pub(crate) fn invalid_operation(message: impl Into<String>) -> Self {
        Self::new(Status::BadRequest, "invalid_operation", message)
    }

    /// 409: the client's key stands for another request.
    pub(crate) fn idempotency_key_reused() -> Self {
        let message = messages::KEY_REUSED;
        let mut error = Self::new(Status::Conflict, "already_exists", message);
        error.details.push(Detail { rule: Some("unique"), ..Detail::new("Idempotency-Key", message) });
        error
    }

    /// 412: the thing is at another version than the client expects; none when there is no such thing.
    fn version_conflict(current: Option<Version>) -> Self {
        let message = messages::VERSION_CONFLICT;
        let mut error = Self::new(Status::PreconditionFailed, "version_conflict", message);
        let current_version = current.map(Version::get);
        error.details.push(Detail { rule: Some("if_match"), current_version, ..Detail::new("If-Match", message) });
        match current {
            Some(current) => error.header("ETag", etag(current)),
            None => error,
        }
    }

    /// The status.
    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// What went wrong, for programs.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The one header that goes with it, if one does.
    pub(crate) fn extra_header(&self) -> Option<&(&'static str, String)> {
        self.header.as_ref()
    }
}

impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Details<'a>(&'a [Detail]);
        impl Serialize for Details<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|detail| (&detail.path, detail)))
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code)?;
        map.serialize_entry("message", &self.message)?;
        map.serialize_entry("http_status_code", &self.status.code)?;
        if !self.details.is_empty() {
            map.serialize_entry("details", &Details(&self.details))?;
        }
        map.end()
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &self.message)?;
        if let Some(rule) = self.rule {
            map.serialize_entry("rule", rule)?;
        }
        if let Some(id) = &self.existing_id {
            map.serialize_entry("existing_id", id)?;
        }
        if let Some(version) = self.current_version {
            map.serialize_entry("current_version", &version)?;
        }
        map.end()
    }
}

impl From<Violations> for ApiError {
    fn from(violations: Violations) -> Self {
        let mut error = Self::malformed("some fields are not right; details name each of them and what to do");
        let detail = |violation: patron_domain::violation::Violation| Detail {
            rule: Some(violation.rule),
            ..Detail::new(violation.path, violation.message)
        };
        error.details = violations.into_iter().map(detail).collect();
        error
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => {
                tracing::warn!(%error, "answered 503");
                Self::unavailable()
            }
            other => Self::unforeseen(&other),
        }
    }
}

impl From<PermissionDenied> for ApiError {
    fn from(error: PermissionDenied) -> Self {
        Self::new(Status::Forbidden, "permission_denied", messages::denied(&error))
    }
}

impl From<AuthenticateError> for ApiError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Unauthenticated => Self::unauthenticated(),
            AuthenticateError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<ChangeCustomerError> for ApiError {
    fn from(error: ChangeCustomerError) -> Self {
        let message = error.to_string();
        match error {
            ChangeCustomerError::Denied(error) => error.into(),
            ChangeCustomerError::Invalid(violations) => violations.into(),
            ChangeCustomerError::Forbidden(_) => Self::invalid_operation(message),
            ChangeCustomerError::UnknownCustomer
            | ChangeCustomerError::UnknownMapping
            | ChangeCustomerError::UnknownAssociation => Self::not_found(message),
            ChangeCustomerError::UnknownTaxRates(codes) => {
                codes.iter().fold(Self::not_found(message), |error, (index, _)| {
                    let path = format!("tax_rate_overrides[{index}].tax_rate_code");
                    error.detail(path, "there is no tax rate with this code")
                })
            }
            ChangeCustomerError::ExternalIdTaken { existing } => {
                Self::already_exists("external_id", message, existing.to_string())
            }
            ChangeCustomerError::AlreadyAssociated { existing } => {
                Self::already_exists("tax_rate_code", message, existing.to_string())
            }
            ChangeCustomerError::KeyReused(_) => Self::idempotency_key_reused(),
            ChangeCustomerError::VersionConflict { current } => Self::version_conflict(current),
            ChangeCustomerError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Denied(error) => error.into(),
            ReadError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

impl From<EnvironmentError> for ApiError {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Denied(error) => error.into(),
            EnvironmentError::Invalid(violations) => violations.into(),
            EnvironmentError::Unknown => Self::not_found(error.to_string()),
            EnvironmentError::KeyReused(_) => Self::idempotency_key_reused(),
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
                Self::not_found(error.to_string()).detail("environment_id", error.to_string())
            }
            KeyError::UnknownKey => Self::not_found(error.to_string()),
            KeyError::Randomness(error) => {
                tracing::error!(%error, "answered 500");
                Self::system_error()
            }
            KeyError::KeyReused(_) => Self::idempotency_key_reused(),
            KeyError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        ids::CustomerId,
        violation::{Violation, Violations},
    };
    use serde_json::json;

    use super::{ApiError, ChangeCustomerError};

    #[test]
    fn violations_become_details_by_path() {
        let mut violations = Violations::new();
        violations.push(Violation { path: "a[0].b".into(), rule: "iso_4217", message: "mend it".into() });
        assert_eq!(
            serde_json::to_value(ApiError::from(violations)).unwrap(),
            json!({
                "code": "validation_error",
                "message": "some fields are not right; details name each of them and what to do",
                "http_status_code": 400,
                "details": { "a[0].b": { "message": "mend it", "rule": "iso_4217" } },
            })
        );
    }

    #[test]
    fn a_taken_external_id_names_its_holder() {
        let existing = CustomerId::parse("cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE").unwrap();
        let error = serde_json::to_value(ApiError::from(ChangeCustomerError::ExternalIdTaken { existing })).unwrap();
        assert_eq!(error["details"]["external_id"]["existing_id"], existing.to_string());
        assert_eq!(error["http_status_code"], 409);
    }

    #[test]
    fn without_details_there_is_no_member_for_them() {
        let error = serde_json::to_value(ApiError::system_error()).unwrap();
        assert_eq!(error.get("details"), None);
    }
}
