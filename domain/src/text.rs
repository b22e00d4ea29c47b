//! Checked text: the rules every text field shares, and the macro that makes a newtype of them.
//!
//! Lengths are counted in characters (Unicode code points), not bytes and not grapheme clusters, so that a client can
//! check them in any language. U+0000 is refused everywhere, because no database here can store it.

use std::fmt;

/// What a text field allows. Only the newtypes of this crate name one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextRule {
    /// The most characters (code points) allowed.
    pub(crate) max: usize,
    /// Whether text of white space alone is refused.
    pub(crate) not_blank: bool,
    /// Whether control characters (Unicode general category Cc) are refused.
    pub(crate) no_control: bool,
}

impl TextRule {
    pub(crate) fn check(&self, value: &str) -> Result<(), TextFault> {
        // Most texts are short and of printable ASCII characters, of which only the space is white.
        let plain = value.len() <= self.max && !value.starts_with(' ') && !value.is_empty();
        if plain && is_printable(value.as_bytes()) { Ok(()) } else { self.look_closely(value) }
    }

    #[cold]
    fn look_closely(&self, value: &str) -> Result<(), TextFault> {
        if value.is_empty() {
            return Err(TextFault::Empty);
        }
        if value.contains('\0') {
            return Err(TextFault::Nul);
        }
        // A string never has more characters than bytes, so most values need no counting.
        if value.len() > self.max {
            let length = value.chars().count();
            if length > self.max {
                return Err(TextFault::TooLong { max: self.max, length });
            }
        }
        if self.not_blank && value.chars().all(char::is_whitespace) {
            return Err(TextFault::Blank);
        }
        if self.no_control && value.chars().any(char::is_control) {
            return Err(TextFault::Control);
        }
        Ok(())
    }
}

/// Whether a text is of printable ASCII characters alone. Looks at eight at once, of which the last may overlap others.
fn is_printable(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk() {
        return text.as_chunks().0.iter().all(|eight| are_printable(*eight)) && are_printable(*last);
    }
    match (text.first_chunk(), text.last_chunk()) {
        (Some([a, b, c, d]), Some([e, f, g, h])) => are_printable([*a, *b, *c, *d, *e, *f, *g, *h]),
        _ => text.iter().all(|byte| matches!(byte, b' '..=b'~')),
    }
}

/// Whether each of eight bytes is from `' '` to `'~'`: told by the highest bits of sums and differences of all of them.
fn are_printable(eight: [u8; 8]) -> bool {
    const ONE_EACH: u64 = u64::MAX / 0xFF;
    const HIGHEST_BITS: u64 = 0x80 * ONE_EACH;
    let bytes = u64::from_ne_bytes(eight);
    let above = bytes | bytes.wrapping_add(ONE_EACH);
    let not_below = (bytes | HIGHEST_BITS) - u64::from(b' ') * ONE_EACH;
    (above | !not_below) & HIGHEST_BITS == 0
}

/// Why a text was refused. It never holds the text itself, which may be personal.
///
/// ```
/// use patron_domain::{TextFault, customer::{ExternalId, ExternalIdError}};
///
/// assert_eq!(ExternalId::new(""), Err(ExternalIdError(TextFault::Empty)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// The text has no character at all.
    Empty,
    /// The text holds nothing but white space.
    Blank,
    /// The text has more characters than the field allows.
    TooLong {
        /// The most characters allowed.
        max: usize,
        /// The characters the text has.
        length: usize,
    },
    /// The text holds the character U+0000.
    Nul,
    /// The text holds a control character (Unicode general category Cc).
    Control,
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("must not be empty"),
            Self::Blank => f.write_str("must hold more than white space"),
            Self::TooLong { max, length } => write!(f, "must have at most {max} characters, it has {length}"),
            Self::Nul => f.write_str("must not hold the character U+0000"),
            Self::Control => f.write_str("must not hold control characters"),
        }
    }
}

impl TextFault {
    /// The short, stable name of the broken rule, for programs.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::Blank => "not_blank",
            Self::TooLong { .. } => "max_length",
            Self::Nul => "no_nul",
            Self::Control => "no_control_characters",
        }
    }
}

/// Makes a newtype over checked text: private value, one checked constructor, an error of its own, and, with the
/// feature `serde`, (de)serialisation through that constructor. `personal` keeps the value out of `Debug`.
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
        max $max:literal $(, not_blank $not_blank:literal)? $(, no_control $no_control:literal)?
    ) => {
        $(#[$doc])*
        ///
        /// ```
        /// # use patron_domain::{customer::*, integration::*, onboarding::*, tax::*, tenancy::*, webhook::*};
        #[doc = concat!("let value = ", stringify!($name), "::new(\"one\").unwrap();")]
        /// assert_eq!(value.as_str(), "one");
        #[doc = concat!("assert!(", stringify!($name), "::new(\"1\".repeat(", stringify!($max), " + 1)).is_err());")]
        /// ```
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        crate::text::text_newtype!(@debug $kind $name);

        impl $name {
            /// The most characters (Unicode code points) allowed.
            pub const MAX_CHARS: usize = $max;

            const RULE: crate::text::TextRule = crate::text::TextRule {
                max: $max,
                not_blank: false $(|| $not_blank)?,
                no_control: false $(|| $no_control)?,
            };

            /// Checks the text and takes it as it is: nothing is trimmed or folded.
            ///
            /// # Errors
            /// When the text is empty, too long, holds U+0000 or breaks another rule named in the type's description.
            pub fn new(value: impl Into<String>) -> Result<Self, $error> {
                let value = value.into();
                Self::RULE.check(&value).map_err($error)?;
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

        #[doc = concat!("Why a text is no valid [`", stringify!($name), "`].")]
        ///
        /// ```
        /// # use patron_domain::{customer::*, integration::*, onboarding::*, tax::*, tenancy::*, violation::Rule, webhook::*};
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TextFault, TextRule, is_printable};

    const RULE: TextRule = TextRule { max: 3, not_blank: true, no_control: true };

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(RULE.check("äöü"), Ok(()));
        assert_eq!(RULE.check("🦀🦀🦀"), Ok(()));
        assert_eq!(RULE.check("äöüß"), Err(TextFault::TooLong { max: 3, length: 4 }));
    }

    #[test]
    fn each_fault_is_told_apart() {
        assert_eq!(RULE.check(""), Err(TextFault::Empty));
        assert_eq!(RULE.check(" \u{3000}"), Err(TextFault::Blank));
        assert_eq!(RULE.check("a\0"), Err(TextFault::Nul));
        assert_eq!(RULE.check("a\u{7f}"), Err(TextFault::Control));
        assert_eq!(TextRule { no_control: false, ..RULE }.check("a\n"), Ok(()));
    }

    #[test]
    fn each_byte_is_seen_wherever_it_stands() {
        for length in 1..=20 {
            for (place, byte) in (0..length).flat_map(|place| (0..=u8::MAX).map(move |byte| (place, byte))) {
                let mut text = vec![b'~'; length];
                text[place] = byte;
                assert_eq!(is_printable(&text), matches!(byte, b' '..=b'~'), "{byte} at {place} of {length}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_glance_is_as_strict_as_a_close_look(text in "[ -~]{0,12}|\\PC{0,5}|[ -~]{0,12}[\0-\u{7f}][ -~]{0,12}") {
            for (not_blank, no_control) in [(false, false), (true, true)] {
                let rule = TextRule { max: 10, not_blank, no_control };
                prop_assert_eq!(rule.check(&text), rule.look_closely(&text));
            }
        }
    }
}
