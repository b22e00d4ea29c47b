//! PgBouncer between the store and the server.

use std::time::Duration;

use futures::future::join_all;
use patron_adapters::persistence::OpenOptions;
use patron_domain::{store::StoreError, tenancy::SystemScope};
use patron_tests::{
    pgbouncer::Pooler,
    postgres::{Cluster, Options},
};

use super::world::{World, first, open, open_with, reason, until};

/// Creates sixteen customers concurrently, each with a tax rate.
async fn work(world: &World, database: &patron_adapters::persistence::Database, name: &str) {
    let names: Vec<_> = (0..16).map(|number| format!("{name}-{number}")).collect();
    let created = join_all(names.iter().map(|name| world.create_in(database, name, &["A"]))).await;
    assert!(created.iter().all(Result::is_ok), "{created:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_pooling_without_prepared_statements_is_refused_and_the_setting_named() {
    let direct = Cluster::shared().fresh_database().await;
    // Versions before 1.21 lack this setting and never keep prepared statements.
    let none = if Pooler::can_keep_statements() { "max_prepared_statements = 0" } else { "" };
    let pooler = Pooler::before(Cluster::shared(), &["pool_mode = transaction", "default_pool_size = 8", none]);
    let refused = open(&pooler.url(&direct), 2).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("max_prepared_statements") && refused.contains("pool_mode"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_pooling_works_with_every_version() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let pooler = Pooler::before(Cluster::shared(), &["pool_mode = session", "default_pool_size = 12"]);
    let url = pooler.url(&world.url);
    // Regression test: the migration lock of the first store stayed with a pooled connection and blocked the second.
    for name in ["one", "two"] {
        let database = open(&url, 2).await.unwrap();
        work(&world, &database, name).await;
        database.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_pooling_works_where_prepared_statements_are_kept() {
    if !Pooler::can_keep_statements() {
        eprintln!("SKIPPED: this PgBouncer is older than 1.21; set PATRON_TEST_PGBOUNCER to a newer one");
        return;
    }
    let direct = Cluster::shared().fresh_database().await;
    let configuration = ["pool_mode = transaction", "max_prepared_statements = 200", "default_pool_size = 4"];
    let pooler = Pooler::before(Cluster::shared(), &configuration);
    let url = pooler.url(&direct);
    // Both migrate or wait for the other to migrate, and use more connections than the pooler has.
    let opened = join_all([open(&url, 6), open(&url, 6)]).await;
    let opened: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    let bootstrap = first("sk_0123456789abcdef");
    assert!(opened[0].tenancy.bootstrap(&SystemScope::patron(), bootstrap.clone()).await.unwrap());
    let world = World::of(direct, opened[0].clone(), &bootstrap);
    world.create_rate("A").await;
    for round in 0..5 {
        let (one, two) = (format!("one-{round}"), format!("two-{round}"));
        tokio::join!(work(&world, &opened[0], &one), work(&world, &opened[1], &two));
    }
    assert_eq!(world.count("customers").await, 160);
    let locks = "pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = \
                 current_database())";
    assert_eq!(world.count(locks).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_behind_a_pooler_is_detected_on_the_connection() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let pooler = Pooler::before(&cluster, &["pool_mode = session"]);
    let direct = cluster.fresh_database().await;
    let options = OpenOptions { connections: 4, timeout: Duration::from_secs(10), ..OpenOptions::default() };
    let database = open_with(&pooler.url(&direct), options).await.unwrap();
    let bootstrap = first("sk_0123456789abcdef");
    assert!(database.tenancy.bootstrap(&SystemScope::patron(), bootstrap.clone()).await.unwrap());
    let world = World::of(direct, database, &bootstrap);
    world.create("before", &[]).await.unwrap();
    cluster.demote();
    assert!(!reason(world.create("during", &[]).await).is_empty());
    assert!(matches!(world.database.ping().await, Err(StoreError::Unavailable { .. })));
    cluster.promote().await;
    until("it takes writes again", async || world.create("after", &[]).await.is_ok()).await;
}
