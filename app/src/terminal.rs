//! Text that is safe to show on a terminal. Names and other data could contain escape sequences, which clear the screen
//! or type for the user, and characters that change the direction of the text after them.

use std::fmt::{self, Display, Formatter, Write};

/// Shows a value on lines of its own. Characters that a terminal would act on are written as `\u001b`, except ends of
/// lines. JSON keeps its meaning, because such characters occur only in its strings.
pub(crate) struct Lines<T>(pub(crate) T);

/// Shows a value within a line. Ends of lines are written as `\u000a` too.
pub(crate) struct Line<T>(pub(crate) T);

impl<T: Display> Display for Lines<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping { to: f, is_harmful: |c| c != '\n' && is_harmful(c) }, "{}", self.0)
    }
}

impl<T: Display> Display for Line<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaping { to: f, is_harmful }, "{}", self.0)
    }
}

/// Control characters (C0, DEL, C1), ends of lines and paragraphs, and all characters that change the direction of
/// text.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

struct Escaping<'a, 'f> {
    to: &'a mut Formatter<'f>,
    is_harmful: fn(char) -> bool,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, harmful)) = rest.char_indices().find(|(_, c)| (self.is_harmful)(*c)) {
            self.to.write_str(&rest[..at])?;
            // All of them have at most four digits, so this is also their form in JSON.
            write!(self.to, "\\u{:04x}", u32::from(harmful))?;
            rest = &rest[at + harmful.len_utf8()..];
        }
        self.to.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Line, Lines};

    const HARMFUL: &str = "a\u{1b}[2Jb\u{7f}\u{9b}31m\u{202e}c\u{2066}\u{2069}\u{200f}\u{061c}\u{2028}\rd\te";

    #[test]
    fn characters_that_a_terminal_acts_on_are_escaped() {
        for shown in [Lines(HARMFUL).to_string(), Line(HARMFUL).to_string()] {
            assert!(!shown.contains(super::is_harmful), "{shown:?}");
            assert!(shown.starts_with("a\\u001b[2Jb\\u007f\\u009b31m\\u202ec"), "{shown}");
        }
        assert_eq!(Lines("a\nb").to_string(), "a\nb");
        assert_eq!(Line("a\nb").to_string(), "a\\u000ab");
    }

    #[test]
    fn harmless_text_is_unchanged() {
        for text in ["", "Müller & Söhne 🦀", "שלום", "مرحبا", "日本語"] {
            assert_eq!((Lines(text).to_string().as_str(), Line(text).to_string().as_str()), (text, text));
        }
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let value = json!({ HARMFUL: [HARMFUL, "\\u001b", "line\nbreak"] });
        let shown = Lines(&value).to_string();
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        assert!(!shown.contains(super::is_harmful), "{shown}");
    }
}
