//! The clients' own data on objects: string pairs, and JSON objects on integration mappings.

mod json_object;

use std::{collections::BTreeMap, fmt};

use crate::{
    text::{Controls, TextFault, TextRule},
    violation::{Rule, Violations},
};

use self::json_object::most_of_text;
pub use self::json_object::{JsonObject, JsonObjectError};

/// String pairs of a client, in the order of their keys.
///
/// At most [`Metadata::MAX_KEYS`] pairs, and [`Metadata::MAX_BYTES`] bytes in total as compact JSON. A key has 1 to
/// [`Metadata::MAX_KEY_CHARS`] characters, and no control characters. A value has 0 to [`Metadata::MAX_VALUE_CHARS`]
/// characters, and no U+0000. Values may be personal data, so `Debug` shows only the number of pairs.
///
/// ```
/// use patron_domain::metadata::Metadata;
///
/// let metadata = Metadata::new([("plan".to_owned(), "gold".to_owned())].into(), "metadata").unwrap();
/// assert_eq!(metadata.get("plan"), Some("gold"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

/// The faults of one pair, or of all pairs together.
///
/// ```
/// use patron_domain::metadata::{Metadata, MetadataError};
///
/// let broken = Metadata::new([("plan".to_owned(), "x".repeat(10_000))].into(), "metadata").unwrap_err();
/// assert_eq!(broken.iter().next().map(|one| one.rule), Some("max_length"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// There are too many pairs.
    #[error("metadata must have at most {max} keys, it has {count}", max = Metadata::MAX_KEYS)]
    TooManyKeys {
        /// The number of pairs given.
        count: usize,
    },
    /// The pairs are too large in total.
    #[error("metadata must be at most {max} bytes in total as compact JSON", max = Metadata::MAX_BYTES)]
    TooLarge,
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
            Self::TooLarge => "max_bytes",
            Self::Key(fault) | Self::Value(fault) => fault.rule(),
        }
    }
}

impl Metadata {
    /// The maximum number of pairs.
    pub const MAX_KEYS: usize = 500;
    /// The maximum number of characters in a key.
    pub const MAX_KEY_CHARS: usize = 255;
    /// The maximum number of characters in a value.
    pub const MAX_VALUE_CHARS: usize = 8_192;
    /// The maximum size of all pairs as compact JSON, in bytes: 64 KiB.
    pub const MAX_BYTES: usize = 65_536;

    const KEY: TextRule =
        TextRule { max: Self::MAX_KEY_CHARS, not_blank: false, controls: Controls::Refused, no_bidi: false };
    const VALUE: TextRule =
        TextRule { max: Self::MAX_VALUE_CHARS, not_blank: false, controls: Controls::Taken, no_bidi: false };

    /// Checks the pairs and keeps them unchanged.
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
        // Most metadata is so small that an upper bound is enough, without writing it as JSON.
        let most = pairs.iter().fold(3, |sum, (key, value)| sum + most_of_text(key) + most_of_text(value));
        if most > Self::MAX_BYTES && serde_json::to_string(&pairs).map_or(0, |json| json.len()) > Self::MAX_BYTES {
            broken.add(path, &MetadataError::TooLarge);
        }
        broken.into_result()?;
        Ok(Self(pairs))
    }

    /// Restores stored pairs. Limits are not checked, so rows stay readable when a limit is lowered.
    #[must_use]
    pub fn from_stored(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
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

    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no pairs.
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

/// The JSON path of an object's member: `metadata.plan`, or `metadata["a b"]` if the key is not a plain identifier. A
/// very long key is cut, as [`Violations`] cuts long paths.
#[must_use]
pub fn member_path(parent: &str, key: &str) -> String {
    let key = key.char_indices().nth(Violations::MAX_PATH_CHARS).map_or(key, |(end, _)| &key[..end]);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Metadata, member_path};

    fn one(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    fn paths(pairs: BTreeMap<String, String>) -> Vec<(String, &'static str)> {
        Metadata::new(pairs, "metadata").unwrap_err().into_iter().map(|v| (v.path, v.rule)).collect()
    }

    #[test]
    fn limits_are_exact() {
        assert!(Metadata::new(one(&"ü".repeat(255), &"🦀".repeat(8_192)), "metadata").is_ok());
        assert_eq!(paths(one(&"k".repeat(256), ""))[0].1, "max_length");
        assert_eq!(paths(one("k", &"v".repeat(8_193))), [("metadata.k".to_owned(), "max_length")]);
        let many = |n: usize| (0..n).map(|i| (format!("k{i}"), String::new())).collect::<BTreeMap<_, _>>();
        assert!(Metadata::new(many(500), "metadata").is_ok());
        assert_eq!(paths(many(501)), [("metadata".to_owned(), "max_keys")]);
    }

    #[test]
    fn all_pairs_together_have_at_most_64_kib_as_compact_json() {
        // {"k0":"…", … "k7":"…"}: braces, and for each pair four quotes, a colon, two characters, and a comma after all
        // but the last.
        let of_bytes = |bytes: usize| {
            let rest = bytes - 2 - 8 * 8 + 1 - 7 * 8_190;
            let values = [[8_190; 7].as_slice(), &[rest]].concat();
            let pairs = values.iter().enumerate().map(|(i, length)| (format!("k{i}"), "v".repeat(*length)));
            pairs.collect::<BTreeMap<_, _>>()
        };
        assert_eq!(serde_json::to_string(&of_bytes(65_536)).unwrap().len(), 65_536);
        assert!(Metadata::new(of_bytes(65_536), "metadata").is_ok());
        assert_eq!(paths(of_bytes(65_537)), [("metadata".to_owned(), "max_bytes")]);
        // Escaped characters count in their escaped form.
        let escaped = (0..2).map(|i| (format!("k{i}"), "\u{1}".repeat(8_000))).collect();
        assert_eq!(paths(escaped), [("metadata".to_owned(), "max_bytes")]);
    }

    #[test]
    fn an_empty_key_and_controls_are_refused_with_their_path() {
        assert_eq!(paths(one("", "v")), [("metadata[\"\"]".to_owned(), "required")]);
        assert_eq!(paths(one("k", "a\0b")), [("metadata.k".to_owned(), "no_control")]);
        assert_eq!(paths(one("a\tb", "v")), [("metadata[\"a\\tb\"]".to_owned(), "no_control")]);
        assert!(Metadata::new(one("k", "a\u{1b}\n\u{85}"), "metadata").is_ok());
    }

    #[test]
    fn paths_quote_keys_that_are_not_plain_identifiers() {
        assert_eq!(member_path("metadata", "plan-2"), "metadata.plan-2");
        assert_eq!(member_path("metadata", "a.b\""), "metadata[\"a.b\\\"\"]");
        assert_eq!(member_path("m", &"ü".repeat(500_000)).chars().count(), 256 + 5);
    }
}
