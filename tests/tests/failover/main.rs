//! Fail-over: three nodes of PostgreSQL under Patroni fail in every way while customers are written, the log is read and
//! webhooks are delivered. `tests/failover` installs the requirements and sets the number of rounds.
//!
//! All tests are ignored otherwise, because a cluster takes a minute to start and uses most of the machine.

mod crew;
mod nodes;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use patron_tests::{
    audit,
    patron::{Place, Server},
    postgres::{Cluster, Options},
    receiver::Receiver,
    requests::tax_rate,
    rows::{number, rows, text},
};
use rstest::rstest;
use serde_json::json;
use tokio::{task::JoinHandle, time::sleep};

use self::{
    crew::{Api, Seen, Shared, ideal},
    nodes::{Nodes, Way},
};

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Switchover,
    KillPostmaster,
    LoseNode,
    PausePrimary,
    PauseStandby,
}

/// The number of writers, for about 120 writes/s.
const WRITERS: usize = 24;
const EVERY: Duration = Duration::from_millis(200);
const READERS: usize = 4;
/// The longest allowed time to an answer.
const LONGEST: Duration = Duration::from_secs(10);

#[rstest]
#[ignore = "tests/failover runs it"]
#[tokio::test(flavor = "multi_thread")]
async fn clients_recover_from_a_fail_over(
    #[values(true, false)] synchronous: bool,
    #[values(Way::Hosts, Way::Proxy)] way: Way,
    #[values(
        Trouble::Switchover,
        Trouble::KillPostmaster,
        Trouble::LoseNode,
        Trouble::PausePrimary,
        Trouble::PauseStandby
    )]
    trouble: Trouble,
) {
    let rounds =
        std::env::var("PATRON_FAILOVER_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number of rounds"));
    let mut nodes = Nodes::start(synchronous).await;
    let outcome = run(&mut nodes, way, trouble, rounds).await;
    println!("{}", outcome.row(synchronous, way, trouble, rounds));
    outcome.judge(synchronous, trouble);
}

/// The result of a run.
struct Outcome {
    seen: Seen,
    ideal: Duration,
    lost: usize,
    twice: i64,
    missed_by_readers: usize,
    missed_by_webhooks: usize,
    taken_back: usize,
}

async fn run(nodes: &mut Nodes, way: Way, trouble: Trouble, rounds: usize) -> Outcome {
    let crew = Crew::start(&Place::over(nodes.url(way)), nodes.urls(way), READERS, 1).await;
    sleep(Duration::from_secs(5)).await;
    for _ in 0..rounds {
        match trouble {
            Trouble::Switchover => nodes.switch_over().await,
            Trouble::KillPostmaster => nodes.kill_postmaster().await,
            Trouble::LoseNode => nodes.lose_node().await,
            Trouble::PausePrimary => nodes.pause_primary().await,
            Trouble::PauseStandby => nodes.pause_standby().await,
        }
        nodes.until_healthy().await;
        sleep(Duration::from_secs(3)).await;
    }
    crew.finish(async || nodes.primary_url().await).await
}

/// No node fails here: there are only slow commits and many readers.
#[ignore = "tests/failover runs it"]
#[tokio::test(flavor = "multi_thread")]
async fn many_readers_of_one_server_miss_nothing() {
    let configuration = vec!["commit_delay = 20000".to_owned(), "commit_siblings = 0".to_owned()];
    let cluster = Cluster::start(&Options { durable: true, configuration, ..Options::default() }).unwrap();
    let url = cluster.fresh_database().await;
    let crew = Crew::start(&Place::over(url.clone()), vec![url.clone()], 16, 3).await;
    sleep(Duration::from_secs(60)).await;
    let outcome = crew.finish(async || url.clone()).await;
    println!(
        "16 readers, 3 endpoints, commit_delay = 20000, 60 s: {} acknowledged, {} missed by readers, {} by webhooks",
        outcome.seen.acknowledged.len(),
        outcome.missed_by_readers,
        outcome.missed_by_webhooks
    );
    assert_eq!((outcome.lost, outcome.twice, outcome.missed_by_readers, outcome.missed_by_webhooks), (0, 0, 0, 0));
}

/// A Patron server and all its clients.
struct Crew {
    server: Server,
    receivers: Vec<Receiver>,
    seen: Shared<Seen>,
    ideal: JoinHandle<Duration>,
    read: Vec<Shared<BTreeSet<String>>>,
    taken_back: Shared<usize>,
    stop_writing: Arc<AtomicBool>,
    stop_reading: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
}

impl Crew {
    async fn start(place: &Place, beside: Vec<String>, readers: usize, endpoints: usize) -> Self {
        let server =
            place.serve_with(&[("PATRON_REQUEST_TIMEOUT_SECONDS", "10"), ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")]);
        server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
        let mut receivers = Vec::new();
        for _ in 0..endpoints {
            let receiver = Receiver::start().await;
            server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
            receivers.push(receiver);
        }
        let seen = Shared::<Seen>::default();
        let taken_back = Shared::<usize>::default();
        let read: Vec<Shared<BTreeSet<String>>> = (0..readers).map(|_| Shared::default()).collect();
        let [stop_writing, stop_reading] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let api = Api::of(&server);
        let write = |number| api.clone().write(format!("w{number}"), EVERY, seen.clone(), stop_writing.clone());
        let writers = (0..WRITERS).map(|number| tokio::spawn(write(number))).collect();
        let ideal = tokio::spawn(ideal(beside, stop_writing.clone()));
        let follow = |ids: &Shared<BTreeSet<String>>| {
            tokio::spawn(api.clone().read(ids.clone(), taken_back.clone(), stop_reading.clone()))
        };
        let readers = read.iter().map(follow).collect();
        Self { server, receivers, seen, ideal, read, taken_back, stop_writing, stop_reading, writers, readers }
    }

    /// Stops the writers, waits until readers and receivers have caught up, and compares their events with the database.
    async fn finish(self, url: impl AsyncFn() -> String) -> Outcome {
        self.stop_writing.store(true, Ordering::Relaxed);
        join_all(self.writers).await;
        let ideal = self.ideal.await.expect("the ideal client");
        let url = url().await;
        let log = rows(&url, "SELECT id::text FROM events").await;
        // The ids of events as the API shows them. The first is older than the endpoints.
        let log: BTreeSet<String> = log.iter().map(|row| event_id(text(&row[0]))).collect();
        let told: BTreeSet<String> = log.iter().skip(1).cloned().collect();
        let read = &self.read;
        let missed_by_readers = until_caught_up(&log, || {
            read.iter().map(|ids| log.difference(&ids.lock().expect("no panic")).count()).max().unwrap_or_default()
        })
        .await;
        let missed_by_webhooks = until_caught_up(&told, || {
            let missing = |receiver: &Receiver| {
                let received = receiver.all().iter().map(|one| one.header("webhook-id").to_owned()).collect();
                told.difference(&received).count()
            };
            self.receivers.iter().map(missing).max().unwrap_or_default()
        })
        .await;
        self.stop_reading.store(true, Ordering::Relaxed);
        join_all(self.readers).await;
        let twice = "SELECT count(*) FROM (SELECT external_id FROM customers GROUP BY 1 HAVING count(*) > 1) AS twice";
        let twice = number(&rows(&url, twice).await[0][0]);
        let there = rows(&url, "SELECT external_id FROM customers").await;
        let there: BTreeSet<String> = there.iter().map(|row| text(&row[0]).to_owned()).collect();
        let seen = std::mem::take(&mut *self.seen.lock().expect("no panic"));
        let lost = seen.acknowledged.difference(&there).count();
        drop(self.server);
        audit::is_whole(&Place::over(url)).await;
        let taken_back = *self.taken_back.lock().expect("no panic");
        Outcome { seen, ideal, lost, twice, missed_by_readers, missed_by_webhooks, taken_back }
    }
}

/// Waits while the number of missing events shrinks, and returns the final number.
async fn until_caught_up(log: &BTreeSet<String>, missing: impl Fn() -> usize) -> usize {
    let (mut least, mut moved) = (log.len() + 1, Instant::now());
    loop {
        let now = missing();
        if now < least {
            (least, moved) = (now, Instant::now());
        }
        if now == 0 || moved.elapsed() > Duration::from_secs(60) {
            return now;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

fn event_id(uuid: &str) -> String {
    let uuid: uuid::Uuid = uuid.parse().expect("a UUID");
    patron_domain::ids::EventId::from_uuid(uuid).to_string()
}

impl Outcome {
    fn row(&self, synchronous: bool, way: Way, trouble: Trouble, rounds: usize) -> String {
        let statuses: Vec<_> = self.seen.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        format!(
            "| {} | {way:?} | {trouble:?} × {rounds} | {:.1} | {:.1} | {:.1} | {} | {} | {} | {} | {} | {} |",
            if synchronous { "synchronous" } else { "asynchronous" },
            self.seen.gap.as_secs_f64(),
            self.ideal.as_secs_f64(),
            self.seen.longest.as_secs_f64(),
            statuses.join(", "),
            self.lost,
            self.twice,
            self.missed_by_readers,
            self.missed_by_webhooks,
            self.taken_back,
        )
    }

    fn judge(&self, synchronous: bool, trouble: Trouble) {
        assert!(self.seen.wrong.is_empty(), "{:?}", &self.seen.wrong[..self.seen.wrong.len().min(20)]);
        assert!(self.seen.longest <= LONGEST, "an answer took {:?}", self.seen.longest);
        assert_eq!((self.twice, self.missed_by_readers, self.missed_by_webhooks), (0, 0, 0));
        // Asynchronous replication may lose writes that only the old primary had.
        let may_lose = !synchronous && !matches!(trouble, Trouble::Switchover | Trouble::PauseStandby);
        assert!(self.lost == 0 || may_lose, "{} acknowledged writes were lost", self.lost);
    }
}
