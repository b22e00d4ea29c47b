//! The URLs of endpoints.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use crate::{text::serde_as_text, violation::Rule};

/// The URL of an endpoint: `http` or `https`, at most 2048 printable ASCII characters, with a host and without user,
/// password or fragment. Whether the host may be called depends on its address at each delivery;
/// [`super::CallPolicy::check`] checks what the URL alone shows.
///
/// ```
/// use patron_domain::webhook::EndpointUrl;
///
/// assert!(EndpointUrl::new("https://example.com:8443/hooks?of=patron").is_ok());
/// assert!(EndpointUrl::new("ftp://example.com").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl(String);

/// Why a text is not a valid [`EndpointUrl`].
///
/// ```
/// use patron_domain::webhook::{EndpointUrl, EndpointUrlError};
///
/// assert_eq!(EndpointUrl::new("https://me:secret@example.com"), Err(EndpointUrlError::User));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointUrlError {
    /// The text is too long.
    #[error("url must have at most {} characters", EndpointUrl::MAX_CHARS)]
    TooLong,
    /// The text contains characters that a URL must encode.
    #[error("url must be printable ASCII; write other characters percent-encoded, and a host's name in punycode")]
    Characters,
    /// The text has another scheme or none.
    #[error("url must begin with https:// or http://")]
    Scheme,
    /// The URL contains a user or password.
    #[error("url must not contain a user or password; verify the signature instead")]
    User,
    /// The URL has a fragment.
    #[error("url must not have a fragment (#…), which HTTP never sends")]
    Fragment,
    /// The URL has no valid host or an invalid port.
    #[error(
        "url must have a host (a name, an IPv4 address, or an IPv6 address in brackets such as [2001:db8::1]), and a port \
         from 1 to 65535 if it has one"
    )]
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
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 2_048;

    /// Checks a URL.
    ///
    /// # Errors
    /// [`EndpointUrlError`] for the rule that is broken.
    pub fn new(url: impl Into<String>) -> Result<Self, EndpointUrlError> {
        let url = Self::from_stored(url)?;
        let (host, port) = url.host_and_port();
        let port_fits = port.is_none_or(is_port);
        if is_host(host) && port_fits { Ok(url) } else { Err(EndpointUrlError::Host) }
    }

    /// Restores a stored URL. Hosts and ports are not checked as strictly as in `new`, because older versions checked
    /// less: a URL with a wrong host fails when it is called, and does not prevent reading the other endpoints.
    ///
    /// # Errors
    /// [`EndpointUrlError`] for the rule that is broken.
    pub fn from_stored(url: impl Into<String>) -> Result<Self, EndpointUrlError> {
        use EndpointUrlError::{Characters, Fragment, Host, Scheme, TooLong, User};
        let url = url.into();
        if url.len() > Self::MAX_CHARS {
            return Err(TooLong);
        }
        let harmless = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if !url.bytes().all(harmless) {
            return Err(Characters);
        }
        let (scheme, _) = url.split_once("://").ok_or(Scheme)?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err(Scheme);
        }
        if url.contains('#') {
            return Err(Fragment);
        }
        let url = Self(url);
        match url.authority() {
            "" => Err(Host),
            authority if authority.contains('@') => Err(User),
            _ => Ok(url),
        }
    }

    /// Host and port, as written.
    fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or_default()
    }

    /// The host, with the brackets of an IPv6 address, and the text after its colon.
    fn host_and_port(&self) -> (&str, Option<&str>) {
        let authority = self.authority();
        // The colons of an IPv6 address are within brackets.
        match authority.rfind(':').filter(|at| !authority[*at..].contains(']')) {
            Some(at) => (&authority[..at], Some(&authority[at + 1..])),
            None => (authority, None),
        }
    }

    /// The host: a name, or an address, with the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host_and_port().0
    }

    /// The host's address, if the URL contains an address instead of a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let host = self.host();
        let within = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        within.unwrap_or(host).parse().ok()
    }

    /// Whether the connection is encrypted: `https`.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name of letters, digits, hyphens and underscores between dots, or an address. A number alone, such as
/// `2130706433`, is left to the resolver.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    // A dot at the end stands for the DNS root.
    host.len() <= MAX_HOST_CHARS && host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

/// `u16::parse` would accept a sign.
fn is_port(port: &str) -> bool {
    port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Path and query may contain secrets of the owner, so only the part before them is shown.
impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.match_indices(['/', '?']).nth(2).map_or(self.0.len(), |(at, _)| at);
        write!(f, "EndpointUrl({}…)", &self.0[..end])
    }
}

/// The maximum length of a host name (RFC 1035, section 2.3.4), with a dot at the end.
const MAX_HOST_CHARS: usize = 254;

serde_as_text!(EndpointUrl);

#[cfg(test)]
mod tests {
    use super::{EndpointUrl, EndpointUrlError};

    #[test]
    fn only_plain_web_urls_are_accepted() {
        for good in [
            "https://example.com",
            "http://example.com:8080/hook?a=b",
            "HTTPS://example.com/",
            "http://[::1]:9/x",
            "http://127.0.0.1/",
            "https://xn--bcher-kva.example/%C3%A4",
            "https://example.com./",
            "https://my_service.internal:65535",
            "https://[2001:db8::1]",
            "http://2130706433/",
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
            ("http://[::1:8430/", Host),
            ("http://::1]:8430/", Host),
            ("http://::1/", Host),
            ("http://[::1]8430/", Host),
            ("http://[::1]:/", Host),
            ("http://[::1%25eth0]/", Host),
            ("http://[127.0.0.1]/", Host),
            ("http://[[::1]]/", Host),
            ("http://[v1.a]/", Host),
            ("https://example.com:/", Host),
            ("https://example.com:+80/", Host),
            ("https://example.com:80:80/", Host),
            ("https://example..com/", Host),
            ("https://./", Host),
            ("https://.example.com/", Host),
            ("https://a,b/", Host),
            ("https://*.example.com/", Host),
            ("https://exa%6dple.com/", Host),
            ("https://bücher.example", Characters),
            ("https://example.com/a b", Characters),
            ("https://example.com\\@evil", Characters),
        ] {
            assert_eq!(EndpointUrl::new(bad), Err(error), "{bad}");
        }
        assert_eq!(EndpointUrl::new(format!("https://e.x/{}", "a".repeat(2_048))), Err(TooLong));
        assert_eq!(EndpointUrl::new(format!("https://{}.x/", "a".repeat(253))), Err(Host));
    }

    #[test]
    fn a_stored_url_can_still_be_read() {
        let stored = EndpointUrl::from_stored("http://[::1:8430/").unwrap();
        assert_eq!((stored.as_str(), stored.address()), ("http://[::1:8430/", None));
        assert_eq!(EndpointUrl::from_stored("ftp://example.com"), Err(EndpointUrlError::Scheme));
    }

    #[test]
    fn a_url_has_a_host() {
        for (url, host, is_address, is_encrypted) in [
            ("https://example.com:8443/x", "example.com", false, true),
            ("HTTP://10.0.0.1?a", "10.0.0.1", true, false),
            ("https://[::1]:9/x", "[::1]", true, true),
            ("http://2130706433/", "2130706433", false, false),
        ] {
            let url = EndpointUrl::new(url).unwrap();
            let told = (url.host(), url.address().is_some(), url.is_encrypted());
            assert_eq!(told, (host, is_address, is_encrypted), "{url:?}");
        }
    }

    #[test]
    fn path_and_query_are_not_shown() {
        let url = EndpointUrl::new("https://example.com/secret/path?token=1").unwrap();
        assert_eq!(format!("{url:?}"), "EndpointUrl(https://example.com…)");
    }
}
