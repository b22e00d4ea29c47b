//! The address of a client: that of the connection, or the one that a trusted proxy reports.

use std::net::IpAddr;

use patron_domain::network::Network;
use rocket::Request;

use super::Api;

/// The header in which proxies report the client's address.
const FORWARDED: &str = "x-forwarded-for";

/// The address of a client. `None` without a connection, as in tests.
#[derive(Debug, Clone, Copy)]
struct Peer(Option<IpAddr>);

/// The address that a request comes from.
pub(crate) fn address(request: &Request<'_>) -> Option<IpAddr> {
    let Peer(address) = *request.local_cache(|| {
        let connection = request.remote().map(|remote| remote.ip().to_canonical());
        let trusted = Api::of(request).map(|api| api.options.trusted_proxies.as_slice()).unwrap_or_default();
        Peer(connection.map(|connection| behind(connection, request.headers().get(FORWARDED), trusted)))
    });
    address
}

/// The client behind a connection. Each proxy appends the address that it received the request from. So the list is
/// read from its end, as long as the addresses are those of trusted proxies. Entries that the client wrote itself are
/// never reached.
fn behind<'h>(connection: IpAddr, forwarded: impl Iterator<Item = &'h str>, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(connection) {
        return connection;
    }
    let all: Vec<&str> = forwarded.flat_map(|field| field.split(',')).collect();
    let mut last = connection;
    for entry in all.into_iter().rev() {
        // An entry that is not an address ends the list. The last known address counts.
        let Some(address) = parsed(entry.trim()) else { break };
        last = address;
        if !is_trusted(address) {
            break;
        }
    }
    last
}

/// An address, perhaps with a port: `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn parsed(entry: &str) -> Option<IpAddr> {
    let plain = entry.parse::<IpAddr>().ok();
    let with_port = || entry.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    plain.or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(connection: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<_> = trusted.iter().map(|text| Network::new(text).unwrap()).collect();
        behind(connection.parse().unwrap(), forwarded.iter().copied(), &trusted).to_string()
    }

    #[test]
    fn the_header_of_an_untrusted_connection_is_ignored() {
        assert_eq!(found("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(found("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn the_list_is_read_from_its_end_as_far_as_it_is_trusted() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (forwarded, wanted) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            // The entry of the client itself comes first.
            (&["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            (&["1.2.3.4", "198.51.100.1, 10.0.0.8"], "198.51.100.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["[2001:db9::1]:4711, [2001:db8::5]"], "2001:db9::1"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
            (&["198.51.100.1, unknown"], "10.0.0.1"),
            (&["unknown, 10.0.0.7"], "10.0.0.7"),
            (&[""], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(found("10.0.0.1", forwarded, &trusted), wanted, "{forwarded:?}");
        }
    }
}
