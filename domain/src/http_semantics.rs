//! Versions and repeated requests over HTTP (RFC 9110), as pure functions for adapters: entity tags, the conditions of
//! a request, and fingerprints of requests.
//!
//! ```
//! use patron_domain::{customer::Precondition, http_semantics::{etag, if_match, idempotent_request}, lifecycle::Version};
//!
//! assert_eq!(etag(Version::FIRST), "\"1\"");
//! assert_eq!(if_match(["\"1\", \"2\""]), Precondition::OneOf(vec![Version::FIRST, Version::FIRST.next()]));
//! // The value of the header `Idempotency-Key`, if there is one.
//! let request = idempotent_request(Some("order-4711"), "POST", "/customers", "", b"{}").unwrap();
//! assert!(request.is_some());
//! ```

use sha2::{Digest, Sha256};

use crate::{
    customer::Precondition,
    idempotency::{Fingerprint, IdempotencyKey, IdempotencyKeyError, IdempotentRequest},
    lifecycle::Version,
};

/// The entity tag of a version: the number in double quotes (RFC 9110, section 8.8.3).
#[must_use]
pub fn etag(version: Version) -> String {
    format!("\"{}\"", version.get())
}

/// The version in one of our strong tags; `None` for any other tag.
#[must_use]
pub fn version_of(tag: &str) -> Option<Version> {
    let number = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let number = number.filter(|digits| !digits.starts_with(['0', '+'])).and_then(|digits| digits.parse().ok());
    number.and_then(Version::from_stored)
}

/// The precondition from the values of `If-Match`. Weak tags never match (RFC 9110, section 13.1.1).
#[must_use]
pub fn if_match<'a>(fields: impl IntoIterator<Item = &'a str>) -> Precondition {
    condition(fields, false)
}

/// The precondition of a write from the values of `If-Match` and `If-None-Match`. Weak tags match in the latter (RFC
/// 9110, section 13.1.2).
///
/// ```
/// use patron_domain::{customer::Precondition, http_semantics::preconditions, lifecycle::Version};
///
/// assert_eq!(preconditions([], ["*"]), Precondition::Absent);
/// assert_eq!(preconditions(["*"], []), Precondition::Exists);
/// assert_eq!(preconditions([], ["W/\"1\""]), Precondition::NoneOf(vec![Version::FIRST]));
/// ```
#[must_use]
pub fn preconditions<'a>(
    wanted: impl IntoIterator<Item = &'a str>,
    unwanted: impl IntoIterator<Item = &'a str>,
) -> Precondition {
    let unwanted = match condition(unwanted, true) {
        Precondition::Exists => Precondition::Absent,
        Precondition::OneOf(versions) => Precondition::NoneOf(versions),
        other => other,
    };
    match (if_match(wanted), unwanted) {
        (wanted, Precondition::None) => wanted,
        (Precondition::None, unwanted) => unwanted,
        // A request with both conditions has no defined meaning, so it matches no version.
        _ => Precondition::OneOf(Vec::new()),
    }
}

/// Whether the values of `If-None-Match` contain a version. Weak tags match (RFC 9110, section 13.1.2).
///
/// ```
/// use patron_domain::{http_semantics::is_known, lifecycle::Version};
///
/// assert!(is_known(["W/\"1\""], Version::FIRST));
/// assert!(!is_known([], Version::FIRST));
/// ```
#[must_use]
pub fn is_known<'a>(fields: impl IntoIterator<Item = &'a str>, version: Version) -> bool {
    match condition(fields, true) {
        Precondition::None => false,
        Precondition::Exists => true,
        Precondition::OneOf(versions) => versions.contains(&version),
        // Only writes have these conditions.
        Precondition::Absent | Precondition::NoneOf(_) => false,
    }
}

/// The entity tags in the values of a header.
pub fn tags<'a>(fields: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    fields.into_iter().flat_map(|field| field.split(',')).map(str::trim).filter(|tag| !tag.is_empty())
}

/// Reads a list of entity tags, or `*`. A foreign tag matches nothing, but is still a condition.
fn condition<'a>(fields: impl IntoIterator<Item = &'a str>, weak_match: bool) -> Precondition {
    let mut fields = fields.into_iter().peekable();
    if fields.peek().is_none() {
        return Precondition::None;
    }
    let mut versions = Vec::new();
    for tag in tags(fields) {
        if tag == "*" {
            return Precondition::Exists;
        }
        let tag = if weak_match { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
        versions.extend(version_of(tag));
    }
    Precondition::OneOf(versions)
}

/// The fingerprint of a request: a hash of its method, path and query, and a hash of these and its body.
#[must_use]
pub fn fingerprint(method: &str, path: &str, query: &str, body: &[u8]) -> Fingerprint {
    let mut hash = Sha256::new();
    // The length before each part ensures that different requests never hash the same bytes.
    let add = |hash: &mut Sha256, part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    [method, path, query].iter().for_each(|part| add(&mut hash, part.as_bytes()));
    let operation = hash.clone().finalize();
    add(&mut hash, body);
    let mut bytes: [u8; 32] = hash.finalize().into();
    bytes[..Fingerprint::OPERATION_BYTES].copy_from_slice(&operation[..Fingerprint::OPERATION_BYTES]);
    Fingerprint::from_bytes(bytes)
}

/// A request with the key from its header `Idempotency-Key`; `None` without that header.
///
/// # Errors
/// When the header is not a valid key.
pub fn idempotent_request(
    key: Option<&str>,
    method: &str,
    path: &str,
    query: &str,
    body: &[u8],
) -> Result<Option<IdempotentRequest>, IdempotencyKeyError> {
    let Some(key) = key.map(IdempotencyKey::new).transpose()? else { return Ok(None) };
    Ok(Some(IdempotentRequest { key, fingerprint: fingerprint(method, path, query, body) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(numbers: &[i64]) -> Precondition {
        Precondition::OneOf(numbers.iter().map(|number| Version::from_stored(*number).unwrap()).collect())
    }

    #[test]
    fn tag_lists_and_the_star_are_parsed_and_foreign_tags_match_nothing() {
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

    #[test]
    fn every_part_of_a_request_changes_its_fingerprint() {
        let first = fingerprint("POST", "/customers", "", b"{}");
        for other in [
            fingerprint("PUT", "/customers", "", b"{}"),
            fingerprint("POST", "/customer", "", b"{}"),
            fingerprint("POST", "/customers", "a", b"{}"),
            fingerprint("POST", "/customers", "", b"{ }"),
            // The boundary between two parts counts.
            fingerprint("POST", "/customers{", "", b"}"),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(first, fingerprint("POST", "/customers", "", b"{}"));
    }

    #[test]
    fn the_beginning_of_a_fingerprint_depends_on_the_operation_alone() {
        let operation = |path: &str, query: &str, body: &[u8]| {
            fingerprint("POST", path, query, body).as_bytes()[..Fingerprint::OPERATION_BYTES].to_vec()
        };
        assert_eq!(operation("/customers", "", b"{}"), operation("/customers", "", b"[]"));
        assert_ne!(operation("/customers", "", b"{}"), operation("/customers", "a", b"{}"));
        assert_ne!(operation("/customers", "", b"{}"), operation("/customer", "", b"{}"));
    }
}
