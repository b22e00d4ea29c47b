//! Enumerations that are words on the wire and in stores.

use crate::violation::Rule;

/// The error for a text that is not one of the allowed words.
///
/// ```
/// use patron_domain::{UnknownWord, lifecycle::Status};
///
/// let unknown: UnknownWord = Status::parse("lost").unwrap_err();
/// assert_eq!(unknown.to_string(), "must be one of: published, archived, deleted");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {allowed}")]
pub struct UnknownWord {
    pub(crate) allowed: &'static str,
}

impl Rule for UnknownWord {
    fn rule(&self) -> &'static str {
        "one_of"
    }
}

/// Gives an enumeration its words: `as_str`, `parse`, `ALL`, and (de)serialisation with the feature `serde`.
macro_rules! words {
    ($name:ident, $allowed:expr, $($variant:ident => $word:expr),+ $(,)?) => {
        impl $name {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire and in stores.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The value of a word, case-sensitive.
            ///
            /// # Errors
            /// For any other word; the error lists the allowed ones.
            pub fn parse(word: &str) -> Result<Self, crate::UnknownWord> {
                let known = Self::ALL.iter().copied().find(|known| known.as_str() == word);
                known.ok_or(crate::UnknownWord { allowed: $allowed })
            }

            /// The same of any text.
            ///
            /// # Errors
            /// For any other word; the error names those allowed.
            pub fn new(word: impl AsRef<str>) -> Result<Self, crate::UnknownWord> {
                Self::parse(word.as_ref())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::new(word)
            }
        }

        crate::text::serde_as_text!($name);
    };
}

pub(crate) use words;
