//! Environments take turns: slow work of one does not block another.

use std::time::Duration;

use patron_domain::{
    customer::query::{CustomerQuery, CustomerQueryParts},
    lifecycle::Owner,
    page::PageRequest,
    tax::TaxRateFilter,
    tenancy::{ApiKeySecret, EnvironmentScope, SystemScope},
};
use patron_tests::wait::TIMEOUT;
use tokio::time::timeout;

use super::world::{World, ids, until};

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_hang_in_one_environment_delay_no_other_and_no_look_up() {
    let world = World::fresh().await;
    world.create("quiet", &[]).await.unwrap();
    // A second environment with data, so that its lists are read from the database.
    let owner = Owner { environment_id: ids().next_id(), ..world.scope.owner };
    let loud = World {
        url: world.url.clone(),
        database: world.database.clone(),
        scope: EnvironmentScope { owner, ..world.scope.clone() },
    };
    loud.create_rate("A").await;
    let admin = world.admin().await;
    admin.batch_execute("BEGIN; LOCK TABLE tax_rates IN ACCESS EXCLUSIVE MODE").await.unwrap();
    // Many more than there are connections.
    let hanging: Vec<_> = (0..32)
        .map(|_| {
            let (database, scope) = (loud.database.clone(), loud.scope.clone());
            tokio::spawn(async move {
                let (filter, page) = (TaxRateFilter::default(), PageRequest::default());
                drop(database.taxes.rates(&scope, &filter, page).await);
            })
        })
        .collect();
    let watcher = world.admin().await;
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    // One of four connections stays free for others.
    until("as many hang as may", async || watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 3).await;

    // Shorter than the wait of any of those for its connection, or for the lock.
    let soon = TIMEOUT.min(Duration::from_secs(4));
    let secret = ApiKeySecret::new("sk_0123456789abcdef").unwrap();
    let others = async {
        for round in 0..10 {
            assert_eq!(world.exists("quiet").await, Ok(true));
            let key = world.database.keys.find_by_secret(&SystemScope::patron(), &secret).await;
            assert!(key.unwrap().is_some());
            let query = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
            assert!(!world.database.customers.list(&world.scope, &query).await.unwrap().items.is_empty());
            assert_eq!(world.create(&format!("c{round}"), &[]).await, Ok(()));
        }
    };
    timeout(soon, others).await.expect("others do not wait");
    assert_eq!(watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0), 3, "it never had more");
    admin.batch_execute("COMMIT").await.unwrap();
    for one in hanging {
        one.await.unwrap();
    }
}
