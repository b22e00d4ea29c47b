//! E-mail addresses.

use std::{borrow::Cow, fmt, net::IpAddr};

use email_address::{EmailAddress, Options};
use unicode_normalization::char::is_combining_mark;

use crate::{
    text::{is_invisible, serde_as_text},
    violation::Rule,
};

/// An e-mail address (RFC 5321 with the international characters of RFC 6531), at most 254 characters.
///
/// Quoted local parts are allowed, and so are letters with combining marks in any script, composed or decomposed. The
/// domain must be one that Internet mail can reach: it has a dot, is not an IP literal, does not end in a numeric
/// label, and contains neither underscores nor a final dot. Invisible and control characters are refused, because two
/// different addresses could look the same.
///
/// ```
/// use patron_domain::customer::Email;
///
/// assert!(Email::new("billing@example.com").is_ok());
/// assert!(Email::new("billing@example").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why a text is not a valid [`Email`].
///
/// ```
/// use patron_domain::customer::{Email, EmailError};
///
/// assert_eq!(Email::new("nobody@localhost"), Err(EmailError::Syntax));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// The text is longer than [`Email::MAX_CHARS`].
    #[error("e-mail address must have at most {max} characters", max = Email::MAX_CHARS)]
    TooLong,
    /// The text does not have the form of an address.
    #[error("e-mail address must be one such as name@example.com")]
    Syntax,
}

impl Rule for EmailError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooLong => "max_length",
            Self::Syntax => "email",
        }
    }
}

impl Email {
    /// The maximum length in characters (Unicode code points): RFC 5321, 4.5.3.1.3, without the angle brackets.
    pub const MAX_CHARS: usize = 254;

    /// Checks the address and keeps it unchanged, including its case.
    ///
    /// # Errors
    /// When the text is too long or does not have the form of an address.
    pub fn new(value: impl Into<String>) -> Result<Self, EmailError> {
        let value = value.into();
        if value.len() > Self::MAX_CHARS && value.chars().count() > Self::MAX_CHARS {
            return Err(EmailError::TooLong);
        }
        if is_plain(&value) || is_address(&value) { Ok(Self(value)) } else { Err(EmailError::Syntax) }
    }

    /// Restores a stored address. The syntax is not checked again, so a newer version of these rules keeps stored rows
    /// readable.
    ///
    /// # Errors
    /// When this type can never have stored the text: it has no `@`, is too long, or contains a control character.
    pub fn from_stored(value: String) -> Result<Self, EmailError> {
        let plausible = value.contains('@') && !value.chars().any(char::is_control);
        if plausible && value.chars().count() <= Self::MAX_CHARS { Ok(Self(value)) } else { Err(EmailError::Syntax) }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The complete check, apart from the length.
fn is_address(value: &str) -> bool {
    if value.chars().any(|one| one.is_control() || is_invisible(one)) {
        return false;
    }
    let Some(value) = in_ascii(value) else { return false };
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    EmailAddress::parse_with_options(&value, options).is_ok_and(|address| is_public_domain(address.domain()))
}

/// The text with every non-ASCII letter, digit and combining mark (general category M) replaced by as many ASCII
/// letters as it has bytes, because the parser accepts only some of them. `None` when a mark follows no letter.
fn in_ascii(value: &str) -> Option<Cow<'_, str>> {
    if value.is_ascii() {
        return Some(Cow::Borrowed(value));
    }
    let mut text = String::with_capacity(value.len());
    let mut after_letter = false;
    for character in value.chars() {
        let is_mark = is_combining_mark(character);
        if is_mark && !after_letter {
            return None;
        }
        after_letter = is_mark || character.is_alphanumeric();
        if after_letter && !character.is_ascii() {
            text.extend(std::iter::repeat_n('a', character.len_utf8()));
        } else {
            text.push(character);
        }
    }
    Some(Cow::Owned(text))
}

/// Whether this is an ordinary address, as nearly all are, which one pass over the bytes shows: words joined by single
/// signs, and a last label that begins with a letter. Other addresses can be valid too.
fn is_plain(value: &str) -> bool {
    let value = value.as_bytes();
    let Some(at) = value.iter().position(|byte| *byte == b'@') else { return false };
    let Some(dot) = value.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > at) else { return false };
    are_words(&value[..at], |sign| matches!(sign, b'.' | b'-' | b'_' | b'+'))
        && are_words(&value[at + 1..], |sign| matches!(sign, b'.' | b'-'))
        && value.get(dot + 1).is_some_and(u8::is_ascii_alphabetic)
}

/// Whether the text consists of words of ASCII letters and digits, joined by single signs, within the length limits of
/// a local part and of labels.
fn are_words(text: &[u8], is_sign: impl Fn(u8) -> bool) -> bool {
    let mut in_word = false;
    for byte in text {
        let is_of_word = byte.is_ascii_alphanumeric();
        let fits = is_of_word || (in_word && is_sign(*byte));
        if !fits {
            return false;
        }
        in_word = is_of_word;
    }
    in_word && text.len() <= 63
}

/// The checks that the parser lacks: it accepts `a@b_c.com`, `a@10.0.0.1` and `a@example.com.`.
fn is_public_domain(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && !domain.contains('_')
        && domain.split('.').all(|label| !label.is_empty())
        && !last.bytes().all(|b| b.is_ascii_digit())
        && domain.parse::<IpAddr>().is_err()
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(redacted)")
    }
}

serde_as_text!(Email);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Email, EmailError, is_address, is_plain};

    #[test]
    fn addresses_that_mail_can_reach_are_accepted() {
        for good in ["a@b.co", "\"quoted local\"@example.com", "ünï@exämple.de", "a+tag@sub.example.museum", "A@B.CO"]
        {
            assert_eq!(Email::new(good).map(Email::into_string), Ok(good.to_owned()), "{good}");
        }
    }

    #[test]
    fn letters_with_marks_are_accepted_in_any_script_and_composition() {
        for good in [
            "संपर्क@डाटामेल.भारत",
            "ติดต่อ@ตัวอย่าง.ไทย",
            "தொடர்பு@உதாரணம்.இந்தியா",
            "jose\u{301}@exa\u{301}mple.com",
            "josé@exámple.com",
            "مَرحبا@مِثال.إختبار",
            "m\u{300}\u{323}a@a\u{300}.vn",
            "\"jose\u{301} é\"@b.co",
        ] {
            assert_eq!(Email::new(good).map(Email::into_string), Ok(good.to_owned()), "{good}");
        }
        for bad in [
            "\u{301}a@b.co",
            "a.\u{301}b@b.co",
            "a@\u{301}b.co",
            "a@b.\u{301}co",
            "a+\u{301}@b.co",
            "a\u{200D}b@c.de",
            "a\u{200B}@c.de",
            "a@c\u{FE0F}.de",
            "\u{FEFF}a@c.de",
            "a\u{AD}b@c.de",
            "a\u{202E}b@c.de",
        ] {
            assert_eq!(Email::new(bad), Err(EmailError::Syntax), "{bad:?}");
        }
        // The maximum length of a local part in bytes, and one mark more.
        assert!(Email::new(format!("{}@b.co", "e\u{301}".repeat(21))).is_ok());
        assert!(Email::new(format!("{}@b.co", "e\u{301}".repeat(22))).is_err());
    }

    #[test]
    fn addresses_that_mail_cannot_reach_are_refused() {
        for bad in [
            "",
            "a",
            "a@b",
            "@b.co",
            "a@",
            "a@@b.co",
            "a b@c.de",
            "a..b@c.de",
            ".a@c.de",
            "a.@c.de",
            "a@b..co",
            "a@b.co.",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@b.123",
            "a@b_c.com",
            "Ada <a@b.co>",
            "a@b.co\n",
            "a\0@b.co",
            "a@-b.co",
        ] {
            assert!(Email::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_limit_is_254_characters() {
        let domain = format!("{}.{}.{}.com", "a".repeat(61), "b".repeat(62), "c".repeat(62));
        let local = |n: usize| format!("{}@{domain}", "l".repeat(n));
        let room = 254 - domain.len() - 1;
        assert_eq!(local(room).chars().count(), 254);
        assert!(Email::new(local(room)).is_ok());
        assert_eq!(Email::new(format!("{}@{domain}", "ü".repeat(room + 1))), Err(EmailError::TooLong));
    }

    #[test]
    fn an_ordinary_address_is_plain() {
        for plain in ["grace@example.com", "a.b-c_d+e@sub-1.example.co.uk", "A1@B2.CO"] {
            assert!(is_plain(plain), "{plain}");
        }
        for not_plain in ["a@b.c0m.1", "a@b", "a.b", "a@@b.co", "a@-b.co", "a@b-.co", "a@b..co", "a@b.co.", "ü@b.co"] {
            assert!(!is_plain(not_plain), "{not_plain}");
        }
        let long = "a".repeat(64);
        assert!(!is_plain(&format!("{long}@b.co")) && !is_plain(&format!("a@{long}.co")));
    }

    proptest! {
        #[test]
        fn what_is_plain_is_an_address(text in "[a-c1._+-]{0,4}@[a-c1.-]{0,6}|[a-z0-9.@_+-]{0,30}|[a1.-]{50,80}@[a1.-]{50,80}") {
            prop_assert!(!is_plain(&text) || is_address(&text), "{}", text);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC{0,60}|[a-z.@\"\\[\\]\u{301}\u{94d}\u{200d}]{0,30}") {
            let _ = Email::new(text);
        }
    }
}
