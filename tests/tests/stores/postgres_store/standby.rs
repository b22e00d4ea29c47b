//! Servers that accept no writes or do not answer. They are skipped when connecting and detected on open connections, and
//! the only error is that the database is unavailable.

use std::time::{Duration, Instant};

use patron_domain::store::StoreError;
use patron_tests::postgres::{Cluster, Options};
use tokio::net::TcpListener;

use super::world::{World, open, open_with, reason, until};
use patron_adapters::persistence::OpenOptions;

/// The URL with another port before the server's.
fn behind(port: u16, url: &str) -> String {
    let (front, place) = url.split_once('@').unwrap();
    format!("{front}@127.0.0.1:{port},{place}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_becomes_a_standby_is_unavailable_until_it_is_promoted() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let world = World::over(&cluster, Duration::from_secs(10)).await;
    world.create("before", &[]).await.unwrap();
    cluster.demote();
    assert!(reason(world.create("during", &[]).await).contains("accepts no writes"));
    assert!(matches!(world.exists("before").await, Err(StoreError::Unavailable { .. })), "a standby may be behind");
    assert!(matches!(world.database.ping().await, Err(StoreError::Unavailable { .. })));
    let refused = open(&world.url, 1).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("accepts no writes"), "{refused}");
    cluster.promote().await;
    until("it accepts writes again", async || world.create("after", &[]).await.is_ok()).await;
    assert_eq!(world.database.ping().await, Ok(()));
    assert_eq!((world.exists("before").await, world.exists("during").await), (Ok(true), Ok(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_named_first_is_skipped() {
    let standby = Cluster::start(&Options {
        host_access: vec!["host all all 127.0.0.1/32 trust".to_owned()],
        ..Options::default()
    });
    let standby = standby.unwrap();
    standby.demote();
    let world = World::fresh().await;
    // A database on both servers.
    let shared = behind(standby.port(), &world.url.replace(world.url.rsplit('/').next().unwrap(), "postgres"));
    let database = open(&shared, 1).await.unwrap();
    assert_eq!(database.ping().await, Ok(()));
    database.close().await;
    let alone = standby.url("postgres");
    let refused = open(&alone, 1).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("it accepts no writes: it is a standby"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_answer_is_skipped() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::fresh().await;
    let url = behind(silent.local_addr().unwrap().port(), &world.url);
    let begun = Instant::now();
    let options = OpenOptions { connections: 2, timeout: Duration::from_secs(40), ..OpenOptions::default() };
    let database = open_with(&url, options).await.unwrap();
    assert_eq!(database.ping().await, Ok(()));
    // The handshake with a host may take 16 s. Several connections are made one after another.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_no_longer_accepts_writes_is_not_ready() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let world = World::over(&cluster, Duration::from_secs(10)).await;
    assert_eq!(world.database.ping().await, Ok(()));
    cluster.administer("ALTER SYSTEM SET default_transaction_read_only = on").await;
    cluster.administer("SELECT pg_reload_conf()").await;
    until("it is not ready", async || matches!(world.database.ping().await, Err(StoreError::Unavailable { .. }))).await;
    // All earlier connections are closed.
    assert!(reason(world.create("c", &[]).await).contains("accepts no writes"));
    cluster.administer("ALTER SYSTEM RESET default_transaction_read_only").await;
    cluster.administer("SELECT pg_reload_conf()").await;
    until("it is ready", async || world.database.ping().await.is_ok()).await;
    assert_eq!(world.create("c", &[]).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_query_is_cancelled() {
    let world = World::over(Cluster::shared(), Duration::from_secs(3)).await;
    world.create("c", &[]).await.unwrap();
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; LOCK TABLE customers, events IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let found = world.exists("c").await;
    assert!(matches!(found, Err(StoreError::Unavailable { .. })), "{found:?}");
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let watcher = world.admin().await;
    until("no query waits", async || watcher.query(waiting, &[]).await.unwrap().is_empty()).await;
    admin.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(world.exists("c").await, Ok(true));
}
