//! Languages.

use oxilangtag::LanguageTag;

use super::{Listed, TextList};
use crate::{text::serde_as_text, violation::Rule};

/// A language tag of BCP 47 (RFC 5646), well formed and in canonical case: `de-AT`, `zh-Hant-TW`.
///
/// ```
/// use patron_domain::customer::Locale;
///
/// assert_eq!(Locale::new("DE-at").unwrap().as_str(), "de-AT");
/// assert!(Locale::new("de_AT").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locale(String);

/// Why a text is not a [`Locale`].
///
/// ```
/// use patron_domain::{customer::{Locale, LocaleError}, violation::Rule};
///
/// assert_eq!(Locale::new("de_AT"), Err(LocaleError));
/// assert_eq!(LocaleError.rule(), "bcp_47");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a language tag of BCP 47 of at most 35 characters, such as de or de-AT")]
pub struct LocaleError;

impl Rule for LocaleError {
    fn rule(&self) -> &'static str {
        "bcp_47"
    }
}

impl Locale {
    /// The maximum number of characters, from RFC 5646, section 4.4.1.
    pub const MAX_CHARS: usize = 35;

    /// Checks that a tag is well formed, and puts it into canonical case. Whether its subtags are registered is not checked.
    ///
    /// # Errors
    /// When it is not well formed, or too long.
    pub fn new(tag: impl AsRef<str>) -> Result<Self, LocaleError> {
        let tag = tag.as_ref();
        if tag.len() > Self::MAX_CHARS {
            return Err(LocaleError);
        }
        let tag = LanguageTag::parse_and_normalize(tag).map_err(|_| LocaleError)?;
        Ok(Self(tag.into_inner()))
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_as_text!(Locale);

/// The languages that a customer prefers, the best first: at most 10.
///
/// ```
/// use patron_domain::customer::{Locale, Locales};
///
/// let locales = Locales::new(vec![Locale::new("de-AT").unwrap(), Locale::new("en").unwrap()]);
/// assert_eq!(locales.unwrap().len(), 2);
/// ```
pub type Locales = TextList<Locale>;

impl Listed for Locale {
    const NAME: &'static str = "preferred_locales";
    const MAX: Option<usize> = Some(10);
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn well_formed_tags_are_put_into_canonical_case() {
        for (given, kept) in [
            ("de", "de"),
            ("EN-us", "en-US"),
            ("zh-HANT-tw", "zh-Hant-TW"),
            ("sl-ROZAJ-biske", "sl-rozaj-biske"),
            ("de-x-PRIVATE", "de-x-private"),
            ("i-KLINGON", "i-klingon"),
        ] {
            assert_eq!(Locale::new(given).map(|locale| locale.as_str().to_owned()), Ok(kept.to_owned()));
        }
        for bad in ["", "d", "de_AT", "de-", "-de", "de--AT", "deutschland", "de-AT ", "d€", "12"] {
            assert!(Locale::new(bad).is_err(), "{bad}");
        }
        assert!(Locale::new(format!("de-x-{}-{}-{}-abc", "a".repeat(8), "b".repeat(8), "c".repeat(8))).is_ok());
        assert!(Locale::new(format!("de-x-{}-{}-{}-abcd", "a".repeat(8), "b".repeat(8), "c".repeat(8))).is_err());
    }
}
