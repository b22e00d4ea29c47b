//! Versions as entity tags (RFC 9110, section 8.8.3), and the preconditions of requests.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, Ordering},
};

use patron_domain::{
    customer::Precondition,
    http_semantics::{is_known, preconditions, tags, version_of},
    lifecycle::Version,
    violation::{Rule, Violations},
};
use rocket::{
    Request,
    http::Status,
    request::{FromRequest, Outcome},
};

pub(crate) use patron_domain::http_semantics::etag;

use super::error::ApiError;

/// The condition in `If-Match` or `If-None-Match`, for writing.
pub(crate) struct IfMatch(pub(crate) Precondition);

/// The condition in `If-None-Match`, for reading.
pub(crate) struct IfNoneMatch<'r>(Vec<&'r str>);

/// Whether the request's route takes conditions.
#[derive(Default)]
pub(crate) struct Minded(AtomicBool);

/// The error of a condition on a resource without versions.
#[derive(Debug, thiserror::Error)]
#[error("is not supported here, because this resource has no versions; omit the header")]
struct NoVersions;

impl Rule for NoVersions {
    fn rule(&self) -> &'static str {
        "no_condition"
    }
}

/// The headers with conditions on a write.
const CONDITIONS: [&str; 2] = ["If-Match", "If-None-Match"];

/// The conditions of a write, for routes that may not check them.
#[derive(Default)]
pub(crate) struct Conditions<'r> {
    minded: Option<&'r Minded>,
    sent: Vec<&'static str>,
}

impl<'r> Conditions<'r> {
    /// The conditions of a request.
    pub(crate) fn of(request: &'r Request<'_>) -> Self {
        let sent = CONDITIONS.into_iter().filter(|name| request.headers().contains(name)).collect();
        Self { minded: Some(request.local_cache(Minded::default)), sent }
    }

    /// Rejects the conditions if the route does not check them. Ignoring one could overwrite data that the client wants
    /// to protect. Call this once all guards of the route have run.
    ///
    /// # Errors
    /// 400 that names each header.
    pub(crate) fn refuse_unminded(&self) -> Result<(), Violations> {
        let minded = self.minded.is_none_or(|minded| minded.0.load(Ordering::Relaxed));
        let mut broken = Violations::new();
        for name in self.sent.iter().filter(|_| !minded) {
            broken.add(*name, &NoVersions);
        }
        broken.into_result()
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Conditions<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self::of(request))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfMatch {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        request.local_cache(Minded::default).0.store(true, Ordering::Relaxed);
        let headers = request.headers();
        Outcome::Success(Self(preconditions(headers.get("if-match"), headers.get("if-none-match"))))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfNoneMatch<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(request.headers().get("if-none-match").collect()))
    }
}

impl IfNoneMatch<'_> {
    /// Whether the client already has this version.
    pub(crate) fn is_known(&self, version: Version) -> bool {
        is_known(self.0.iter().copied(), version)
    }
}

/// The message about a failed condition that can never hold: a proxy has changed the tag, and sending the current one
/// again would always fail.
const NO_TAG_OF_OURS: &str = "If-Match contains a foreign entity tag. Patron's tags are a number in double quotes, \
                              such as \"3\". A proxy that compresses or changes responses makes them weak (W/\"3\") \
                              or extends them (\"3-gzip\"), and such a tag never matches (RFC 9110, 13.1.1): disable \
                              that for this API, or send the number alone in double quotes";

/// The message about a customer that exists although it must not.
const EXISTS: &str = "the object exists already, which If-None-Match forbids; omit the header to change it";

/// Returns the error unchanged, or explains it better if a condition failed because of a foreign tag.
pub(super) fn explained(request: &Request<'_>, error: ApiError) -> ApiError {
    let is_foreign = |tag: &str| tag != "*" && version_of(tag).is_none();
    let failed = error.status() == Status::PreconditionFailed;
    if failed && tags(request.headers().get("if-match")).any(is_foreign) {
        error.saying(NO_TAG_OF_OURS)
    } else if failed && request.headers().contains("if-none-match") {
        error.saying(EXISTS)
    } else {
        error
    }
}
