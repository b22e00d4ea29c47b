//! JSON objects on integration mappings.

use std::fmt;

use super::Metadata;
use crate::{text::TextFault, violation::Rule};

/// A JSON object of a client on an integration mapping.
///
/// Numbers have the precision of 64-bit integers and doubles. At most [`JsonObject::MAX_BYTES`] bytes as compact JSON,
/// and no U+0000 in any key or string. The top-level keys follow the rules of [`Metadata`]: at most
/// [`Metadata::MAX_KEYS`], each of 1 to [`Metadata::MAX_KEY_CHARS`] characters without control characters. It may be
/// personal data, so `Debug` does not show it.
///
/// ```
/// use patron_domain::metadata::JsonObject;
///
/// let map = serde_json::Map::from_iter([("plan".to_owned(), 7.into())]);
/// assert_eq!(JsonObject::new(map).unwrap().to_json(), r#"{"plan":7}"#);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct JsonObject(serde_json::Map<String, serde_json::Value>);

/// Why a JSON object was refused.
///
/// ```
/// use patron_domain::metadata::{JsonObject, JsonObjectError};
///
/// let nul = serde_json::Map::from_iter([("key".to_owned(), "\0".into())]);
/// assert_eq!(JsonObject::new(nul), Err(JsonObjectError::Nul));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonObjectError {
    /// It is too large.
    #[error("must be at most {max} bytes as compact JSON", max = JsonObject::MAX_BYTES)]
    TooLarge,
    /// A key or string contains U+0000.
    #[error("must not contain the character U+0000")]
    Nul,
    /// It has too many keys.
    #[error("must have at most {max} keys, it has {count}", max = Metadata::MAX_KEYS)]
    TooManyKeys {
        /// The number of keys given.
        count: usize,
    },
    /// A top-level key breaks its rule.
    #[error("has an invalid key: it {0}")]
    Key(TextFault),
}

impl Rule for JsonObjectError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooLarge => "max_bytes",
            Self::Nul => TextFault::Nul.rule(),
            Self::TooManyKeys { .. } => "max_keys",
            Self::Key(fault) => fault.rule(),
        }
    }
}

impl JsonObject {
    /// The maximum size as compact JSON, in bytes: 64 KiB.
    pub const MAX_BYTES: usize = 65_536;

    /// Checks the object and keeps it unchanged.
    ///
    /// # Errors
    /// When it is too large, contains U+0000, or its top-level keys are too many or break their rules.
    pub fn new(map: serde_json::Map<String, serde_json::Value>) -> Result<Self, JsonObjectError> {
        if holds_nul(&map) {
            return Err(JsonObjectError::Nul);
        }
        if map.len() > Metadata::MAX_KEYS {
            return Err(JsonObjectError::TooManyKeys { count: map.len() });
        }
        map.keys().try_for_each(|key| Metadata::KEY.check(key)).map_err(JsonObjectError::Key)?;
        let most = most_of_members(&map);
        let object = Self(map);
        // Most objects are so small that an upper bound is enough, without writing them as JSON.
        if most > Self::MAX_BYTES && object.to_json().len() > Self::MAX_BYTES {
            return Err(JsonObjectError::TooLarge);
        }
        Ok(object)
    }

    /// Restores a stored object. Limits are not checked, so rows stay readable when a limit is lowered.
    #[must_use]
    pub fn from_stored(map: serde_json::Map<String, serde_json::Value>) -> Self {
        Self(map)
    }

    /// The members.
    #[must_use]
    pub fn as_map(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A map of JSON values always has a JSON form; `{}` is never reached.
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// Whether a key or string contains U+0000, at any depth.
fn holds_nul(map: &serde_json::Map<String, serde_json::Value>) -> bool {
    fn any(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => text.contains('\0'),
            serde_json::Value::Array(items) => items.iter().any(any),
            serde_json::Value::Object(map) => holds_nul(map),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
        }
    }
    map.iter().any(|(key, value)| key.contains('\0') || any(value))
}

/// An upper bound of a value's size in bytes as compact JSON, with a separator.
fn most_bytes(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Null | serde_json::Value::Bool(_) => 6,
        serde_json::Value::Number(_) => 32,
        serde_json::Value::String(text) => most_of_text(text),
        serde_json::Value::Array(items) => items.iter().fold(3, |sum, item| sum + most_bytes(item)),
        serde_json::Value::Object(map) => most_of_members(map),
    }
}

fn most_of_members(map: &serde_json::Map<String, serde_json::Value>) -> usize {
    map.iter().fold(3, |sum, (key, value)| sum + most_of_text(key) + most_bytes(value))
}

/// A byte becomes at most six (`\u001f`).
pub(super) fn most_of_text(text: &str) -> usize {
    3 + 6 * text.len()
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonObject({} members)", self.0.len())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for JsonObject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for JsonObject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = <serde_json::Map<String, serde_json::Value> as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(map).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{JsonObject, JsonObjectError};

    #[test]
    fn a_json_object_refuses_nul_at_any_depth_and_too_many_bytes() {
        let object = |text: &str| serde_json::from_str(text).unwrap();
        assert!(JsonObject::new(object(r#"{"a":[{"b":"c"}]}"#)).is_ok());
        assert_eq!(JsonObject::new(object(r#"{"a":[{"b\u0000":1}]}"#)), Err(JsonObjectError::Nul));
        assert_eq!(JsonObject::new(object(r#"{"a":["\u0000"]}"#)), Err(JsonObjectError::Nul));
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(JsonObject::MAX_BYTES));
        assert_eq!(JsonObject::new(object(&large)), Err(JsonObjectError::TooLarge));
    }

    #[test]
    fn only_the_top_level_keys_of_a_json_object_are_limited() {
        let with = |keys: Vec<String>| {
            keys.into_iter().map(|key| (key, serde_json::Value::Null)).collect::<serde_json::Map<_, _>>()
        };
        let many = |n: usize| with((0..n).map(|i| format!("k{i}")).collect());
        assert!(JsonObject::new(many(500)).is_ok());
        assert_eq!(JsonObject::new(many(501)), Err(JsonObjectError::TooManyKeys { count: 501 }));
        let long = |n: usize| with(vec!["ü".repeat(n)]);
        assert!(JsonObject::new(long(255)).is_ok());
        for bad in [long(256), with(vec![String::new()]), with(vec!["a\u{1b}".to_owned()])] {
            assert!(matches!(JsonObject::new(bad.clone()), Err(JsonObjectError::Key(_))));
            assert!(JsonObject::new([("k".to_owned(), bad.into())].into_iter().collect()).is_ok());
        }
    }
}
