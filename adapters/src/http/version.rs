//! Versions of customers as entity tags (RFC 9110, section 8.8.3), and the preconditions of requests.

use std::convert::Infallible;

use patron_domain::{customer::Precondition, lifecycle::Version};
use rocket::{
    Request,
    http::Status,
    request::{FromRequest, Outcome},
};

use super::error::ApiError;

/// The entity tag of a version: the number in quotes.
pub(crate) fn etag(version: Version) -> String {
    format!("\"{}\"", version.get())
}

/// The condition in `If-Match`.
pub(crate) struct IfMatch(pub(crate) Precondition);

/// The condition in `If-None-Match`, for reading.
pub(crate) struct IfNoneMatch(Precondition);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfMatch {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        // Weak tags never match: RFC 9110, section 13.1.1.
        Outcome::Success(Self(condition(request.headers().get("if-match"), false)))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfNoneMatch {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        // Weak tags match: RFC 9110, section 13.1.2.
        Outcome::Success(Self(condition(request.headers().get("if-none-match"), true)))
    }
}

impl IfNoneMatch {
    /// Whether the client already has this version.
    pub(crate) fn is_known(&self, version: Version) -> bool {
        match &self.0 {
            Precondition::None => false,
            Precondition::Exists => true,
            Precondition::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// Reads a list of entity tags, or `*`. A foreign tag matches nothing, but is still a condition.
fn condition<'a>(fields: impl Iterator<Item = &'a str>, weak_match: bool) -> Precondition {
    let mut fields = fields.peekable();
    if fields.peek().is_none() {
        return Precondition::None;
    }
    let mut versions = Vec::new();
    for tag in tags(fields) {
        if tag == "*" {
            return Precondition::Exists;
        }
        let tag = if weak_match { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
        versions.extend(version(tag));
    }
    Precondition::OneOf(versions)
}

fn tags<'a>(fields: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    fields.flat_map(|field| field.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
}

/// The version of a strong tag of ours.
fn version(tag: &str) -> Option<Version> {
    let number = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let number = number.filter(|digits| !digits.starts_with(['0', '+'])).and_then(|digits| digits.parse().ok());
    number.and_then(Version::from_stored)
}

/// The message about a failed condition that can never hold: a proxy has changed the tag, and sending the current one
/// again would always fail.
const NO_TAG_OF_OURS: &str = "If-Match contains a foreign entity tag. Patron's tags are a number in double quotes, \
                              such as \"3\". A proxy that compresses or changes responses makes them weak (W/\"3\") \
                              or extends them (\"3-gzip\"), and such a tag never matches (RFC 9110, 13.1.1): disable \
                              that for this API, or send the number alone in double quotes";

/// Returns the error unchanged, or explains it better if a condition failed because of a foreign tag.
pub(super) fn explained(request: &Request<'_>, error: ApiError) -> ApiError {
    let is_foreign = |tag: &str| tag != "*" && version(tag).is_none();
    let failed = error.status() == Status::PreconditionFailed;
    if failed && tags(request.headers().get("if-match")).any(is_foreign) { error.saying(NO_TAG_OF_OURS) } else { error }
}

#[cfg(test)]
mod tests {
    use patron_domain::{customer::Precondition, lifecycle::Version};

    use super::condition;

    fn versions(numbers: &[i64]) -> Precondition {
        Precondition::OneOf(numbers.iter().map(|number| Version::from_stored(*number).unwrap()).collect())
    }

    #[test]
    fn lists_and_stars_are_read_and_foreign_tags_match_nothing() {
        let read = |fields: &[&str], weak| condition(fields.iter().copied(), weak);
        assert_eq!(read(&[], false), Precondition::None);
        assert_eq!(read(&["*"], false), Precondition::Exists);
        assert_eq!(read(&["\"1\", \"22\"", "\"3\""], false), versions(&[1, 22, 3]));
        for nothing in ["", "1", "\"01\"", "\"+1\"", "\"-1\"", "\"x\"", "\"0\"", "\"99999999999999999999\"", "W/\"1\""]
        {
            assert_eq!(read(&[nothing], false), versions(&[]), "{nothing}");
        }
        assert_eq!(read(&["W/\"1\""], true), versions(&[1]));
    }
}
