//! Names to addresses: looked up without blocking a thread, by turns, and remembered for a while.
//!
//! What one tenant's slow names take, others must not wait for. So look-ups take turns by environment, and waiting for a turn
//! takes nothing of the time that an endpoint has to answer. A look-up has a time of its own, and a name that was not found is
//! not asked for again at once.

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

/// How long a look-up may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most look-ups at once.
const LOOK_UPS: usize = 16;
/// How long addresses are as good as new. Seconds, so that a name that moves is followed.
const FOUND: Duration = Duration::from_secs(10);
/// How long a name that has no address is not asked for again.
const NOT_FOUND: Duration = Duration::from_secs(30);
/// How long anything is remembered at all: for the connection that is made after the look-up.
const KEPT: Duration = Duration::from_secs(60);
/// How many names are remembered.
const NAMES: u64 = 10_000;
/// Where a name server is asked for when the system names none, as its own resolver does.
const USUAL_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 53);

/// Looks names up.
#[derive(Clone)]
pub(super) struct Names(Arc<Inner>);

struct Inner {
    /// The name servers to ask; those of the system when there are none.
    servers: Vec<SocketAddr>,
    resolver: OnceLock<Option<TokioResolver>>,
    turns: Turns<EnvironmentId>,
    known: Cache<String, Known>,
}

/// What was found of a name, and when; nothing where it has no address.
#[derive(Clone)]
struct Known {
    at: Instant,
    addresses: Arc<[IpAddr]>,
}

impl Known {
    #[expect(clippy::disallowed_methods, reason = "how old an answer is is no fact of the domain")]
    fn now(addresses: Vec<IpAddr>) -> Self {
        Self { at: Instant::now(), addresses: addresses.into() }
    }

    fn is_fresh(&self) -> bool {
        self.at.elapsed() < if self.addresses.is_empty() { NOT_FOUND } else { FOUND }
    }
}

impl Names {
    /// Asks these name servers, or those of the system when there are none.
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        let known = Cache::builder().max_capacity(NAMES).time_to_live(KEPT).build();
        Self(Arc::new(Inner { servers, resolver: OnceLock::new(), turns: Turns::new(LOOK_UPS), known }))
    }

    /// Sees to it that a name was looked up lately, in the turn of an environment. It may wait for long: for its turn.
    pub(super) async fn look_up(&self, environment: EnvironmentId, name: &str) {
        if self.fresh(name).await.is_some() {
            return;
        }
        let _turn = self.0.turns.take(environment).await;
        // Somebody else may have asked meanwhile.
        if self.fresh(name).await.is_none() {
            self.ask(name).await;
        }
    }

    /// The addresses of a name that was looked up lately; none when it has none. They are not checked yet.
    pub(super) async fn addresses(&self, name: &str) -> Arc<[IpAddr]> {
        match self.0.known.get(&name.to_ascii_lowercase()).await {
            Some(known) => known.addresses,
            // So seldom that it needs no turn: a connection that is made long after the look-up.
            None => self.ask(name).await,
        }
    }

    async fn fresh(&self, name: &str) -> Option<Known> {
        self.0.known.get(&name.to_ascii_lowercase()).await.filter(Known::is_fresh)
    }

    async fn ask(&self, name: &str) -> Arc<[IpAddr]> {
        let asked = async { self.resolver()?.lookup_ip(name).await.ok() };
        let found = tokio::time::timeout(PATIENCE, asked).await.ok().flatten();
        let known = Known::now(found.map(|found| found.iter().collect()).unwrap_or_default());
        self.0.known.insert(name.to_ascii_lowercase(), known.clone()).await;
        known.addresses
    }

    fn resolver(&self) -> Option<&TokioResolver> {
        let make = || {
            let made = builder(&self.0.servers).build();
            made.map_err(|error| tracing::error!(%error, "no name can be looked up")).ok()
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
    options.timeout = PATIENCE;
    // Both kinds, and either order is tried by the client.
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    // What is remembered is remembered here, and no longer than that.
    options.positive_max_ttl = Some(FOUND);
    options.negative_max_ttl = Some(NOT_FOUND);
    // Slow answers to some must not keep the others from being asked.
    options.max_active_requests = options.max_active_requests.max(8 * LOOK_UPS);
    builder
}

/// Over UDP, and over TCP where an answer is too long for that.
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
    /// Much longer than look-ups that are answered, less than all that are not would take.
    const SOON: Duration = Duration::from_secs(30);

    /// A name server that answers every name but those that begin with `slow`: with one address for IPv4 and none for IPv6.
    /// Tells how many questions it has seen.
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

    /// An answer as RFC 1035, section 4, has it.
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
