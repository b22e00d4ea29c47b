//! Query plans of PostgreSQL without useful statistics: before a table is analysed, or for a small environment next to a
//! large one.

use patron_domain::{
    event::{EventLimit, EventQuery, EventSink},
    tenancy::SystemScope,
};
use patron_tests::postgres::Cluster;

use super::world::{World, open};

/// The number of events in the small environment, and in the large one next to it.
const SMALL: usize = 10_000;
const LARGE: usize = 60_000;

#[tokio::test]
async fn a_small_log_next_to_a_large_one_is_read_page_by_page() {
    let world = World::over(Cluster::shared(), std::time::Duration::from_secs(60)).await;
    world.create("c", &[]).await.unwrap();
    let admin = world.admin().await;
    let copies = |environment: &str, count: usize| {
        format!(
            "INSERT INTO events (environment, position, id, entity_kind, entity, sequence, kind, at, logged_at, actor, \
             hash, document) SELECT {environment}, position + number, gen_random_uuid(), entity_kind, gen_random_uuid(), 1, kind, \
             at, logged_at + number, actor, hash, document FROM events, generate_series(1, {count}) AS number \
             WHERE environment = (SELECT min(environment) FROM owners) AND position = 1"
        )
    };
    // Statistics that include only the large environment.
    admin.batch_execute(&copies("1000", LARGE)).await.unwrap();
    admin.batch_execute("ANALYZE events").await.unwrap();
    admin.batch_execute(&copies("environment", SMALL - 1)).await.unwrap();
    admin.batch_execute(&format!("UPDATE logs SET position = {SMALL} WHERE environment > 0")).await.unwrap();
    world.database.close().await;
    let fetched = async || {
        let query = "SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0)::bigint FROM pg_stat_user_tables \
                     WHERE relname = 'events'";
        world.admin().await.query_one(query, &[]).await.unwrap().get::<_, i64>(0)
    };
    let before = fetched().await;

    let database = open(&world.url, 1).await.unwrap();
    let mut query = EventQuery { limit: EventLimit::new(1_000).unwrap(), ..EventQuery::default() };
    let mut found = 0;
    loop {
        let count = &mut found;
        let sink: Box<dyn EventSink + '_> = Box::new(|_| *count += 1);
        let reached = database.events.read_each(&SystemScope::patron(), world.scope.owner, &query, sink).await.unwrap();
        if !reached.has_more {
            break;
        }
        query.after = reached.cursor;
    }
    assert_eq!(found, SMALL);
    // A server process reports its reads when it ends.
    database.close().await;
    super::world::until("the reads are reported", async || fetched().await - before >= i64::try_from(SMALL).unwrap())
        .await;
    let read = fetched().await - before;
    assert!(read < 2 * i64::try_from(SMALL).unwrap(), "{read} rows were read for {SMALL} events");
}
