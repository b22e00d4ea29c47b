//! E-mail addresses.

use std::{fmt, net::IpAddr};

use email_address::{EmailAddress, Options};

use crate::{text::serde_as_text, violation::Rule};

/// An e-mail address (RFC 5321 with the international characters of RFC 6531), at most 254 characters.
///
/// Quoted local parts are fine. The domain has a dot and is neither an IP literal nor ends in a numeric label, and holds
/// no underscore and no final dot: what a mail server on the Internet can be reached at.
///
/// ```
/// use patron_domain::customer::Email;
///
/// assert!(Email::new("billing@example.com").is_ok());
/// assert!(Email::new("billing@example").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why a text is no [`Email`].
///
/// ```
/// use patron_domain::customer::{Email, EmailError};
///
/// assert_eq!(Email::new("nobody@localhost"), Err(EmailError::Syntax));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// It has more characters than allowed.
    #[error("email must have at most {max} characters", max = Email::MAX_CHARS)]
    TooLong,
    /// It is not written as an address.
    #[error("email must be an address such as name@example.com")]
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
    /// The most characters (Unicode code points): RFC 5321, 4.5.3.1.3, less the angle brackets.
    pub const MAX_CHARS: usize = 254;

    /// Checks the address and takes it as it is: case is kept.
    ///
    /// # Errors
    /// When it is too long or not written as an address.
    pub fn new(value: impl Into<String>) -> Result<Self, EmailError> {
        let value = value.into();
        if value.len() > Self::MAX_CHARS && value.chars().count() > Self::MAX_CHARS {
            return Err(EmailError::TooLong);
        }
        let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
        let address = EmailAddress::parse_with_options(&value, options).map_err(|_| EmailError::Syntax)?;
        if value.chars().any(char::is_control) || !is_public_domain(address.domain()) {
            return Err(EmailError::Syntax);
        }
        Ok(Self(value))
    }

    /// Takes back an address that `new` accepted when it was stored: the syntax is not checked again, so that a newer
    /// version of these rules makes no stored row unreadable.
    ///
    /// # Errors
    /// When the text cannot have been stored by this type at all: no `@`, too long, or a control character.
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

/// What the parser leaves open: it takes `a@b_c.com`, `a@10.0.0.1` and `a@example.com.`.
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

    use super::{Email, EmailError};

    #[test]
    fn addresses_that_mail_can_reach_are_taken() {
        for good in ["a@b.co", "\"quoted local\"@example.com", "ünï@exämple.de", "a+tag@sub.example.museum", "A@B.CO"]
        {
            assert_eq!(Email::new(good).map(Email::into_string), Ok(good.to_owned()), "{good}");
        }
    }

    #[test]
    fn what_no_mail_can_reach_is_refused() {
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

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "\\PC{0,60}|[a-z.@\"\\[\\]]{0,30}") {
            let _ = Email::new(text);
        }
    }
}
