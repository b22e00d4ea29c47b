//! What clients attach to things for their own use: string pairs, and free JSON objects on integration mappings.

use std::{collections::BTreeMap, fmt};

use crate::{
    text::{TextFault, TextRule},
    violation::{Rule, Violations},
};

/// Pairs of strings that a client attaches, in the order of their keys.
///
/// At most [`Metadata::MAX_KEYS`] pairs; a key has 1 to [`Metadata::MAX_KEY_CHARS`] characters, a value 0 to
/// [`Metadata::MAX_VALUE_CHARS`]; neither holds U+0000. Values may be personal, so `Debug` shows only the number of pairs.
///
/// ```
/// use patron_domain::metadata::Metadata;
///
/// let metadata = Metadata::new([("plan".to_owned(), "gold".to_owned())].into(), "metadata").unwrap();
/// assert_eq!(metadata.get("plan"), Some("gold"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

/// What is wrong with one pair, or with their number.
///
/// ```
/// use patron_domain::metadata::{Metadata, MetadataError};
///
/// let broken = Metadata::new([("plan".to_owned(), "x".repeat(10_000))].into(), "metadata").unwrap_err();
/// assert_eq!(broken.iter().next().map(|one| one.rule), Some("max_length"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// There are more pairs than allowed.
    #[error("metadata must have at most {max} keys, it has {count}", max = Metadata::MAX_KEYS)]
    TooManyKeys {
        /// The pairs given.
        count: usize,
    },
    /// A key breaks its rule.
    #[error("the metadata key {0}")]
    Key(TextFault),
    /// A value breaks its rule.
    #[error("the metadata value {0}")]
    Value(TextFault),
}

impl Rule for MetadataError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooManyKeys { .. } => "max_keys",
            Self::Key(fault) | Self::Value(fault) => fault.rule(),
        }
    }
}

impl Metadata {
    /// The most pairs.
    pub const MAX_KEYS: usize = 100;
    /// The most characters of a key.
    pub const MAX_KEY_CHARS: usize = 100;
    /// The most characters of a value.
    pub const MAX_VALUE_CHARS: usize = 1_000;

    const KEY: TextRule = TextRule { max: Self::MAX_KEY_CHARS, not_blank: false, no_control: false };
    const VALUE: TextRule = TextRule { max: Self::MAX_VALUE_CHARS, not_blank: false, no_control: false };

    /// Checks the pairs and takes them as they are.
    ///
    /// # Errors
    /// Every broken rule, each under `path` and, for one pair, its key (see [`member_path`]).
    pub fn new(pairs: BTreeMap<String, String>, path: &str) -> Result<Self, Violations> {
        let mut broken = Violations::new();
        if pairs.len() > Self::MAX_KEYS {
            broken.add(path, &MetadataError::TooManyKeys { count: pairs.len() });
        }
        for (key, value) in &pairs {
            if let Err(fault) = Self::KEY.check(key) {
                broken.add(member_path(path, key), &MetadataError::Key(fault));
            }
            match Self::VALUE.check(value) {
                Ok(()) | Err(TextFault::Empty) => {}
                Err(fault) => broken.add(member_path(path, key), &MetadataError::Value(fault)),
            }
        }
        broken.into_result()?;
        Ok(Self(pairs))
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The pairs in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs.
    #[must_use]
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metadata({} keys)", self.0.len())
    }
}

/// The JSON path of an object's member: `metadata.plan`, or `metadata["a b"]` where the key is no plain identifier.
#[must_use]
pub fn member_path(parent: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if plain { format!("{parent}.{key}") } else { format!("{parent}[{}]", serde_json::Value::from(key)) }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Metadata {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Metadata {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = <BTreeMap<String, String> as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(pairs, "metadata").map_err(serde::de::Error::custom)
    }
}

/// Any JSON object that a client attaches to an integration mapping.
///
/// Numbers keep what 64-bit integers and doubles hold. At most [`JsonObject::MAX_BYTES`] bytes as compact JSON, and no
/// U+0000 in any key or string. It may be personal, so `Debug` shows nothing of it.
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
    /// A key or string holds U+0000.
    #[error("must not hold the character U+0000")]
    Nul,
}

impl Rule for JsonObjectError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooLarge => "max_bytes",
            Self::Nul => "no_nul",
        }
    }
}

impl JsonObject {
    /// The most bytes as compact JSON: 64 KiB.
    pub const MAX_BYTES: usize = 65_536;

    /// Checks the object and takes it as it is.
    ///
    /// # Errors
    /// When it is too large or holds U+0000.
    pub fn new(map: serde_json::Map<String, serde_json::Value>) -> Result<Self, JsonObjectError> {
        let most = most_of_members(&map).ok_or(JsonObjectError::Nul)?;
        let object = Self(map);
        // Most objects are so small that nobody has to write them out to know.
        if most > Self::MAX_BYTES && object.to_json().len() > Self::MAX_BYTES {
            return Err(JsonObjectError::TooLarge);
        }
        Ok(object)
    }

    /// The members.
    #[must_use]
    pub fn as_map(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A map of JSON values always has a text form; `{}` stands in where serde_json would disagree.
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// The most bytes a value can take as compact JSON, with what stands between it and the next; `None` when it holds U+0000.
fn most_bytes(value: &serde_json::Value) -> Option<usize> {
    match value {
        serde_json::Value::Null | serde_json::Value::Bool(_) => Some(6),
        serde_json::Value::Number(_) => Some(32),
        serde_json::Value::String(text) => most_of_text(text),
        serde_json::Value::Array(items) => items.iter().try_fold(3, |sum, item| Some(sum + most_bytes(item)?)),
        serde_json::Value::Object(map) => most_of_members(map),
    }
}

fn most_of_members(map: &serde_json::Map<String, serde_json::Value>) -> Option<usize> {
    map.iter().try_fold(3, |sum, (key, value)| Some(sum + most_of_text(key)? + most_bytes(value)?))
}

/// A byte becomes six (`\u001f`) at most.
fn most_of_text(text: &str) -> Option<usize> {
    (!text.contains('\0')).then_some(3 + 6 * text.len())
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
    use std::collections::BTreeMap;

    use super::{JsonObject, JsonObjectError, Metadata, member_path};

    fn one(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    fn paths(pairs: BTreeMap<String, String>) -> Vec<(String, &'static str)> {
        Metadata::new(pairs, "metadata").unwrap_err().into_iter().map(|v| (v.path, v.rule)).collect()
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        assert!(Metadata::new(one(&"ü".repeat(100), &"🦀".repeat(1_000)), "metadata").is_ok());
        assert_eq!(paths(one(&"k".repeat(101), ""))[0].1, "max_length");
        assert_eq!(paths(one("k", &"v".repeat(1_001))), [("metadata.k".to_owned(), "max_length")]);
        let many = |n: usize| (0..n).map(|i| (format!("k{i}"), String::new())).collect::<BTreeMap<_, _>>();
        assert!(Metadata::new(many(100), "metadata").is_ok());
        assert_eq!(paths(many(101)), [("metadata".to_owned(), "max_keys")]);
    }

    #[test]
    fn an_empty_key_and_nul_are_refused_with_their_path() {
        assert_eq!(paths(one("", "v")), [("metadata[\"\"]".to_owned(), "required")]);
        assert_eq!(paths(one("k", "a\0b")), [("metadata.k".to_owned(), "no_nul")]);
    }

    #[test]
    fn paths_quote_what_is_no_plain_identifier() {
        assert_eq!(member_path("metadata", "plan-2"), "metadata.plan-2");
        assert_eq!(member_path("metadata", "a.b\""), "metadata[\"a.b\\\"\"]");
    }

    #[test]
    fn a_json_object_refuses_nul_at_any_depth_and_too_many_bytes() {
        let object = |text: &str| serde_json::from_str(text).unwrap();
        assert!(JsonObject::new(object(r#"{"a":[{"b":"c"}]}"#)).is_ok());
        assert_eq!(JsonObject::new(object(r#"{"a":[{"b\u0000":1}]}"#)), Err(JsonObjectError::Nul));
        assert_eq!(JsonObject::new(object(r#"{"a":["\u0000"]}"#)), Err(JsonObjectError::Nul));
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(JsonObject::MAX_BYTES));
        assert_eq!(JsonObject::new(object(&large)), Err(JsonObjectError::TooLarge));
    }
}
