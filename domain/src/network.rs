//! Networks: ranges of IP addresses.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::violation::Rule;

/// A range of IP addresses: an address and the number of its leading bits that count (CIDR, RFC 4632), such as
/// `192.0.2.0/24` or `2001:db8::/32`. An address without a number of bits is a network of one address.
///
/// ```
/// use patron_domain::network::Network;
///
/// let office: Network = "192.0.2.0/24".parse().unwrap();
/// assert!(office.contains("192.0.2.77".parse().unwrap()));
/// // An IPv4-mapped IPv6 address counts as the IPv4 address.
/// assert!(office.contains("::ffff:192.0.2.77".parse().unwrap()));
/// assert!(!office.contains("192.0.3.1".parse().unwrap()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Why a text is not a valid [`Network`].
///
/// ```
/// use patron_domain::network::{Network, NetworkError};
///
/// assert_eq!(Network::new("192.0.2.1/24"), Err(NetworkError::HostBits));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The text is neither an address nor a network.
    #[error("must be a network such as 192.0.2.0/24 or 2001:db8::/32, or one address")]
    Format,
    /// Bits after the prefix are set, so probably another network was meant.
    #[error("must be the first address of a network: the bits after the prefix must be 0")]
    HostBits,
}

impl Rule for NetworkError {
    fn rule(&self) -> &'static str {
        "network"
    }
}

impl Network {
    /// Parses a network.
    ///
    /// # Errors
    /// [`NetworkError`] with the rule that the text breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NetworkError> {
        let (address, bits) = match text.as_ref().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.as_ref(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Format)?;
        let all = width(address);
        let bits = match bits {
            // `+8` and `08` are not valid prefix lengths.
            Some(bits) => bits.parse().ok().filter(|known: &u8| *known <= all && known.to_string() == bits),
            None => Some(all),
        };
        let network = Self { address, bits: bits.ok_or(NetworkError::Format)? };
        if network.prefix(bits_of(address)) == bits_of(address) { Ok(network) } else { Err(NetworkError::HostBits) }
    }

    /// Whether an address is in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other) = (self.address.to_canonical(), address.to_canonical());
        // The prefix of a network of mapped addresses includes 96 bits before the IPv4 address.
        let bits = if own.is_ipv4() && self.address.is_ipv6() { self.bits.saturating_sub(96) } else { self.bits };
        let network = Self { address: own, bits };
        own.is_ipv4() == other.is_ipv4() && network.prefix(bits_of(other)) == bits_of(own)
    }

    /// The leading bits of an address of the same kind.
    fn prefix(&self, bits: u128) -> u128 {
        let rest = u32::from(width(self.address) - self.bits);
        u128::MAX.checked_shl(rest).map_or(0, |mask| bits & mask)
    }
}

/// The number of bits of an address.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, NetworkError};

    fn holds(network: &str, address: &str) -> bool {
        Network::new(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.9.9.9", "::ffff:11.0.0.0"),
        ] {
            assert!(holds(network, inside), "{network} {inside}");
            assert!(!holds(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn text_that_is_not_a_network_is_refused() {
        for bad in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0/8",
            "::/129",
            "a.example",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(Network::new(bad), Err(NetworkError::Format), "{bad}");
        }
        for bad in ["10.0.0.1/8", "2001:db8::1/32", "::1/0"] {
            assert_eq!(Network::new(bad), Err(NetworkError::HostBits), "{bad}");
        }
    }

    #[test]
    fn display_returns_the_parsed_text() {
        for text in ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"] {
            assert_eq!(Network::new(text).unwrap().to_string(), text);
        }
    }
}
