//! Waiting for locks of other transactions, for a limited time.

use std::time::Duration;

use patron_domain::{customer::ChangeCustomerError, tenancy::SystemScope};
use patron_tests::postgres::Cluster;
use tokio::time::timeout;

use super::world::{World, reason, until};

#[tokio::test]
async fn a_stored_answer_that_is_renewed_during_its_removal_stays() {
    let world = World::fresh().await;
    world.create("c", &[]).await.unwrap();
    let admin = world.admin().await;
    let record = "INSERT INTO kept_answers (environment, key, fingerprint, at, event) \
                  SELECT environment, 'k', decode(repeat('00', 32), 'hex'), 1, id FROM events";
    admin.batch_execute(record).await.unwrap();
    admin.batch_execute("BEGIN; UPDATE kept_answers SET at = 1000").await.unwrap();
    let before = patron_domain::time::Timestamp::from_micros(500).unwrap();
    let scope = SystemScope::patron();
    let remove = world.database.retention.remove_kept_answers(&scope, before, 10);
    let renew = async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        // A separate connection: within a transaction, every later look would see the same snapshot.
        let watcher = world.admin().await;
        until("the removal waits", async || !watcher.query(waiting, &[]).await.unwrap().is_empty()).await;
        admin.batch_execute("COMMIT").await.unwrap();
    };
    let (removed, ()) = tokio::join!(remove, renew);
    assert_eq!((removed, world.count("kept_answers WHERE key = 'k'").await), (Ok(0), 1));
}

#[tokio::test]
async fn a_create_waits_for_the_deactivation_of_its_rate() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    let switch_off = "BEGIN; UPDATE tax_rates SET rate_status = 1, \
                      document = (document::jsonb || '{\"tax_rate_status\":\"INACTIVE\"}')::json";
    admin.batch_execute(switch_off).await.unwrap();
    let create = world.create("c", &["A"]);
    tokio::pin!(create);
    assert!(timeout(Duration::from_millis(300), &mut create).await.is_err(), "the create must wait");
    admin.batch_execute("COMMIT").await.unwrap();
    assert!(matches!(create.await, Err(ChangeCustomerError::Invalid(_))));
    assert_eq!(world.count("customers").await, 0);
}

#[tokio::test]
async fn a_deadlock_is_retried() {
    let world = World::fresh().await;
    world.create_rate("A").await;
    world.create_rate("B").await;
    let admin = world.admin().await;
    // PostgreSQL ends the create, because it detects the deadlock first.
    admin
        .batch_execute("SET deadlock_timeout = '60s'; BEGIN; UPDATE tax_rates SET code = code WHERE code = 'B'")
        .await
        .unwrap();
    let other = async {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let watcher = world.admin().await;
        until("the create waits for B", async || !watcher.query(waiting, &[]).await.unwrap().is_empty()).await;
        admin.batch_execute("UPDATE tax_rates SET code = code WHERE code = 'A'; COMMIT").await.unwrap();
    };
    let (created, ()) = tokio::join!(world.create("c", &["B", "A"]), other);
    assert_eq!(created, Ok(()));
    let query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    until("the deadlock is counted", async || {
        world.admin().await.query_one(query, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
}

#[tokio::test]
async fn waiting_is_bounded_and_the_connection_stays_usable() {
    // A statement may use four fifths of this time.
    let world = World::over(Cluster::shared(), Duration::from_secs(5)).await;
    world.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; UPDATE tax_rates SET code = code").await.unwrap();
    assert_eq!(reason(world.create("c", &["A"]).await), "the database took too long");
    admin.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(world.create("c", &["A"]).await, Ok(()));
}
