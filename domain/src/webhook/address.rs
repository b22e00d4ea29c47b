//! Which addresses a delivery may go to: only public Internet addresses, so that no endpoint can make the server call
//! its own network (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::url::EndpointUrl;
use crate::{network::Network, violation::Rule};

/// The addresses that a server calls: public ones over `https`, and others only if the operator allows it.
///
/// ```
/// use patron_domain::webhook::{CallPolicy, EndpointUrl, NotCalled};
///
/// let check = |policy: &CallPolicy, url| policy.check(&EndpointUrl::new(url).unwrap());
/// let strict = CallPolicy::default();
/// assert_eq!(check(&strict, "https://example.com"), Ok(()));
/// assert_eq!(check(&strict, "http://example.com"), Err(NotCalled::PlainHttp));
/// assert_eq!(check(&strict, "https://10.0.0.1"), Err(NotCalled::Private));
/// let development = CallPolicy { allow_private: true, ..CallPolicy::default() };
/// assert_eq!(check(&development, "http://127.0.0.1:4000"), Ok(()));
/// let never = vec!["127.0.0.0/8".parse().unwrap()];
/// assert_eq!(check(&CallPolicy { never, ..development }, "http://127.0.0.1:4000"), Err(NotCalled::Never));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallPolicy {
    /// Whether public addresses may be called over plain `http`, where anyone on the network path can read the
    /// deliveries.
    pub allow_http: bool,
    /// Whether private addresses may be called, over `https` and over plain `http`. For development.
    pub allow_private: bool,
    /// Networks that are never called, whatever else is allowed.
    pub never: Vec<Network>,
}

/// Why a [`CallPolicy`] does not allow an address.
///
/// ```
/// use patron_domain::webhook::NotCalled;
///
/// assert_eq!(NotCalled::PlainHttp.to_string(), "this server does not call plain http");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCalled {
    /// The address is not public.
    #[error("this server does not call private addresses")]
    Private,
    /// The call would use plain `http`.
    #[error("this server does not call plain http")]
    PlainHttp,
    /// The address belongs to a network that is never called.
    #[error("this server never calls this network")]
    Never,
}

impl Rule for NotCalled {
    fn rule(&self) -> &'static str {
        "address_refused"
    }
}

impl CallPolicy {
    /// Whether an address may be called: over `https` when `encrypted`, over plain `http` otherwise.
    #[must_use]
    pub fn allows(&self, encrypted: bool, address: IpAddr) -> bool {
        if self.is_never_called(address) {
            return false;
        }
        if is_public(address) { encrypted || self.allow_http } else { self.allow_private }
    }

    /// Checks a URL as far as possible without a look-up: a name may still resolve to private addresses only.
    ///
    /// # Errors
    /// [`NotCalled`] when no address that the URL can lead to may be called.
    pub fn check(&self, url: &EndpointUrl) -> Result<(), NotCalled> {
        let encrypted = url.is_encrypted();
        match url.address() {
            Some(address) if self.allows(encrypted, address) => Ok(()),
            Some(address) if self.is_never_called(address) => Err(NotCalled::Never),
            Some(address) if is_public(address) => Err(NotCalled::PlainHttp),
            Some(_) => Err(NotCalled::Private),
            None if self.allow_private => Ok(()),
            None if is_this_machine(url.host()) => Err(NotCalled::Private),
            None if encrypted || self.allow_http => Ok(()),
            None => Err(NotCalled::PlainHttp),
        }
    }

    /// Whether an address belongs to a network that is never called. If an IPv6 address contains an IPv4 address (mapped,
    /// NAT64, 6to4), both are checked.
    fn is_never_called(&self, address: IpAddr) -> bool {
        let carried = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => carried_v4(address).map(IpAddr::V4),
        };
        self.never.iter().any(|network| network.contains(address) || carried.is_some_and(|one| network.contains(one)))
    }
}

/// `localhost` and names below it (RFC 6761, section 6.3).
fn is_this_machine(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

/// Whether an address is public according to the IANA registries of special-purpose addresses. Private, loopback,
/// link-local (where clouds serve metadata), shared (CGNAT), multicast, reserved and documentation addresses are not.
/// An IPv6 address that embeds an IPv4 address (mapped, NAT64, 6to4) is judged by the IPv4 address.
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
    ([168, 63, 129, 16], 32), // Azure platform services
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

/// The IPv4 address in an IPv6 address.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        // IPv4-mapped, and NAT64 by its well-known prefix.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(embedded(high, low)),
        // 6to4.
        [0x2002, high, low, ..] => Some(embedded(high, low)),
        _ => None,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(carried) = carried_v4(address) {
        return is_public_v4(carried);
    }
    match address.segments() {
        // Teredo and other protocol assignments, documentation (both).
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Global unicast. The rest is loopback, link-local, unique local, multicast or unassigned.
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
    fn each_setting_allows_its_own_kind_of_address() {
        use NotCalled::{PlainHttp, Private};
        // With no setting, with plain http, with private addresses, with both.
        let policies = [(false, false), (true, false), (false, true), (true, true)]
            .map(|(allow_http, allow_private)| CallPolicy { allow_http, allow_private, never: Vec::new() });
        for (url, expected) in [
            ("https://example.com", [Ok(()); 4]),
            ("https://8.8.8.8", [Ok(()); 4]),
            ("https://10.0.0.1", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("https://localhost", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("http://app.LOCALHOST.:80", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("http://[::1]:4000", [Err(Private), Err(Private), Ok(()), Ok(())]),
            ("http://8.8.8.8", [Err(PlainHttp), Ok(()), Err(PlainHttp), Ok(())]),
            // The address of a name is still unknown.
            ("http://example.com", [Err(PlainHttp), Ok(()), Ok(()), Ok(())]),
            ("http://notlocalhost", [Err(PlainHttp), Ok(()), Ok(()), Ok(())]),
        ] {
            let checked = policies.each_ref().map(|policy| policy.check(&EndpointUrl::new(url).unwrap()));
            assert_eq!(checked, expected, "{url}");
        }
    }

    #[test]
    fn what_is_never_called_is_refused_whatever_else_is_allowed() {
        let never = ["203.0.113.0/24", "10.1.0.0/16", "2001:db8::/32"].map(|network| network.parse().unwrap()).to_vec();
        let policy = CallPolicy { allow_http: true, allow_private: true, never };
        for (address, allowed) in [
            ("203.0.113.9", false),
            ("10.1.2.3", false),
            ("10.2.2.3", true),
            ("2001:db8::1", false),
            ("8.8.8.8", true),
            ("::ffff:10.1.2.3", false),
            ("64:ff9b::a01:203", false),
            ("2002:a01:203::1", false),
        ] {
            assert_eq!(policy.allows(true, address.parse().unwrap()), allowed, "{address}");
        }
        let check = |url| policy.check(&EndpointUrl::new(url).unwrap());
        assert_eq!(check("https://10.1.2.3"), Err(NotCalled::Never));
        assert_eq!(check("https://example.com"), Ok(()), "the address of a name is not known yet");
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
    fn other_addresses_are_not_public() {
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
