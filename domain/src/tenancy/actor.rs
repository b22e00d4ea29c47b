//! The actor of a change, and the id of its request.

use crate::{ids::ApiKeyId, text::text_newtype, violation::Rule};

text_newtype! {
    /// The actor as `created_by` shows it: the id of the API key, `system`, or the embedding application's own name for
    /// a user (1–255 characters, no control characters).
    public Actor, ActorError, "actor", max 255, not_blank true
}

impl Actor {
    /// Patron itself, for work without a caller: start-up and the command line.
    #[must_use]
    pub fn system() -> Self {
        Self("system".to_owned())
    }
}

impl From<ApiKeyId> for Actor {
    fn from(id: ApiKeyId) -> Self {
        Self(id.to_string())
    }
}

/// The id of one request: 1–128 ASCII letters, digits, `.`, `_` and `-`.
///
/// ```
/// use patron_domain::tenancy::RequestId;
///
/// assert_eq!(RequestId::new("request-1").unwrap().as_str(), "request-1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

/// Why a text is not a valid [`RequestId`].
///
/// ```
/// use patron_domain::tenancy::{RequestId, RequestIdError};
///
/// assert_eq!(RequestId::new(""), Err(RequestIdError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request id must be 1 to {max} characters of A-Z, a-z, 0-9, '.', '_' and '-'", max = RequestId::MAX_CHARS)]
pub struct RequestIdError;

impl Rule for RequestIdError {
    fn rule(&self) -> &'static str {
        "request_id"
    }
}

impl RequestId {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 128;

    /// Checks an id.
    ///
    /// # Errors
    /// When the text is empty, too long, or contains another character.
    pub fn new(value: impl Into<String>) -> Result<Self, RequestIdError> {
        let value = value.into();
        let sane = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if sane && (1..=Self::MAX_CHARS).contains(&value.len()) { Ok(Self(value)) } else { Err(RequestIdError) }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn a_request_id_has_only_harmless_characters() {
        assert!(RequestId::new("a.B_9-".repeat(21)).is_ok());
        for bad in ["", "a b", "a\n", "ü", "a\"b", &"x".repeat(129)] {
            assert!(RequestId::new(bad).is_err(), "{bad:?}");
        }
    }
}
