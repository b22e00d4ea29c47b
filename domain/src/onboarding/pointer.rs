//! JSON pointers (RFC 6901): the position of a value in a response.

use serde_json::Value;

use crate::violation::Rule;

/// A JSON pointer such as `/data/id`: empty for the whole document, or a `/` before each part, with `~1` for `/` and
/// `~0` for `~`. At most 255 characters.
///
/// ```
/// use patron_domain::onboarding::JsonPointer;
///
/// let pointer = JsonPointer::new("/data/id").unwrap();
/// let answer = serde_json::json!({ "data": { "id": "crm-7" } });
/// assert_eq!(pointer.find(&answer).and_then(|found| found.as_str()), Some("crm-7"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPointer(String);

/// Why a text is not a valid [`JsonPointer`].
///
/// ```
/// use patron_domain::onboarding::JsonPointer;
///
/// assert!(JsonPointer::new("data/id").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonPointerError {
    /// The text is too long.
    #[error("must have at most {} characters", JsonPointer::MAX_CHARS)]
    TooLong,
    /// The text is not a pointer.
    #[error("must be a JSON pointer (RFC 6901) such as /data/id: / before each part, ~1 for / and ~0 for ~ in a part")]
    Form,
}

impl Rule for JsonPointerError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooLong => "max_length",
            Self::Form => "json_pointer",
        }
    }
}

crate::text::serde_as_text!(JsonPointer);

impl JsonPointer {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 255;

    /// Checks a pointer.
    ///
    /// # Errors
    /// When the text is too long or not a pointer.
    pub fn new(text: impl Into<String>) -> Result<Self, JsonPointerError> {
        let text = text.into();
        if text.chars().count() > Self::MAX_CHARS {
            return Err(JsonPointerError::TooLong);
        }
        let begins = text.is_empty() || text.starts_with('/');
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if begins && escapes && !text.contains('\0') { Ok(Self(text)) } else { Err(JsonPointerError::Form) }
    }

    /// The pointer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value at this position in a document.
    #[must_use]
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{JsonPointer, JsonPointerError};

    #[test]
    fn the_pointers_of_the_rfc_find_their_values() {
        let document = json!({ "foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7 });
        for (pointer, found) in [
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/m~0n", json!(8)),
            ("/ ", json!(7)),
            ("", document.clone()),
        ] {
            assert_eq!(JsonPointer::new(pointer).unwrap().find(&document), Some(&found), "{pointer}");
        }
        for absent in ["/foo/2", "/foo/01", "/foo/-", "/bar"] {
            assert_eq!(JsonPointer::new(absent).unwrap().find(&document), None, "{absent}");
        }
    }

    #[test]
    fn text_that_is_not_a_pointer_is_refused() {
        for bad in ["id", "$.id", "/a~2", "/a~", "/\0"] {
            assert_eq!(JsonPointer::new(bad), Err(JsonPointerError::Form), "{bad}");
        }
        assert_eq!(JsonPointer::new(format!("/{}", "a".repeat(255))), Err(JsonPointerError::TooLong));
    }
}
