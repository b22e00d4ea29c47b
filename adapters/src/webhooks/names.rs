//! Look-ups of host names, without blocking a thread. Environments take turns, and results are cached for a while.
//!
//! One tenant's slow names must not block others, so look-ups take turns by environment. Waiting for a turn does not
//! count towards the time that an endpoint has to answer. A look-up has its own time limit, and a name that was not
//! found is not looked up again at once.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use moka::future::Cache;
use patron_domain::ids::EnvironmentId;

use crate::turns::Turns;

/// The longest time for a look-up.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The most look-ups at once.
const LOOK_UPS: usize = 16;
/// How long addresses are valid. A few seconds, so that changes of addresses are noticed.
const FOUND: Duration = Duration::from_secs(10);
/// How long a name without an address is not looked up again.
const NOT_FOUND: Duration = Duration::from_secs(30);
/// How long results are cached, for the connection that follows the look-up.
const KEPT: Duration = Duration::from_secs(60);
/// The most cached names.
const NAMES: u64 = 10_000;
/// The name server if the system configures none, as in the system's own resolver.
const USUAL_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 53);

/// Looks up host names.
#[derive(Clone)]
pub(super) struct Names(Arc<Inner>);

struct Inner {
    /// The name servers; the system's if this is empty.
    servers: Vec<SocketAddr>,
    resolver: OnceLock<Option<TokioResolver>>,
    turns: Turns<EnvironmentId>,
    known: Cache<String, Known>,
}

/// The result of a look-up: no addresses if the name has none.
#[derive(Clone)]
struct Known {
    at: Instant,
    addresses: Arc<[IpAddr]>,
}

impl Known {
    #[expect(clippy::disallowed_methods, reason = "the age of a result is not part of the domain")]
    fn now(addresses: Vec<IpAddr>) -> Self {
        Self { at: Instant::now(), addresses: addresses.into() }
    }

    fn is_fresh(&self) -> bool {
        self.at.elapsed() < if self.addresses.is_empty() { NOT_FOUND } else { FOUND }
    }
}

impl Names {
    /// Uses these name servers, or the system's if there are none.
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        let known = Cache::builder().max_capacity(NAMES).time_to_live(KEPT).build();
        Self(Arc::new(Inner { servers, resolver: OnceLock::new(), turns: Turns::new(LOOK_UPS), known }))
    }

    /// Looks up a name if its cached addresses are too old, in the turn of an environment. Waiting for the turn may take
    /// long.
    pub(super) async fn look_up(&self, environment: EnvironmentId, name: &str) {
        if self.fresh(name).await.is_some() {
            return;
        }
        let _turn = self.0.turns.take(environment).await;
        // Another caller may have looked it up in the meantime.
        if self.fresh(name).await.is_none() {
            self.ask(name).await;
        }
    }

    /// The addresses of a name that was looked up recently; empty if it has none. They are not checked yet.
    pub(super) async fn addresses(&self, name: &str) -> Arc<[IpAddr]> {
        match self.0.known.get(&name.to_ascii_lowercase()).await {
            Some(known) => known.addresses,
            // A connection long after the look-up. This is so rare that it needs no turn.
            None => self.ask(name).await,
        }
    }

    async fn fresh(&self, name: &str) -> Option<Known> {
        self.0.known.get(&name.to_ascii_lowercase()).await.filter(Known::is_fresh)
    }

    async fn ask(&self, name: &str) -> Arc<[IpAddr]> {
        let asked = async { self.resolver()?.lookup_ip(name).await.ok() };
        let found = tokio::time::timeout(TIMEOUT, asked).await.ok().flatten();
        let known = Known::now(found.map(|found| found.iter().collect()).unwrap_or_default());
        self.0.known.insert(name.to_ascii_lowercase(), known.clone()).await;
        known.addresses
    }

    fn resolver(&self) -> Option<&TokioResolver> {
        let make = || {
            let made = builder(&self.0.servers).build();
            made.map_err(|error| tracing::error!(%error, "host names cannot be looked up")).ok()
        };
        self.0.resolver.get_or_init(make).as_ref()
    }
}

fn builder(servers: &[SocketAddr]) -> hickory_resolver::ResolverBuilder<TokioRuntimeProvider> {
    let systems = if servers.is_empty() { TokioResolver::builder_tokio().ok() } else { None };
    let mut builder = systems.unwrap_or_else(|| {
        let servers = if servers.is_empty() { &[USUAL_SERVER] } else { servers };
        let servers = servers.iter().map(|server| name_server(*server)).collect();
        Resolver::builder_with_config(ResolverConfig::from_name_servers(servers), TokioRuntimeProvider::default())
    });
    let options = builder.options_mut();
    options.timeout = TIMEOUT;
    // Both kinds: the client tries either order.
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    // The resolver must not cache for longer than we do.
    options.positive_max_ttl = Some(FOUND);
    options.negative_max_ttl = Some(NOT_FOUND);
    // Slow answers must not block further questions.
    options.max_active_requests = options.max_active_requests.max(8 * LOOK_UPS);
    builder
}

/// Uses UDP, and TCP for answers that are too long for it.
fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use patron_domain::testkit::an_id;
    use tokio::{net::UdpSocket, time::timeout};

    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
    /// Much longer than answered look-ups take, and shorter than all unanswered ones together.
    const SOON: Duration = Duration::from_secs(30);

    /// Starts a name server that answers for every name except those that begin with `slow`: one address for IPv4, none for
    /// IPv6. Returns the number of its questions, too.
    async fn name_server() -> (SocketAddr, tokio::sync::watch::Receiver<usize>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (count, counted) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut question).await {
                count.send_modify(|count| *count += 1);
                if let Some(answer) = answer(&question[..length]) {
                    let _ = socket.send_to(&answer, client).await;
                }
            }
        });
        (address, counted)
    }

    /// An answer in the format of RFC 1035, section 4.
    fn answer(question: &[u8]) -> Option<Vec<u8>> {
        let name_length = question[12..].iter().position(|byte| *byte == 0)? + 1;
        if question[13..].starts_with(b"slow") {
            return None;
        }
        let end = 12 + name_length + 4;
        let is_v4 = question[end - 3] == 1;
        let mut answer = question[..2].to_vec();
        answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_v4), 0, 0, 0, 0]);
        answer.extend(&question[12..end]);
        if is_v4 {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            answer.extend(ADDRESS.octets());
        }
        Some(answer)
    }

    #[tokio::test]
    async fn an_answer_is_remembered_for_a_while_and_so_is_that_there_is_none() {
        let (server, counted) = name_server().await;
        let names = Names::new(vec![server]);
        names.look_up(an_id(1), "crm.example.com").await;
        assert_eq!(names.addresses("CRM.example.com").await[..], [IpAddr::V4(ADDRESS)]);
        let asked = *counted.borrow();
        names.look_up(an_id(2), "crm.example.com").await;
        assert_eq!(*counted.borrow(), asked, "it is known");
        names.look_up(an_id(1), "slow.example.com").await;
        let asked = *counted.borrow();
        assert!(names.addresses("slow.example.com").await.is_empty());
        names.look_up(an_id(1), "slow.example.com").await;
        assert_eq!(*counted.borrow(), asked, "that it has none is known, too");
    }

    #[tokio::test]
    async fn slow_names_of_one_environment_delay_no_other() {
        let (server, _) = name_server().await;
        let names = Names::new(vec![server]);
        let slow: Vec<_> = (0..800)
            .map(|number| {
                let names = names.clone();
                tokio::spawn(async move { names.look_up(an_id(1), &format!("slow{number}.example.com")).await })
            })
            .collect();
        while names.0.turns.used() < LOOK_UPS / 2 {
            tokio::task::yield_now().await;
        }
        let quick = async {
            for number in 0..20 {
                let name = format!("quick{number}.example.com");
                names.look_up(an_id(2), &name).await;
                assert_eq!(names.addresses(&name).await[..], [IpAddr::V4(ADDRESS)]);
            }
        };
        timeout(SOON, quick).await.expect("turns at once");
        slow.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
