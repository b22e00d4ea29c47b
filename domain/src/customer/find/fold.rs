//! The folding of texts that are found: neither case, accents, width nor punctuation matter.

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};

/// The words of a text without case, accents and width, separated by single spaces.
///
/// Each character is decomposed (NFKD, so full and half width are equal) and case-folded (`ß` is `ss`). Accents and other
/// marks above and below are dropped, and letters with a stroke or a ligature become plain ones: `ø`, `ł`, `đ`, `æ`. Marks
/// that make another letter stay: the voicing of kana, the virama, tones of Thai. Apostrophes and invisible characters are
/// dropped, and all other punctuation separates words. Folding does not depend on a language: `ü` is `u`, not `ue`.
///
/// It may be personal data, so `Debug` does not show it.
///
/// ```
/// use patron_domain::customer::find::FoldedWords;
///
/// assert_eq!(FoldedWords::new("Müller-Straße").to_string(), "muller strasse");
/// assert_eq!(FoldedWords::new("ﾃｽﾄ"), FoldedWords::new("テスト"));
/// ```
#[derive(Clone, Default)]
pub struct FoldedWords {
    pub(super) chars: Vec<char>,
    /// For each folded character, the place of its source among the characters of the text.
    sources: Vec<u32>,
}

/// Whether a character is dropped from words: it neither belongs to them nor separates them.
fn is_dropped(character: char) -> bool {
    // The iota below is a letter: it becomes `ι`.
    if character == '\u{345}' {
        return false;
    }
    match canonical_combining_class(character) {
        0 => matches!(
            character,
            '\'' | '\u{2019}'
                | '\u{2BC}'
                | '\u{AD}'
                | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{206F}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{640}'
        ),
        // The voicing of kana, the virama, and the vowels and tones of Thai, Lao and Tibetan make other letters.
        8 | 9 | 103 | 107 | 118 | 122 | 129..=132 => false,
        _ => true,
    }
}

/// Passes the folded characters of one character to `take`. Separators stay as they are.
fn fold(character: char, take: &mut impl FnMut(char)) {
    if character.is_ascii() {
        if character != '\'' {
            take(character.to_ascii_lowercase());
        }
        return;
    }
    for part in std::iter::once(character).nfkd().filter(|part| !is_dropped(*part)) {
        let plain = match part {
            'ø' | 'Ø' => "o",
            'ł' | 'Ł' => "l",
            'đ' | 'Đ' | 'ð' | 'Ð' => "d",
            'ħ' | 'Ħ' => "h",
            'ŧ' | 'Ŧ' => "t",
            'æ' | 'Æ' => "ae",
            'œ' | 'Œ' => "oe",
            'þ' | 'Þ' => "th",
            _ => {
                let folded = part.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
                folded.filter(|part| !is_dropped(*part)).for_each(&mut *take);
                continue;
            }
        };
        plain.chars().for_each(&mut *take);
    }
}

/// Whether a folded character belongs to a word.
fn is_in_word(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

impl FoldedWords {
    /// Folds a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut words = Self { chars: Vec::with_capacity(text.len()), sources: Vec::with_capacity(text.len()) };
        let mut separated = false;
        // A text has fewer than 2^32 characters.
        for (source, character) in (0_u32..).zip(text.chars()) {
            fold(character, &mut |folded| {
                if !is_in_word(folded) {
                    separated = true;
                    return;
                }
                if separated && !words.chars.is_empty() {
                    words.push(' ', source);
                }
                separated = false;
                words.push(folded, source);
            });
        }
        words
    }

    fn push(&mut self, character: char, source: u32) {
        self.chars.push(character);
        self.sources.push(source);
    }

    /// Whether there are no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// The words.
    pub(super) fn words(&self) -> impl Iterator<Item = &[char]> {
        self.chars.split(|character| *character == ' ').filter(|word| !word.is_empty())
    }

    /// The range of folded characters in the text itself, as characters of it. The end is exclusive, and takes in the
    /// marks that belong to the last character.
    pub(super) fn range(&self, from: usize, to: usize, text: &str) -> [usize; 2] {
        let source = |at: usize| self.sources.get(at).map_or(0, |source| *source as usize);
        let (begin, end) = (source(from), source(to.saturating_sub(1)) + 1);
        let marks = text.chars().skip(end).take_while(|character| is_combining_mark(*character)).count();
        [begin, end + marks]
    }
}

/// A text with its punctuation, folded like words and without spaces around it. Identifiers are exactly a text only if these
/// are equal: `a-1` is not `a1`.
pub(super) fn plain(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    text.trim().chars().for_each(|character| fold(character, &mut |one| folded.push(one)));
    folded
}

impl PartialEq for FoldedWords {
    fn eq(&self, other: &Self) -> bool {
        self.chars == other.chars
    }
}

impl Eq for FoldedWords {}

impl std::fmt::Display for FoldedWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.chars.iter().try_for_each(|character| std::fmt::Write::write_char(f, *character))
    }
}

impl std::fmt::Debug for FoldedWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FoldedWords(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FoldedWords, plain};
    use crate::customer::query::Folded;

    fn folded(text: &str) -> String {
        FoldedWords::new(text).to_string()
    }

    #[test]
    fn case_accents_width_and_punctuation_do_not_matter() {
        for (text, words) in [
            ("Müller", "muller"),
            ("MU\u{308}LLER", "muller"),
            ("Straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("Søren Kierkegård", "soren kierkegard"),
            ("Łódź", "lodz"),
            ("Đặng Văn Phúc", "dang van phuc"),
            ("Ærø", "aero"),
            ("Œuvre", "oeuvre"),
            ("Þór Guðrún", "thor gudrun"),
            ("İSTANBUL ısparta", "istanbul isparta"),
            ("Ñandú", "nandu"),
            ("Çağrı Şahin", "cagri sahin"),
            ("Škoda Plzeň", "skoda plzen"),
            ("Ἀθῆναι ΌΣΟΣ", "αθηναι οσοσ"),
            ("Королёв Йошкар", "королев иошкар"),
            ("ﾃｽﾄ", "テスト"),
            ("ｶﾞｽ", "カ\u{3099}ス"),
            ("ガス", "カ\u{3099}ス"),
            ("Ｐａｔｒｏｎ　１２", "patron 12"),
            ("ﬁnance", "finance"),
            ("O'Brien", "obrien"),
            ("O’Brien", "obrien"),
            ("info@acme.de", "info acme de"),
            ("  Acme,  GmbH & Co. KG ", "acme gmbh co kg"),
            ("أحمد", "احمد"),
            ("מִרְיָם", "מרים"),
            ("राम", "राम"),
            ("ไทย", "ไทย"),
            ("co\u{AD}operate\u{200B}d", "cooperated"),
            ("x²", "x2"),
            ("!!!", ""),
        ] {
            assert_eq!(folded(text), words, "{text}");
        }
        assert_ne!(folded("ハハ"), folded("パパ"), "voicing makes another word");
    }

    #[test]
    fn ranges_are_those_of_the_text_itself() {
        let range = |text: &str, from, to| FoldedWords::new(text).range(from, to, text);
        assert_eq!(range("Müller", 0, 6), [0, 6]);
        assert_eq!(range("Straße 1", 4, 7), [4, 6], "both letters of ß come from one");
        assert_eq!(range("Mu\u{308}ller", 0, 2), [0, 3], "with the mark");
        assert_eq!(range("a  & b", 2, 3), [5, 6]);
    }

    #[test]
    fn identifiers_keep_their_punctuation() {
        assert_eq!(plain(" CUS-1 "), "cus-1");
        assert_ne!(plain("a-1"), plain("a1"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,16}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn texts_that_differ_in_case_have_the_same_words(text in "\\PC{0,16}") {
            let without_case = Folded::new(&text);
            prop_assert_eq!(folded(without_case.as_str()), folded(&text));
        }
    }
}
