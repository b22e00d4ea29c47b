//! Connections that are lost, killed or busy, and what becomes of the writes on them.

use std::time::Duration;

use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use patron_adapters::{persistence::Database, system::SystemClock};
use patron_domain::{
    Clock,
    customer::{Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, ExternalId, Stamp},
    store::StoreError,
    tax::CreateTaxRateError,
    tenancy::{EnvironmentName, SystemScope, TenantScope},
};
use patron_tests::{
    postgres::{Cluster, Options},
    proxy::{Cut, Proxy},
};
use tokio::time::sleep;

use super::world::{World, ids, open, reason, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_used_again() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let world = World::over(&cluster, Duration::from_secs(10)).await;
    world.create("before", &[]).await.unwrap();
    cluster.stop();
    assert!(reason(world.create("during", &[]).await).starts_with("cannot connect: "));
    assert!(matches!(world.exists("before").await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(world.database.ping().await, Err(StoreError::Unavailable { .. })));
    cluster.restart();
    assert_eq!(world.database.ping().await, Ok(()));
    assert_eq!((world.exists("before").await, world.exists("during").await), (Ok(true), Ok(false)));
    world.create("during", &[]).await.unwrap();
}

#[tokio::test]
async fn killed_connections_are_replaced() {
    let world = World::fresh().await;
    let admin = world.admin().await;
    for round in 0..5 {
        assert!(join_all((0..8).map(|_| world.exists("x"))).await.into_iter().all(|found| found == Ok(false)));
        let kill = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() \
                    AND pid <> pg_backend_pid()";
        let killed = admin.query(kill, &[]).await.unwrap();
        // A pool of four, two that look-ups share, and four for short work.
        assert!(!killed.is_empty() && killed.len() <= 4 + 2 + 4, "{} connections", killed.len());
        sleep(Duration::from_millis(50)).await;
        assert_eq!(world.create(&format!("c{round}"), &[]).await, Ok(()));
    }
}

#[tokio::test]
async fn a_write_whose_connection_dies_before_the_commit_is_repeated() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; UPDATE tax_rates SET code = code").await.unwrap();
    let kill = async {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                    AND datname = current_database()";
        // Within a transaction the first look would be the last: it is seen again as it was.
        let killer = world.admin().await;
        until("a create waits for the lock", async || !killer.query(kill, &[]).await.unwrap().is_empty()).await;
        admin.batch_execute("COMMIT").await.unwrap();
    };
    let (created, ()) = tokio::join!(world.create("c", &["A"]), kill);
    assert_eq!(created, Ok(()));
    // One event is the rate's.
    assert_eq!((world.count("customers").await, world.count("events").await), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_happens_exactly_once() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let port = Cluster::shared().port();
    let proxy = Proxy::before(port).await;
    let database = open(&proxy.url(&world.url, port), 2).await.unwrap();
    // A commit in progress conflicts with its own repetition, which must recognise it as its own.
    let late = Cut::LateCommit(Duration::from_millis(400));
    let cuts = [Cut::BeforeCommit, Cut::AfterCommit, late, Cut::BeforeCommit, Cut::AfterCommit, late];
    for (number, cut) in cuts.into_iter().enumerate() {
        proxy.cut(cut);
        assert_eq!(world.create_in(&database, &format!("c{number}"), &["A"]).await, Ok(()), "{cut:?}");
        assert!(proxy.is_done(), "the connection was cut");
        let rows = i64::try_from(number + 1).unwrap();
        // One event is the rate's. Each customer is found by its association, by itself, in the list, and in its rate's.
        for (table, before, each) in [("customers", 0, 1), ("events", 1, 1), ("customer_index", 0, 3)] {
            assert_eq!(world.count(table).await, before + each * rows, "{table}");
        }
        let log = "SELECT position, published FROM logs WHERE environment = (SELECT max(environment) FROM customers)";
        let log = world.admin().await.query_one(log, &[]).await.unwrap();
        assert_eq!((log.get::<_, i64>(0), log.get::<_, i64>(1)), (1 + rows, rows), "position and count");
    }
    proxy.cut(Cut::AfterCommit);
    let taken = world.create_in(&database, "c0", &["A"]).await;
    assert!(matches!(taken, Err(ChangeCustomerError::ExternalIdTaken { .. })));
    // The repetition finds the customer archived by the first request.
    let external_id = ExternalId::new("c0").unwrap();
    let found = database.customers.find_by_external_id(&world.scope, &external_id).await.unwrap().unwrap();
    let archive = CustomerChange::Amend(found.customer.id, Amendment::Archive);
    let stamp = Stamp { ids: ids(), at: SystemClock.now(), request_id: None };
    proxy.cut(late);
    let archived = database.customers.change(&world.scope, ChangeCustomer::new(archive, stamp)).await;
    assert_eq!(archived.map(|changed| changed.event.sequence.get()), Ok(2));
    assert!(proxy.is_done(), "the connection was cut");
}

/// A renames an environment and loses the answer; B renames it before A can ask what became of its commit.
#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_was_renamed_again_meanwhile_keeps_the_later_name() {
    let world = World::fresh().await;
    let port = Cluster::shared().port();
    let proxy = Proxy::before(port).await;
    let a = open(&proxy.url(&world.url, port), 1).await.unwrap();
    let (id, b) = (world.scope.owner.environment_id, &world.database);
    let scope = TenantScope::new(world.scope.owner.tenant_id, world.scope.actor.clone());
    let name = async || {
        let found = b.tenancy.find_environment(&SystemScope::patron(), id).await.unwrap().unwrap();
        found.name.as_str().to_owned()
    };
    let rename = async |database: &Database, name: &str| {
        let name = Some(EnvironmentName::new(name).unwrap());
        let renamed =
            database.tenancy.rename_environment(&scope, id, name, SystemClock.now(), Default::default(), None).await;
        renamed.unwrap().unwrap().value.name.as_str().to_owned()
    };
    // What was committed is not done again; what was not is done after B.
    for (cut, last) in [(Cut::AfterCommit, "B"), (Cut::BeforeCommit, "A")] {
        assert_eq!(rename(b, "before").await, "before");
        proxy.cut_off(cut);
        let by_b = async {
            until("the connection is cut", async || proxy.is_done()).await;
            if cut == Cut::AfterCommit {
                until("A's name is committed", async || name().await == "A").await;
            }
            let renamed = rename(b, "B").await;
            proxy.admit();
            renamed
        };
        let (by_a, by_b) = tokio::join!(rename(&a, "A"), by_b);
        assert_eq!((by_a.as_str(), by_b.as_str(), name().await.as_str()), ("A", "B", last), "{cut:?}");
    }
}

#[tokio::test]
async fn when_all_connections_are_busy_the_wait_for_one_is_bounded() {
    let world = World::over(Cluster::shared(), Duration::from_secs(10)).await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; LOCK TABLE tax_rates").await.unwrap();
    let codes: Vec<_> = (0..5).map(|number| format!("C{number}")).collect();
    let mut creates: FuturesUnordered<_> = codes.iter().map(|code| world.try_create_rate(code)).collect();
    // An environment leaves one of the pool's 4 connections to others. The other three wait for the lock.
    let unavailable = StoreError::Unavailable { reason: "no free connection".to_owned() };
    for _ in 0..2 {
        assert_eq!(creates.next().await, Some(Err(CreateTaxRateError::Store(unavailable.clone()))));
    }
    admin.batch_execute("COMMIT").await.unwrap();
    assert_eq!(creates.collect::<Vec<_>>().await, [Ok(()), Ok(()), Ok(())]);
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_is_finished_and_closing_waits_for_it() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; UPDATE tax_rates SET code = code").await.unwrap();
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let watcher = world.admin().await;
    tokio::select! {
        _ = world.create("c", &["A"]) => panic!("it waits for the rate"),
        () = until("the create waits", async || !watcher.query(waiting, &[]).await.unwrap().is_empty()) => {
            // The caller gives up.
        }
    }
    let release = async {
        sleep(Duration::from_millis(200)).await;
        admin.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(world.database.close(), release);
    // One event is the rate's.
    assert_eq!((world.count("customers").await, world.count("events").await), (1, 2));
    assert!(matches!(world.create("d", &[]).await, Err(ChangeCustomerError::Store(StoreError::Unavailable { .. }))));
    let idle =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patron'";
    until("the connections are closed", async || admin.query_one(idle, &[]).await.unwrap().get::<_, i64>(0) == 0).await;
}
