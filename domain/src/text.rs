//! Checked text: the rules that all text fields share, and the macro for their newtypes.
//!
//! Lengths are counted in characters (Unicode code points), not bytes or grapheme clusters, so that clients can check
//! them in any language. Control characters are refused everywhere except in metadata values, because terminals, logs
//! and CSV files interpret them. U+0000 is refused in metadata values too, because PostgreSQL cannot store it.

mod newtype;

use std::fmt;

pub(crate) use self::newtype::{serde_as_text, text_newtype};

/// The rule of a text field. Only the newtypes of this crate have one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextRule {
    /// The maximum number of characters (code points).
    pub(crate) max: usize,
    /// Whether text of only white space and invisible characters is refused.
    pub(crate) not_blank: bool,
    /// Which control characters (Unicode general category Cc) are accepted.
    pub(crate) controls: Controls,
    /// Whether bidirectional formatting characters are refused. This is for names that people choose among: with these
    /// characters one name can look like another.
    pub(crate) no_bidi: bool,
}

/// Which control characters a text may contain. U+0000 is never accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controls {
    /// None.
    Refused,
    /// Tab, line feed and carriage return, for text of several lines.
    Lines,
    /// All.
    Taken,
}

impl Controls {
    fn take(self, character: char) -> bool {
        match self {
            Self::Refused => false,
            Self::Lines => matches!(character, '\t' | '\n' | '\r'),
            Self::Taken => true,
        }
    }
}

impl TextRule {
    pub(crate) fn check(&self, value: &str) -> Result<(), TextFault> {
        // Most texts are short and printable ASCII, in which only the space is white space.
        let plain = value.len() <= self.max && !value.starts_with(' ') && !value.is_empty();
        if plain && is_printable(value.as_bytes()) { Ok(()) } else { self.look_closely(value) }
    }

    #[cold]
    fn look_closely(&self, value: &str) -> Result<(), TextFault> {
        self.check_stored(value)?;
        if self.not_blank && value.chars().all(|one| one.is_whitespace() || is_invisible(one)) {
            return Err(TextFault::Blank);
        }
        if value.chars().any(|one| one.is_control() && !self.controls.take(one)) {
            return Err(TextFault::Control);
        }
        if self.no_bidi && value.chars().any(turns_direction) {
            return Err(TextFault::Bidi);
        }
        Ok(())
    }

    /// The minimal rule for stored text of any version, so rows stay readable when a rule becomes stricter.
    pub(crate) fn check_stored(&self, value: &str) -> Result<(), TextFault> {
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
        Ok(())
    }
}

/// Whether a character is invisible by itself: characters with the property `Default_Ignorable_Code_Point` (Unicode 17,
/// `DerivedCoreProperties.txt`), such as the soft hyphen, joiners, the zero-width space, the byte order mark and
/// variation selectors; annotation marks; and the blank braille pattern.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Whether a character is a bidirectional override, embedding or isolate (Unicode Standard Annex 9, 2.1 to 2.4).
fn turns_direction(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text consists of printable ASCII characters. Every byte is looked at, so that the compiler can check many at once.
fn is_printable(text: &[u8]) -> bool {
    text.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Why a text was refused. It does not contain the text, which may be personal data.
///
/// ```
/// use patron_domain::{TextFault, customer::{ExternalId, ExternalIdError}};
///
/// assert_eq!(ExternalId::new(""), Err(ExternalIdError(TextFault::Empty)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// The text is empty.
    Empty,
    /// The text has only white space and invisible characters.
    Blank,
    /// The text has too many characters.
    TooLong {
        /// The maximum number of characters.
        max: usize,
        /// The number of characters in the text.
        length: usize,
    },
    /// The text contains the character U+0000.
    Nul,
    /// The text contains a control character (Unicode general category Cc) that the field does not accept.
    Control,
    /// The text contains a bidirectional formatting character: U+202A to U+202E or U+2066 to U+2069.
    Bidi,
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("must not be empty"),
            Self::Blank => f.write_str("must contain more than white space and invisible characters"),
            Self::TooLong { max, length } => write!(f, "must have at most {max} characters, it has {length}"),
            Self::Nul => f.write_str("must not contain the character U+0000"),
            Self::Control => f.write_str("must not contain control characters"),
            Self::Bidi => f.write_str("must not contain bidirectional formatting characters (U+202A-E, U+2066-9)"),
        }
    }
}

impl TextFault {
    /// The stable name of the broken rule, for programs.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::Blank => "not_blank",
            Self::TooLong { .. } => "max_length",
            Self::Nul | Self::Control => "no_control",
            Self::Bidi => "no_bidi",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Controls, TextFault, TextRule, is_printable};

    const RULE: TextRule = TextRule { max: 3, not_blank: true, controls: Controls::Refused, no_bidi: true };

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(RULE.check("äöü"), Ok(()));
        assert_eq!(RULE.check("🦀🦀🦀"), Ok(()));
        assert_eq!(RULE.check("äöüß"), Err(TextFault::TooLong { max: 3, length: 4 }));
    }

    #[test]
    fn each_fault_has_its_own_rule() {
        assert_eq!(RULE.check(""), Err(TextFault::Empty));
        assert_eq!(RULE.check(" \u{3000}"), Err(TextFault::Blank));
        assert_eq!(RULE.check("a\0"), Err(TextFault::Nul));
        assert_eq!(RULE.check("a\u{7f}"), Err(TextFault::Control));
        assert_eq!(RULE.check("a\u{202E}"), Err(TextFault::Bidi));
    }

    #[test]
    fn text_of_several_lines_may_have_tabs_and_line_breaks_but_no_other_controls() {
        let lines = TextRule { controls: Controls::Lines, ..RULE };
        for text in ["a\n", "a\tb", "a\r\n"] {
            assert_eq!((lines.check(text), RULE.check(text)), (Ok(()), Err(TextFault::Control)), "{text:?}");
        }
        for text in ["a\u{85}", "a\u{1b}", "a\u{b}", "a\u{c}", "a\u{7f}", "a\u{9f}"] {
            assert_eq!(lines.check(text), Err(TextFault::Control), "{text:?}");
        }
        assert_eq!(TextRule { controls: Controls::Taken, ..RULE }.check("a\u{1b}"), Ok(()));
        assert_eq!(TextRule { controls: Controls::Taken, ..RULE }.check("a\0"), Err(TextFault::Nul));
    }

    #[test]
    fn invisible_text_is_blank() {
        for text in
            ["\u{200B}", "\u{200D}\u{200C}", "\u{FEFF}", " \u{AD}\t", "\u{FE0F}", "\u{2060}\u{3164}", "\u{E0020}"]
        {
            assert_eq!(RULE.check(text), Err(TextFault::Blank), "{text:?}");
        }
        for text in ["\u{301}", "\u{200E}a", "\u{FFFD}", "·"] {
            assert_eq!(RULE.check(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn a_stored_text_can_be_restored_when_rules_become_stricter() {
        for text in ["a\u{1b}", "\u{200B}", "\u{202E}a"] {
            assert!(RULE.check(text).is_err() && RULE.check_stored(text).is_ok(), "{text:?}");
        }
        for text in ["", "a\0", "aaaa"] {
            assert!(RULE.check_stored(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn each_byte_is_checked_at_every_position() {
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
            for (not_blank, controls) in [(false, Controls::Lines), (true, Controls::Refused)] {
                let rule = TextRule { max: 10, not_blank, controls, no_bidi: not_blank };
                prop_assert_eq!(rule.check(&text), rule.look_closely(&text));
            }
        }
    }
}
