//! Where deliveries go.

use std::fmt;

use crate::{text::serde_as_text, violation::Rule};

/// The URL of an endpoint: `http` or `https`, at most 2048 printable ASCII characters, with a host and without user,
/// password or fragment. Whether its host may be talked to is found out at each delivery, by the address it has then.
///
/// ```
/// use patron_domain::webhook::EndpointUrl;
///
/// assert!(EndpointUrl::new("https://example.com:8443/hooks?of=patron").is_ok());
/// assert!(EndpointUrl::new("ftp://example.com").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl(String);

/// Why a text is no [`EndpointUrl`].
///
/// ```
/// use patron_domain::webhook::{EndpointUrl, EndpointUrlError};
///
/// assert_eq!(EndpointUrl::new("https://me:secret@example.com"), Err(EndpointUrlError::User));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointUrlError {
    /// It is too long.
    #[error("url must have at most {} characters", EndpointUrl::MAX_CHARS)]
    TooLong,
    /// It holds what no URL holds as it is.
    #[error("url must be printable ASCII; write other characters percent-encoded, and a host's name in punycode")]
    Characters,
    /// It begins otherwise.
    #[error("url must begin with https:// or http://")]
    Scheme,
    /// It holds a user or a password.
    #[error("url must hold no user and no password; verify the signature instead")]
    User,
    /// It has a fragment.
    #[error("url must have no fragment (#…): it would never be sent")]
    Fragment,
    /// It has no host, or a port that is none.
    #[error("url must name a host, and a port from 1 to 65535 if it names one")]
    Host,
}

impl Rule for EndpointUrlError {
    fn rule(&self) -> &'static str {
        match self {
            Self::TooLong => "max_length",
            _ => "webhook_url",
        }
    }
}

impl EndpointUrl {
    /// The most characters.
    pub const MAX_CHARS: usize = 2_048;

    /// Checks a URL.
    ///
    /// # Errors
    /// [`EndpointUrlError`] names the rule it breaks.
    pub fn new(url: impl Into<String>) -> Result<Self, EndpointUrlError> {
        use EndpointUrlError::{Characters, Fragment, Host, Scheme, TooLong, User};
        let url = url.into();
        if url.len() > Self::MAX_CHARS {
            return Err(TooLong);
        }
        let harmless = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if !url.bytes().all(harmless) {
            return Err(Characters);
        }
        let (scheme, rest) = url.split_once("://").ok_or(Scheme)?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err(Scheme);
        }
        if url.contains('#') {
            return Err(Fragment);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(User);
        }
        // The colons of an IPv6 address stand within brackets.
        let (host, port) = match authority.rfind(':').filter(|at| !authority[*at..].contains(']')) {
            Some(at) => (&authority[..at], Some(&authority[at + 1..])),
            None => (authority, None),
        };
        let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if host.is_empty() || host == "[]" || host.contains('%') || !port_fits {
            return Err(Host);
        }
        Ok(Self(url))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Path and query may hold what its owner takes for a secret, so only the beginning shows.
impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.match_indices(['/', '?']).nth(2).map_or(self.0.len(), |(at, _)| at);
        write!(f, "EndpointUrl({}…)", &self.0[..end])
    }
}

serde_as_text!(EndpointUrl);

#[cfg(test)]
mod tests {
    use super::{EndpointUrl, EndpointUrlError};

    #[test]
    fn only_plain_web_addresses_are_taken() {
        for good in [
            "https://example.com",
            "http://example.com:8080/hook?a=b",
            "HTTPS://example.com/",
            "http://[::1]:9/x",
            "http://127.0.0.1/",
            "https://xn--bcher-kva.example/%C3%A4",
        ] {
            assert!(EndpointUrl::new(good).is_ok(), "{good}");
        }
        use EndpointUrlError::{Characters, Fragment, Host, Scheme, TooLong, User};
        for (bad, error) in [
            ("", Scheme),
            ("ftp://example.com", Scheme),
            ("example.com", Scheme),
            ("file:///etc/passwd", Scheme),
            ("https://u:p@example.com", User),
            ("https://example.com/#a", Fragment),
            ("https:///x", Host),
            ("https://:80/x", Host),
            ("https://example.com:0/", Host),
            ("https://example.com:99999/", Host),
            ("https://[]/", Host),
            ("https://bücher.example", Characters),
            ("https://example.com/a b", Characters),
            ("https://example.com\\@evil", Characters),
        ] {
            assert_eq!(EndpointUrl::new(bad), Err(error), "{bad}");
        }
        assert_eq!(EndpointUrl::new(format!("https://e.x/{}", "a".repeat(2_048))), Err(TooLong));
    }

    #[test]
    fn path_and_query_are_not_shown() {
        let url = EndpointUrl::new("https://example.com/secret/path?token=1").unwrap();
        assert_eq!(format!("{url:?}"), "EndpointUrl(https://example.com…)");
    }
}
