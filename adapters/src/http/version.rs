//! Versions of customers as entity tags (RFC 9110, section 8.8.3), and the preconditions of requests.

use std::convert::Infallible;

use patron_domain::{
    customer::Precondition,
    http_semantics::{if_match, is_known, tags, version_of},
    lifecycle::Version,
};
use rocket::{
    Request,
    http::Status,
    request::{FromRequest, Outcome},
};

pub(crate) use patron_domain::http_semantics::etag;

use super::error::ApiError;

/// The condition in `If-Match`.
pub(crate) struct IfMatch(pub(crate) Precondition);

/// The condition in `If-None-Match`, for reading.
pub(crate) struct IfNoneMatch<'r>(Vec<&'r str>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfMatch {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(if_match(request.headers().get("if-match"))))
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

/// Returns the error unchanged, or explains it better if a condition failed because of a foreign tag.
pub(super) fn explained(request: &Request<'_>, error: ApiError) -> ApiError {
    let is_foreign = |tag: &str| tag != "*" && version_of(tag).is_none();
    let failed = error.status() == Status::PreconditionFailed;
    if failed && tags(request.headers().get("if-match")).any(is_foreign) { error.saying(NO_TAG_OF_OURS) } else { error }
}
