//! One envelope for all errors. `error/mapping.rs` maps the domain's errors to it, except those of taxes, which
//! `tax/error.rs` maps. `error/shown.rs` renders it. Statuses and codes of the domain's errors are those of [`ErrorKind`].
//!
//! | status | code |
//! | --- | --- |
//! | 400 | `validation_error`, `search_too_broad`, `invalid_operation` |
//! | 401 | `unauthenticated` |
//! | 403 | `permission_denied`, `suspended` |
//! | 404 | `not_found` |
//! | 405, 408, 413, 415 | `method_not_allowed`, `request_timeout`, `payload_too_large`, `unsupported_media_type` |
//! | 409 | `already_exists`, `already_imported`, `erased_subject`, `erasure_blocked`, `erasure_begun`, `idempotency_key_reused` |
//! | 410 | `gone`, `log_taken_back` |
//! | 412 | `version_conflict` |
//! | 429 | `too_many_requests`, with `Retry-After` |
//! | 500 | `system_error`, with a constant text |
//! | 503 | `service_unavailable`, with `Retry-After` |

mod bounded;
mod mapping;
mod parts;
mod protocol;
mod shown;

use patron_domain::{
    ErrorKind, OperationError, idempotency::IdempotencyKeyReused, lifecycle::Version, privacy::Blocking,
    tenancy::PermissionDenied, time::Timestamp, violation::Violations,
};
use rocket::http::Status;
use serde_json::Value;

use super::{Callers, messages, version::etag};

/// The rule of a reference to something that does not exist.
pub(crate) const EXISTS: &str = "exists";

/// The message about a code without a tax rate.
pub(crate) const NO_SUCH_RATE: &str =
    "there is no tax rate with this code; create the tax rate first, or correct the code";

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: Status,
    code: &'static str,
    message: String,
    details: Vec<Detail>,
    /// A member of the details that is not a place in the request.
    fact: Option<Box<(&'static str, Value)>>,
    header: Option<(&'static str, String)>,
    /// The reason, if it is the caller: the [`Callers`] of the API have the words for it.
    caller: Option<RefusedCaller>,
}

/// Why a caller is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefusedCaller {
    Unknown,
    Denied(PermissionDenied),
}

/// A fault at one place.
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

/// The path of a failed precondition.
const IF_MATCH: &str = "If-Match";

/// The value of `Retry-After` when the service is unavailable, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

impl ApiError {
    /// An error of one of the kinds that the domain knows.
    pub(crate) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(Status::new(kind.http_status()), kind.code(), message)
    }

    fn new(status: Status, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), fact: None, header: None, caller: None }
    }

    /// Adds a member to the details that is not about a place in the request.
    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fact = Some(Box::new((name, value.into())));
        self
    }

    /// 400: the body as a whole is not a request.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Invalid, message)
    }

    /// 410: the events of that time were removed.
    pub(crate) fn gone(message: impl Into<String>, oldest_at: Timestamp) -> Self {
        Self::of(ErrorKind::Gone, message).fact("oldest_at", oldest_at.to_string())
    }

    /// 401, the same for every kind of invalid credentials.
    pub(crate) fn unauthenticated() -> Self {
        let error = Self::of(ErrorKind::Unauthenticated, messages::UNAUTHENTICATED);
        let error = Self { caller: Some(RefusedCaller::Unknown), ..error };
        error.header("WWW-Authenticate", "Bearer".to_owned())
    }

    /// 403.
    pub(crate) fn denied(error: PermissionDenied) -> Self {
        let refused = Self::of(error.kind(), error.to_string());
        Self { caller: Some(RefusedCaller::Denied(error)), ..refused }
    }

    /// The same error in the words of the [`Callers`] of the API.
    pub(super) fn in_words_of(self, callers: &dyn Callers) -> Self {
        match self.caller {
            Some(RefusedCaller::Unknown) => self.saying(&callers.unauthenticated()),
            Some(RefusedCaller::Denied(error)) => self.saying(&callers.denied(&error)),
            None => self,
        }
    }

    /// 404: a resource or a route.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::NotFound, message)
    }

    /// 404: the request refers to something that does not exist.
    pub(crate) fn unknown(broken: Violations) -> Self {
        let mut error = Self::from(broken);
        (error.status, error.code) = (Status::NotFound, ErrorKind::NotFound.code());
        if let [only] = error.details.as_slice() {
            error.message.clone_from(&only.message);
        } else {
            "the request refers to things that do not exist; details names each of them".clone_into(&mut error.message);
        }
        error
    }

    /// 500, always the same. The cause is in the log, under the request's id.
    pub(crate) fn system_error() -> Self {
        let message = "an internal error occurred and was logged; try again later, or report the X-Request-ID";
        Self::of(ErrorKind::Internal, message)
    }

    /// 500 for an error that this adapter does not know, because the domain is newer.
    pub(crate) fn unforeseen(error: &impl std::fmt::Display) -> Self {
        tracing::error!(%error, "answered 500");
        Self::system_error()
    }

    /// 503.
    pub(crate) fn unavailable() -> Self {
        let message = "the service is temporarily unavailable; try again soon";
        let error = Self::of(ErrorKind::Unavailable, message);
        error.header("Retry-After", RETRY_AFTER_SECONDS.to_string())
    }

    /// 503: the request took too long.
    pub(crate) fn too_late() -> Self {
        Self::unavailable().saying(messages::TOO_LATE)
    }

    fn header(mut self, name: &'static str, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Adds a reference at a path to something that does not exist.
    pub(crate) fn names_nothing(mut self, path: impl Into<String>, message: impl Into<String>) -> Self {
        self.details.push(Detail { rule: Some(EXISTS), ..Detail::new(path, message) });
        self
    }

    /// Adds further faults, if the error already lists faults of fields.
    pub(crate) fn beside(self, more: Violations) -> Self {
        if self.status != Status::BadRequest || self.details.is_empty() {
            return self;
        }
        let mut known = self;
        let more = Self::from(more).details.into_iter();
        let new: Vec<_> = more.filter(|one| known.details.iter().all(|other| other.path != one.path)).collect();
        known.details.extend(new);
        known.fitted()
    }

    /// 400: a search takes too long because of one of its fields.
    pub(crate) fn too_broad(field: &str, message: String) -> Self {
        let mut error = Self::of(ErrorKind::TooBroad, message.clone());
        error.details.push(Detail { rule: Some(ErrorKind::TooBroad.code()), ..Detail::new(field, message) });
        error
    }

    /// 409: the value is taken.
    pub(crate) fn already_exists(path: &str, message: String, existing_id: String) -> Self {
        let mut error = Self::of(ErrorKind::AlreadyExists, message.clone());
        let detail = Detail::new(path, message);
        error.details.push(Detail { rule: Some("unique"), existing_id: Some(existing_id), ..detail });
        error
    }

    /// 409: the file was imported before.
    pub(crate) fn already_imported(message: String, existing_id: String) -> Self {
        let mut error = Self::new(Status::Conflict, "already_imported", message.clone());
        error.details.push(Detail { existing_id: Some(existing_id), ..Detail::new("file", message) });
        error
    }

    /// 400: the state of the resource forbids it.
    pub(crate) fn invalid_operation(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::InvalidOperation, message)
    }

    /// 409: the external id belonged to a customer that is suppressed or erased.
    pub(crate) fn erased_subject() -> Self {
        let message = messages::ERASED_SUBJECT;
        let mut error = Self::of(ErrorKind::ErasedSubject, message);
        error.details.push(Detail { rule: Some("new_subject"), ..Detail::new("external_id", message) });
        error
    }

    /// 409: something keeps a customer from being erased.
    pub(crate) fn erasure_blocked(blocking: &[Blocking], message: String) -> Self {
        let blocking: Vec<_> = blocking.iter().map(|one| one.as_str()).collect();
        Self::of(ErrorKind::ErasureBlocked, message).fact("blocking", blocking)
    }

    /// 409: the idempotency key was used for another request; 410: its answer was erased.
    pub(crate) fn idempotency_key_reused(reused: IdempotencyKeyReused) -> Self {
        let message = messages::key_reused(reused);
        let mut error = Self::of(reused.kind(), message.clone());
        error.details.push(Detail { rule: Some("one_request"), ..Detail::new("Idempotency-Key", message) });
        error
    }

    /// Replaces the message.
    pub(super) fn saying(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        for detail in &mut self.details {
            message.clone_into(&mut detail.message);
        }
        self
    }

    /// 412: the resource is at another version than the client expects. `None` if it does not exist.
    fn version_conflict(current: Option<Version>) -> Self {
        let message = messages::VERSION_CONFLICT;
        let mut error = Self::of(ErrorKind::VersionConflict, message);
        let current_version = current.map(Version::get);
        error.details.push(Detail { rule: Some("if_match"), current_version, ..Detail::new(IF_MATCH, message) });
        match current {
            Some(current) => error.header("ETag", etag(current)),
            None => error,
        }
    }

    /// The status.
    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// The code, for programs.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// Its additional header, if it has one.
    pub(crate) fn extra_header(&self) -> Option<&(&'static str, String)> {
        self.header.as_ref()
    }
}

impl From<Violations> for ApiError {
    fn from(violations: Violations) -> Self {
        let mut error = Self::malformed("some fields are invalid; details names each of them and says what to do");
        let detail = |violation: patron_domain::violation::Violation| Detail {
            rule: Some(violation.rule),
            ..Detail::new(violation.path, violation.message)
        };
        error.details = violations.into_iter().map(detail).collect();
        error.fitted()
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        customer::ChangeCustomerError,
        ids::CustomerId,
        violation::{Violation, Violations},
    };
    use serde_json::json;

    use super::ApiError;

    #[test]
    fn violations_become_details_by_path() {
        let mut violations = Violations::new();
        violations.push(Violation { path: "a[0].b".into(), rule: "iso_4217", message: "correct it".into() });
        assert_eq!(
            serde_json::to_value(ApiError::from(violations)).unwrap(),
            json!({
                "code": "validation_error",
                "message": "some fields are invalid; details names each of them and says what to do",
                "http_status_code": 400,
                "details": { "a[0].b": { "message": "correct it", "rule": "iso_4217" } },
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
    fn unknown_references_are_listed_with_faults_and_alone_are_404() {
        let one = |path: &str| {
            let mut violations = Violations::new();
            violations.push(Violation { path: path.into(), rule: "exists", message: format!("{path} is not there") });
            violations
        };
        let both = serde_json::to_value(ApiError::from(one("a")).beside(one("b")).beside(one("a"))).unwrap();
        assert_eq!(both["details"].as_object().map(|details| details.len()), Some(2));
        assert_eq!(both["http_status_code"], 400);
        let alone = serde_json::to_value(ApiError::unknown(one("b"))).unwrap();
        assert_eq!((&alone["http_status_code"], &alone["message"]), (&json!(404), &json!("b is not there")));
        let malformed = ApiError::malformed("no JSON");
        assert_eq!(malformed.clone().beside(one("a")), malformed);
    }

    #[test]
    fn an_error_without_details_omits_the_member() {
        let error = serde_json::to_value(ApiError::system_error()).unwrap();
        assert_eq!(error.get("details"), None);
    }
}
