//! The program is killed while it erases customers, over both databases. Another one continues the erasures, and none is
//! completed while data is left.
//!
//! Runs a few rounds by default; `tests/crash` runs more.

use std::time::Duration;

use futures::future::join_all;
use patron_tests::{
    audit,
    patron::{Backend, Place, Server, send},
    rounds::rounds,
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use tokio::time::sleep;

/// The customers that are erased in a round.
const CUSTOMERS: usize = 12;
/// The changes of each before its erasure.
const CHANGES: usize = 8;

/// Leases end soon.
const QUICK: [(&str, &str); 1] = [("PATRON_WEBHOOKS_LEASE_SECONDS", "2")];

/// Erasures that are not completed.
const OPEN: &str = "SELECT count(*) FROM deletion_requests WHERE state <> 2";

/// A customer with some history.
async fn customer(server: &Server, external_id: String) -> String {
    let body = json!({ "external_id": external_id, "name": "Grace Hopper", "metadata": { "plan": "gold" } });
    let made = server.post("/v1/customers", &body).await.expect(201);
    let id = made["id"].as_str().expect("an id").to_owned();
    for number in 0..CHANGES {
        let patch = server.request(Method::PATCH, &format!("/v1/customers/{id}"));
        send(patch.json(&json!({ "name": format!("Grace Hopper the {number}th") }))).await.expect(200);
    }
    id
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_step_of_an_erasure_leaves_it_to_the_next_server(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let (mut server, mut interrupted) = (place.serve_with(&QUICK), 0);
    let kills = rounds(3);
    for round in 0..kills {
        let made = (0..CUSTOMERS).map(|number| customer(&server, format!("r{round}-{number}")));
        let ids = join_all(made).await;
        let requests = ids.iter().map(|id| {
            let body = json!({ "customer_id": id, "request_channel": "api", "cooldown_days": 0 });
            let server = &server;
            async move { server.post("/v1/privacy/deletion-requests", &body).await.expect(202) }
        });
        join_all(requests).await;
        // At a different moment each time.
        sleep(Duration::from_millis(u64::try_from(round * 7 % 60).unwrap())).await;
        server.kill();
        interrupted += usize::from(place.number(OPEN).await > 0);
        // Completed erasures left no data, and all other rows are consistent.
        audit::is_whole(&place).await;
        server = place.serve_with(&QUICK);
    }
    until(async || match place.number(OPEN).await {
        0 => Ok(()),
        open => Err(format!("{open} erasures are open")),
    })
    .await;
    audit::is_whole(&place).await;
    println!("{backend:?}: {kills} kills, {interrupted} of them during erasures");
    let erased = place.number("SELECT count(*) FROM deletion_requests WHERE state = 2").await;
    assert_eq!(erased, i64::try_from(kills * CUSTOMERS).unwrap());
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 0);
    assert!(interrupted > 0, "no kill came during an erasure");
}
