//! Names to addresses, of which only those pass that deliveries may go to. The client connects to what passes here and to
//! nothing else, so no name can point elsewhere between the check and the connection.

use std::{
    error::Error,
    fmt,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    vec::IntoIter,
};

use hyper_util::client::legacy::connect::dns::Name;
use patron_domain::webhook::is_public;
use tokio::sync::Semaphore;
use tower_service::Service;

/// The most names that are looked up at once. Each look-up blocks a thread, of which the databases need some too.
const LOOK_UPS: usize = 4;
static FREE: Semaphore = Semaphore::const_new(LOOK_UPS);

/// Resolves names as the system does.
#[derive(Debug, Clone)]
pub(super) struct PublicResolver {
    /// Whether every address passes: the development switch.
    pub(super) allow_private: bool,
}

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAddress {
    /// It has no address.
    Unknown,
    /// It has none that deliveries may go to.
    Refused,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the host has no address",
            Self::Refused => "the host has no public address",
        })
    }
}

impl Error for NoAddress {}

impl Service<Name> for PublicResolver {
    type Response = IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            // It is never closed.
            let _permit = FREE.acquire().await?;
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| NoAddress::Unknown)?;
            Ok(allowed(found, allow_private)?.into_iter())
        })
    }
}

fn allowed(found: impl Iterator<Item = SocketAddr>, allow_private: bool) -> Result<Vec<SocketAddr>, NoAddress> {
    let mut found = found.peekable();
    found.peek().ok_or(NoAddress::Unknown)?;
    let allowed: Vec<_> = found.filter(|address| allow_private || is_public(address.ip())).collect();
    if allowed.is_empty() { Err(NoAddress::Refused) } else { Ok(allowed) }
}

#[cfg(test)]
mod tests {
    use super::{NoAddress, allowed};

    #[test]
    fn only_public_addresses_pass() {
        let all = ["127.0.0.1:0", "8.8.8.8:0", "[::1]:0"].map(|address| address.parse().unwrap());
        assert_eq!(allowed(all.into_iter(), false), Ok(vec![all[1]]));
        assert_eq!(allowed(all.into_iter(), true), Ok(all.to_vec()));
        assert_eq!(allowed([all[0], all[2]].into_iter(), false), Err(NoAddress::Refused));
        assert_eq!(allowed([].into_iter(), false), Err(NoAddress::Unknown));
    }
}
