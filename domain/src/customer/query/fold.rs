//! Case folding: which texts are equal when upper and lower case do not matter.

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick};

/// A text without case distinctions, for searching and sorting.
///
/// Canonical caseless matching (The Unicode Standard, 3.13, D145): decompose, fold each character, compose again. A
/// character is folded by taking its lower-case, upper-case and again lower-case forms. That is the full case folding
/// of `CaseFolding.txt` (`ß` and `ẞ` become `ss`, all sigmas are equal). In addition the dotless `ı` and the dotted `İ`
/// become `i`, so that a search for `istanbul` finds `İSTANBUL`. Folding does not depend on a language and does not
/// remove accents. Stores keep the folded text beside the original, compare it byte by byte and never fold themselves,
/// so all stores give the same results.
///
/// It may be personal data, so `Debug` does not show it.
///
/// ```
/// use patron_domain::customer::query::Folded;
///
/// assert_eq!(Folded::new("STRASSE"), Folded::new("Straße"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Folded(String);

impl Folded {
    /// Folds a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text.is_ascii() {
            return Self(text.to_ascii_lowercase());
        }
        Self(compose(without_dots(text.nfd().flat_map(fold))))
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

fn fold(character: char) -> impl Iterator<Item = char> {
    character.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// Removes the combining dot above an `i`, which already has a dot: `İ` in lower case is `i` and U+0307. Marks below
/// the letter may come between the two (Unicode Standard, 3.13, `After_I`).
fn without_dots(folded: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    const DOT_ABOVE: char = '\u{307}';
    const ABOVE: u8 = 230;
    let mut after_i = false;
    folded.filter(move |&character| {
        let dots_an_i = after_i && character == DOT_ABOVE;
        let is_other_mark = || !matches!(canonical_combining_class(character), 0 | ABOVE);
        after_i = character == 'i' || (after_i && (dots_an_i || is_other_mark()));
        !dots_an_i
    })
}

fn compose(folded: impl Iterator<Item = char>) -> String {
    let text: String = folded.collect();
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text,
        _ => text.nfc().collect(),
    }
}

impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Folded(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Folded;

    fn fold(text: &str) -> String {
        Folded::new(text).into_string()
    }

    #[test]
    fn texts_that_differ_only_in_case_are_equal() {
        for (one, other) in [
            ("ACME", "acme"),
            ("ÄÖÜ", "äöü"),
            ("STRASSE", "straße"),
            ("STRAẞE", "strasse"),
            ("ΌΣΟΣ", "όσος"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("İstanbul", "i\u{307}stanbul"),
            ("İSTANBUL", "istanbul"),
            ("I\u{307}\u{307}STANBUL", "ıstanbul"),
            ("I\u{328}\u{307}", "į"),
            ("ISPARTA", "ısparta"),
            ("Ⅷ", "ⅷ"),
            ("ﬀ", "FF"),
            ("\u{212A}elvin", "kelvin"),
            ("E\u{301}", "é"),
            ("A\u{30A}NGSTRO\u{308}M", "\u{212B}ngström"),
            ("\u{1FB3}", "\u{391}\u{399}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn accents_and_compatibility_forms_stay_apart() {
        for (one, other) in
            [("cafe", "café"), ("x²", "x2"), ("ì\u{307}", "ì"), ("ė", "e"), ("a b", "a\u{a0}b"), ("100%", "100_")]
        {
            assert_ne!(fold(one), fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn folding_twice_equals_folding_once() {
        // No character beyond these planes has a case.
        for character in '\0'..='\u{1FFFF}' {
            let once = fold(&character.to_string());
            assert_eq!(fold(&once), once, "{character:?}");
            for case in [character.to_lowercase().to_string(), character.to_uppercase().to_string()] {
                assert_eq!(fold(&case), once, "{character:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn folding_a_text_twice_is_folding_it_once(text in "\\PC{0,12}|[aAßẞİıiIΣςé\u{301}\u{307}\u{328}\u{345}\u{308}]{0,12}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
