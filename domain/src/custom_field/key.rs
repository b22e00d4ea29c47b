//! The names of custom fields.

use std::{cmp::Ordering, fmt, hash, str::FromStr};

use crate::violation::Rule;

/// The name of a custom field: a letter from `a` to `z`, then up to 39 of these letters, digits and underscores.
///
/// ```
/// use patron_domain::custom_field::CustomFieldKey;
///
/// assert_eq!(CustomFieldKey::new("seats").unwrap().as_str(), "seats");
/// assert!(CustomFieldKey::new("Seats").is_err() && CustomFieldKey::new("1st").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CustomFieldKey {
    length: u8,
    /// The letters, then zeros. A key is small and copied with the fields of queries.
    bytes: [u8; Self::MAX_CHARS],
}

/// Why a text is not a valid [`CustomFieldKey`].
///
/// ```
/// use patron_domain::custom_field::{CustomFieldKey, CustomFieldKeyError};
///
/// assert_eq!(CustomFieldKey::new("a-b"), Err(CustomFieldKeyError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a letter from a to z, then at most 39 of the letters a to z, digits and underscores")]
pub struct CustomFieldKeyError;

impl Rule for CustomFieldKeyError {
    fn rule(&self) -> &'static str {
        "pattern"
    }
}

impl CustomFieldKey {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 40;

    /// Checks the text.
    ///
    /// # Errors
    /// [`CustomFieldKeyError`] for any other text.
    pub fn new(text: impl AsRef<str>) -> Result<Self, CustomFieldKeyError> {
        let text = text.as_ref().as_bytes();
        let is_inner = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if !text.first().is_some_and(u8::is_ascii_lowercase) || !text.iter().all(is_inner) {
            return Err(CustomFieldKeyError);
        }
        let mut bytes = [0; Self::MAX_CHARS];
        bytes.get_mut(..text.len()).ok_or(CustomFieldKeyError)?.copy_from_slice(text);
        // At most 40.
        Ok(Self { length: u8::try_from(text.len()).map_err(|_| CustomFieldKeyError)?, bytes })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        // They are ASCII letters.
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// The path of the field in a request for a customer.
    #[must_use]
    pub fn path(&self) -> String {
        format!("custom_fields.{self}")
    }
}

impl Ord for CustomFieldKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for CustomFieldKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl hash::Hash for CustomFieldKey {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for CustomFieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CustomFieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomFieldKey({self})")
    }
}

impl FromStr for CustomFieldKey {
    type Err = CustomFieldKeyError;

    fn from_str(text: &str) -> Result<Self, CustomFieldKeyError> {
        Self::new(text)
    }
}

crate::text::serde_as_text!(CustomFieldKey);

#[cfg(test)]
mod tests {
    use super::CustomFieldKey;

    #[test]
    fn a_key_has_1_to_40_characters_and_begins_with_a_letter() {
        for text in ["a", "seats", "a1_", &"a".repeat(40)] {
            assert_eq!(CustomFieldKey::new(text).map(|key| key.as_str().to_owned()).as_deref(), Ok(text));
        }
        for text in ["", "1a", "_a", "A", "aB", "a-b", "a.b", "ä", "a\0", &"a".repeat(41)] {
            assert!(CustomFieldKey::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn keys_are_ordered_as_texts() {
        let keys = ["b", "ab", "a", "a_", "a0"].map(|text| CustomFieldKey::new(text).unwrap());
        let mut sorted = keys;
        sorted.sort_unstable();
        assert_eq!(sorted.map(|key| key.to_string()), ["a", "a0", "a_", "ab", "b"]);
    }
}
