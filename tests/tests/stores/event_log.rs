//! The event log over several instances of one PostgreSQL: a reader misses nothing.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use patron_adapters::{
    persistence::{Database, DatabaseUrl, OpenOptions},
    system::{SystemClock, SystemIds},
};
use patron_domain::{
    Clock,
    customer::{Amendment, ChangeCustomer, CustomerChange, CustomerUpdate, ExternalId, Stamp},
    event::{EventLimit, EventPage, EventQuery, EventRecord},
    ids::{EventId, IdGenerator, IdSequence},
    lifecycle::{Owner, Version},
    tenancy::{Actor, EnvironmentScope, SystemScope},
    testkit::a_customer,
};
use patron_tests::{
    postgres::{self, Cluster},
    wait::TIMEOUT,
};
use tokio::{sync::Notify, time::sleep};
use tokio_postgres::NoTls;

/// Two instances over one database, and the scope of one environment.
struct World {
    url: String,
    instances: [Arc<Database>; 2],
    scope: EnvironmentScope,
}

async fn open(url: &str) -> Arc<Database> {
    let options = OpenOptions { connections: 4, timeout: TIMEOUT, ..OpenOptions::default() };
    Arc::new(Database::open(&DatabaseUrl::parse(url).unwrap(), options).await.unwrap())
}

fn ids() -> IdSequence {
    SystemIds.start(SystemClock.now())
}

fn stamp() -> Stamp {
    Stamp { ids: ids(), at: SystemClock.now(), request_id: None }
}

impl World {
    async fn fresh() -> Self {
        let url = Cluster::shared().fresh_database().await;
        let instances = [open(&url).await, open(&url).await];
        let owner = Owner { tenant_id: ids().next_id(), environment_id: ids().next_id() };
        Self { url, instances, scope: EnvironmentScope::new(owner, Actor::system()) }
    }

    async fn admin(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Creates a customer through one of the instances, and renames it through both in turn.
    async fn write(&self, number: usize, renames: usize) -> Vec<EventId> {
        let create = a_customer(&format!("c{number}")).command(ids(), SystemClock.now());
        let created = self.instances[number % 2].customers.change(&self.scope, create).await.unwrap().event;
        let mut written = vec![created.id];
        for turn in 0..renames {
            let external_id = Some(ExternalId::new(format!("c{number}.{turn}")).unwrap());
            let update = Amendment::Update(Box::new(CustomerUpdate { external_id, ..CustomerUpdate::default() }));
            let change = ChangeCustomer::new(CustomerChange::Amend(created.state.customer.id, update), stamp());
            let changed = self.instances[(number + turn) % 2].customers.change(&self.scope, change).await.unwrap();
            written.push(changed.event.id);
        }
        written
    }

    /// A customer, and a second event of it that has its position, but is not committed: what a slow instance leaves open.
    async fn begin_slowly(&self, client: &tokio_postgres::Client) -> (i64, EventId, EventId) {
        let create = a_customer("slow").command(ids(), SystemClock.now());
        let created = self.instances[0].customers.change(&self.scope, create).await.unwrap().event;
        let copied: EventId = ids().next_id();
        let statement = format!(
            "WITH log AS (UPDATE logs SET position = position + 1 WHERE environment = (SELECT environment FROM events \
             WHERE id = '{first}') RETURNING environment, position), copied AS (INSERT INTO events (environment, position, \
             id, entity_kind, entity, sequence, kind, at, logged_at, actor, hash, document) SELECT log.environment, log.position, \
             '{copied}', entity_kind, entity, 2, kind, at, logged_at + 1, actor, hash, (SELECT document FROM customers c WHERE \
             c.id = entity) FROM events, log WHERE id = '{first}' RETURNING position) SELECT position FROM copied",
            first = created.id.uuid(),
            copied = copied.uuid(),
        );
        client.batch_execute("BEGIN").await.unwrap();
        (client.query_one(&statement, &[]).await.unwrap().get(0), created.id, copied)
    }

    async fn read(&self, instance: usize, query: &EventQuery) -> EventPage {
        self.instances[instance].events.read(&self.scope, query).await.unwrap()
    }
}

fn by(limit: u16) -> EventQuery {
    EventQuery { limit: EventLimit::new(limit).unwrap(), ..EventQuery::default() }
}

/// Follows the log, from both instances in turn, until all writes are done and the end is reached.
async fn follow(world: &World, done: &Notify) -> Vec<EventRecord> {
    let (mut query, mut read, mut is_done, mut turn) = (by(17), Vec::new(), false, 0);
    loop {
        turn += 1;
        let page = world.read(turn % 2, &query).await;
        assert!(page.reached.position() >= query.after.position());
        query.after = page.reached;
        let at_the_end = page.events.is_empty() && !page.has_more;
        read.extend(page.events);
        if at_the_end && is_done {
            return read;
        }
        is_done = is_done || tokio::time::timeout(Duration::from_millis(1), done.notified()).await.is_ok();
    }
}

/// Checks that exactly these events were read, those of one entity in their order.
fn assert_complete(read: &[EventRecord], wanted: &[EventId]) {
    let mut last: HashMap<_, Version> = HashMap::new();
    for event in read {
        let before = last.insert(event.entity, event.sequence);
        assert_eq!(event.sequence, before.map_or(Version::FIRST, Version::next), "{:?}", event.entity);
    }
    let found: HashSet<EventId> = read.iter().map(|event| event.id).collect();
    assert_eq!(found.len(), read.len(), "an event was read twice");
    assert_eq!(found, wanted.iter().copied().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_gets_every_event_once_while_two_instances_write() {
    let world = World::fresh().await;
    let done = Notify::new();
    let writers = async {
        let mut written = Vec::new();
        for round in 0..6 {
            written.extend(join_all((0..30).map(|number| world.write(round * 30 + number, 4))).await);
        }
        done.notify_one();
        written.concat()
    };
    let (written, read) = tokio::join!(writers, follow(&world, &done));
    assert_eq!(written.len(), 900);
    assert_complete(&read, &written);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_passes_a_transaction_that_commits_late_and_writers_go_on_after_it() {
    for (end, is_there) in [("COMMIT", true), ("ROLLBACK", false)] {
        let world = World::fresh().await;
        let slow = world.admin().await;
        let (position, first, late) = world.begin_slowly(&slow).await;
        let done = Notify::new();
        let writers = async {
            let written = join_all((0..20).map(|number| world.write(number, 1))).await.concat();
            done.notify_one();
            written
        };
        let finish = async {
            sleep(Duration::from_millis(300)).await;
            // Neither instance lets a reader past it, nor does one that has just started.
            let newcomer = open(&world.url).await;
            for log in [&world.instances[0], &world.instances[1], &newcomer] {
                let page = log.events.read(&world.scope, &by(1_000)).await.unwrap();
                assert!(page.reached.position().stored() < position, "{:?} of {position}", page.reached);
                let end = log.events.end(&SystemScope::patron(), world.scope.owner).await.unwrap();
                assert!(end.position().stored() < position);
            }
            slow.batch_execute(end).await.unwrap();
        };
        let (mut wanted, (), read) = tokio::join!(writers, finish, follow(&world, &done));
        wanted.push(first);
        wanted.extend(is_there.then_some(late));
        assert_complete(&read, &wanted);
        let positions: Vec<i64> = read.iter().map(|event| event.position.stored()).collect();
        assert_eq!(positions, (1..=read.len() as i64).collect::<Vec<_>>(), "positions have no gaps");
    }
}

/// A transaction of one environment that stays open holds no other environment up.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_in_another_environment_delays_nothing() {
    let world = World::fresh().await;
    let slow = world.admin().await;
    world.begin_slowly(&slow).await;
    let owner = Owner { environment_id: ids().next_id(), ..world.scope.owner };
    let scope = EnvironmentScope { owner, ..world.scope.clone() };
    let elsewhere = World { url: world.url.clone(), instances: world.instances.clone(), scope };
    let written = elsewhere.write(0, 2).await;
    let page = elsewhere.read(1, &by(1_000)).await;
    assert_complete(&page.events, &written);
    assert!(!page.has_more);
    slow.batch_execute("ROLLBACK").await.unwrap();
}

/// How long [`sixteen_readers_of_one_server_miss_nothing_while_commits_are_slow`] writes; set
/// `PATRON_READERS_SECONDS` for a longer run.
const WRITING: Duration = Duration::from_secs(4);

/// With delayed commits (`commit_delay`) and 16 polling readers, each reader gets every event once.
#[tokio::test(flavor = "multi_thread")]
async fn sixteen_readers_of_one_server_miss_nothing_while_commits_are_slow() {
    let writing = std::env::var("PATRON_READERS_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let writing = writing.map_or(WRITING, Duration::from_secs);
    let configuration = ["commit_delay = 20000", "commit_siblings = 0"].map(str::to_owned).to_vec();
    // Without fsync, PostgreSQL does not delay commits.
    let options = postgres::Options { durable: true, configuration, ..postgres::Options::default() };
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(&options)).await.unwrap().unwrap();
    let url = cluster.fresh_database().await;
    let instance = open(&url).await;
    let owner = Owner { tenant_id: ids().next_id(), environment_id: ids().next_id() };
    let scope = EnvironmentScope::new(owner, Actor::system());
    let (over, until) = (Arc::new(AtomicBool::new(false)), std::time::Instant::now() + writing);
    let readers: Vec<_> =
        (0..16).map(|_| tokio::spawn(read_to_the_end(instance.clone(), scope.clone(), over.clone()))).collect();
    let writers = (0..16).map(|writer| {
        let (instance, scope) = (&instance, &scope);
        async move {
            let mut written = Vec::new();
            while std::time::Instant::now() < until {
                let create = a_customer(&format!("w{writer}.{}", written.len())).command(ids(), SystemClock.now());
                written.push(instance.customers.change(scope, create).await.unwrap().event.id);
            }
            written
        }
    });
    let written: HashSet<EventId> = join_all(writers).await.concat().into_iter().collect();
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        let read = reader.await.unwrap();
        assert_eq!(read.len(), written.len(), "each event once");
        assert_eq!(read.into_iter().collect::<HashSet<_>>(), written);
    }
}

/// Follows the log until the writers have ended and all events were read.
async fn read_to_the_end(log: Arc<Database>, scope: EnvironmentScope, over: Arc<AtomicBool>) -> Vec<EventId> {
    let (mut query, mut read) = (by(100), Vec::new());
    loop {
        let last = over.load(Ordering::Relaxed);
        let page = log.events.read(&scope, &query).await.unwrap();
        read.extend(page.events.iter().map(|event| event.id));
        query.after = page.reached;
        match (page.events.is_empty() && !page.has_more, last) {
            (true, true) => return read,
            (true, false) => sleep(Duration::from_millis(1)).await,
            (false, _) => {}
        }
    }
}
