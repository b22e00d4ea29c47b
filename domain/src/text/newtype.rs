//! The macros for newtypes of checked text.

/// Defines a newtype of checked text: a private value, a checked constructor, its own error, and, with the feature
/// `serde`, (de)serialisation through the constructor. `personal` keeps the value out of `Debug`. `lines true` accepts
/// tabs and line breaks; `no_bidi true` refuses bidirectional formatting characters.
macro_rules! text_newtype {
    (@debug personal $name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
    (@debug public $name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
    (
        $(#[$doc:meta])*
        $kind:ident $name:ident, $error:ident, $label:literal,
        max $max:literal $(, not_blank $not_blank:literal)? $(, lines $lines:literal)? $(, no_bidi $no_bidi:literal)?
    ) => {
        $(#[$doc])*
        ///
        /// ```
        /// # use patron_domain::{custom_field::*, customer::*, integration::*, onboarding::*, privacy::*, tax::*, tenancy::*, webhook::*};
        #[doc = concat!("let value = ", stringify!($name), "::new(\"one\").unwrap();")]
        /// assert_eq!(value.as_str(), "one");
        #[doc = concat!("assert!(", stringify!($name), "::new(\"1\".repeat(", stringify!($max), " + 1)).is_err());")]
        /// ```
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        crate::text::text_newtype!(@debug $kind $name);

        impl $name {
            /// The maximum number of characters (Unicode code points).
            pub const MAX_CHARS: usize = $max;

            const RULE: crate::text::TextRule = crate::text::TextRule {
                max: $max,
                not_blank: false $(|| $not_blank)?,
                controls: if false $(|| $lines)? {
                    crate::text::Controls::Lines
                } else {
                    crate::text::Controls::Refused
                },
                no_bidi: false $(|| $no_bidi)?,
            };

            /// Checks the text and keeps it unchanged: nothing is trimmed or folded.
            ///
            /// # Errors
            /// When the text is empty, too long, contains control characters or breaks another rule in the type's
            /// description.
            pub fn new(value: impl Into<String>) -> Result<Self, $error> {
                let value = value.into();
                Self::RULE.check(&value).map_err($error)?;
                Ok(Self(value))
            }

            /// Restores a stored text. Rules that may have become stricter are not checked again, so rows stay
            /// readable.
            ///
            /// # Errors
            /// When the text is empty, too long or contains U+0000: no version of this type ever accepted that.
            pub fn from_stored(value: impl Into<String>) -> Result<Self, $error> {
                let value = value.into();
                Self::RULE.check_stored(&value).map_err($error)?;
                Ok(Self(value))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        #[doc = concat!("Why a text is not a valid [`", stringify!($name), "`].")]
        ///
        /// ```
        /// # use patron_domain::{custom_field::*, customer::*, integration::*, onboarding::*, privacy::*, tax::*, tenancy::*, violation::Rule, webhook::*};
        #[doc = concat!("let refused = ", stringify!($name), "::new(\"\").unwrap_err();")]
        #[doc = concat!("assert_eq!(refused.to_string(), \"", $label, " must not be empty\");")]
        /// assert_eq!(refused.rule(), "required");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error("{label} {fault}", label = $label, fault = .0)]
        pub struct $error(
            /// The broken rule.
            pub crate::text::TextFault,
        );

        impl crate::violation::Rule for $error {
            fn rule(&self) -> &'static str {
                self.0.rule()
            }
        }

        crate::text::serde_as_text!($name);
    };
}

/// (De)serialisation of a newtype as text, through `new` and `as_str`.
macro_rules! serde_as_text {
    ($name:ident) => {
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {serde_as_text, text_newtype};
