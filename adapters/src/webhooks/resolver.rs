//! Resolves names, and returns only addresses that deliveries may go to. The client connects only to these, so a name
//! cannot change its address between the check and the connection.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec::IntoIter,
};

use hyper_util::client::legacy::connect::dns::Name;
use patron_domain::webhook::CallPolicy;
use tower_service::Service;

use super::names::Names;

/// Resolves names to the addresses that may be called.
#[derive(Clone)]
pub(super) struct CheckingResolver {
    /// Looks up the names.
    pub(super) names: Names,
    /// The allowed addresses.
    pub(super) calls: CallPolicy,
    /// Whether the connection is encrypted.
    pub(super) encrypted: bool,
}

/// The reason why a name has no usable address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAddress {
    /// The name has no address.
    Unknown,
    /// The name has no address that deliveries may go to.
    Refused,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the host has no address",
            Self::Refused => "the host has no address that may be called",
        })
    }
}

impl Error for NoAddress {}

impl Service<Name> for CheckingResolver {
    type Response = IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { names, calls, encrypted } = self.clone();
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await;
            let found = found.iter().map(|address| SocketAddr::new(*address, 0));
            Ok(allowed(found, |address| calls.allows(encrypted, address))?.into_iter())
        })
    }
}

fn allowed(
    found: impl Iterator<Item = SocketAddr>,
    passes: impl Fn(IpAddr) -> bool,
) -> Result<Vec<SocketAddr>, NoAddress> {
    let mut found = found.peekable();
    found.peek().ok_or(NoAddress::Unknown)?;
    let allowed: Vec<_> = found.filter(|address| passes(address.ip())).collect();
    if allowed.is_empty() { Err(NoAddress::Refused) } else { Ok(allowed) }
}

#[cfg(test)]
mod tests {
    use patron_domain::webhook::CallPolicy;

    use super::{NoAddress, allowed};

    #[test]
    fn only_allowed_addresses_pass() {
        let all = ["127.0.0.1:0", "8.8.8.8:0", "[::1]:0"].map(|address| address.parse().unwrap());
        let by = |encrypted, allow_http, allow_private| {
            let calls = CallPolicy { allow_http, allow_private, never: Vec::new() };
            allowed(all.into_iter(), |address| calls.allows(encrypted, address))
        };
        assert_eq!(by(true, false, false), Ok(vec![all[1]]));
        assert_eq!(by(true, false, true), Ok(all.to_vec()));
        assert_eq!(by(false, false, false), Err(NoAddress::Refused));
        assert_eq!(by(false, true, false), Ok(vec![all[1]]));
        assert_eq!(by(false, false, true), Ok(vec![all[0], all[2]]), "no public address over plain http");
        assert_eq!(allowed([].into_iter(), |_| true), Err(NoAddress::Unknown));
    }
}
