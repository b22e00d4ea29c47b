//! Which addresses a delivery may go to: those of the public Internet alone, so that nobody can make the server talk to
//! its own neighbours (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::url::EndpointUrl;
use crate::violation::Rule;

/// Which addresses a server calls: public ones over `https`, and more only where its operator allows it.
///
/// ```
/// use patron_domain::webhook::{CallPolicy, EndpointUrl, NotCalled};
///
/// let check = |policy: CallPolicy, url| policy.check(&EndpointUrl::new(url).unwrap());
/// let strict = CallPolicy::default();
/// assert_eq!(check(strict, "https://example.com"), Ok(()));
/// assert_eq!(check(strict, "http://example.com"), Err(NotCalled::PlainHttp));
/// assert_eq!(check(strict, "https://10.0.0.1"), Err(NotCalled::Private));
/// let development = CallPolicy { allow_private: true, ..strict };
/// assert_eq!(check(development, "http://127.0.0.1:4000"), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallPolicy {
    /// Whether public addresses are called over plain `http` too: anybody on the way can read what is sent.
    pub allow_http: bool,
    /// For development: whether private addresses are called, over `https` and over plain `http`.
    pub allow_private: bool,
}

/// Why a server does not call an address, with the setting that would allow it.
///
/// ```
/// use patron_domain::webhook::NotCalled;
///
/// assert!(NotCalled::PlainHttp.to_string().contains("PATRON_WEBHOOKS_ALLOW_HTTP"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCalled {
    /// It is not of the public Internet.
    #[error(
        "this server calls no private addresses: use a public one, or start the server with \
         PATRON_WEBHOOKS_ALLOW_PRIVATE=true (for development)"
    )]
    Private,
    /// It would be called over plain `http`.
    #[error(
        "this server does not call plain http: use https, or start the server with PATRON_WEBHOOKS_ALLOW_HTTP=true \
         (for a host on a private network PATRON_WEBHOOKS_ALLOW_PRIVATE=true)"
    )]
    PlainHttp,
}

impl Rule for NotCalled {
    fn rule(&self) -> &'static str {
        "address_refused"
    }
}

impl CallPolicy {
    /// Whether an address is called: over `https` when `encrypted`, over plain `http` otherwise.
    #[must_use]
    pub fn allows(self, encrypted: bool, address: IpAddr) -> bool {
        if is_public(address) { encrypted || self.allow_http } else { self.allow_private }
    }

    /// Whether a URL is called, as far as it tells that itself: a name may still turn out to have private addresses alone.
    ///
    /// # Errors
    /// [`NotCalled`] when no address it can lead to is called.
    pub fn check(self, url: &EndpointUrl) -> Result<(), NotCalled> {
        let encrypted = url.is_encrypted();
        match url.address() {
            Some(address) if self.allows(encrypted, address) => Ok(()),
            Some(address) if is_public(address) => Err(NotCalled::PlainHttp),
            Some(_) => Err(NotCalled::Private),
            None if self.allow_private => Ok(()),
            None if is_this_machine(url.host()) => Err(NotCalled::Private),
            None if encrypted || self.allow_http => Ok(()),
            None => Err(NotCalled::PlainHttp),
        }
    }
}

/// `localhost` and names below it (RFC 6761, section 6.3).
fn is_this_machine(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

/// Whether an address belongs to the public Internet, by the IANA registries of special-purpose addresses. Whatever is
/// private, loopback, link-local (where clouds keep their metadata), shared (CGNAT), multicast, reserved or for
/// documentation does not. An IPv6 address that carries an IPv4 address (mapped, NAT64, 6to4) is judged by that one.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Networks that are not public, with the length of their prefix.
const SPECIAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),        // this network
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // shared (CGNAT)
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // the host of a machine at Azure
    ([169, 254, 0, 0], 16),   // link-local, metadata
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 88, 99, 0], 24),   // 6to4 relays
    ([192, 168, 0, 0], 16),   // private
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !SPECIAL_V4.iter().any(|(network, length)| (bits ^ u32::from(Ipv4Addr::from(*network))) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // IPv4-mapped, and NAT64 by its well-known prefix.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        // 6to4.
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Teredo and other protocol assignments, documentation (both).
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Global unicast; all else is loopback, link-local, unique local, multicast, or given to nobody.
        [first, ..] => first >> 13 == 1,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::{CallPolicy, EndpointUrl, NotCalled, is_public};

    #[test]
    fn a_policy_allows_each_kind_of_address_by_itself() {
        use NotCalled::{PlainHttp, Private};
        // Without anything, with plain http, with private addresses, with both.
        let policies = [(false, false), (true, false), (false, true), (true, true)]
            .map(|(allow_http, allow_private)| CallPolicy { allow_http, allow_private });
        for (url, expected) in [
            ("https://example.com", [Ok(()); 4]),
            ("https://8.8.8.8", [Ok(()); 4]),
            ("https://10.0.0.1", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("https://localhost", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("http://app.LOCALHOST.:80", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("http://[::1]:4000", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("http://8.8.8.8", [Err(PlainHttp), Ok(()), Err(PlainHttp), Ok(())]),
            // What the name leads to is not known yet.
            ("http://example.com", [Err(PlainHttp), Ok(()), Ok(()), Ok(())]),
            ("http://notlocalhost", [Err(PlainHttp), Ok(()), Ok(()), Ok(())]),
        ] {
            let checked = policies.map(|policy| policy.check(&EndpointUrl::new(url).unwrap()));
            assert_eq!(checked, expected, "{url}");
        }
    }

    #[test]
    fn public_addresses_are_public() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "198.17.0.1",
            "223.255.255.254",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn no_other_address_is() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001::1",
            "100::1",
            "5f00::1",
            "64:ff9b:1::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::1",
            "2002:c0a8:1::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }
}
