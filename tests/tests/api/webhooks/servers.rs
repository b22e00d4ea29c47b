//! Servers that share the work, are killed, stopped and restarted.

use std::{collections::BTreeMap, time::Duration};

use patron_tests::{
    patron::{Backend, Place, Server, send},
    receiver::Receiver,
    requests::minimal,
    wait,
};
use reqwest::Method;

use super::{QUICK, customer, endpoint, until};

#[tokio::test]
async fn two_servers_share_the_work_and_one_takes_over_when_the_other_is_killed() {
    let (place, receiver) = (Place::fresh(Backend::Postgres).await, Receiver::start().await);
    // A lease long enough not to expire on a busy machine while its server is alive.
    let unhurried = [QUICK[0], QUICK[1], ("PATRON_WEBHOOKS_LEASE_SECONDS", "10")];
    let (one, other) = (place.serve_with(&unhurried), place.serve_with(&unhurried));
    for _ in 0..2 {
        endpoint(&one, &receiver.url()).await;
    }
    let burst = |server: &Server, prefix: &'static str| {
        let requests: Vec<_> = (0..100)
            .map(|number| server.request(Method::POST, "/v1/customers").json(&minimal(&format!("{prefix}{number}"))))
            .collect();
        async move { futures::future::join_all(requests.into_iter().map(send)).await }
    };
    tokio::join!(burst(&one, "a"), burst(&other, "b"));
    receiver.wait_for(400).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for received in receiver.all() {
        *times.entry(received.header("webhook-id").to_owned()).or_default() += 1;
    }
    assert_eq!((times.len(), receiver.all().len()), (200, 400), "each event must arrive once at each endpoint");

    // One server is killed while it delivers. The other takes over when the lease expires.
    let (_, ()) = tokio::join!(burst(&other, "c"), async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        one.kill();
    });
    customer(&other, "last").await;
    wait::until(async || {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        receiver.all().iter().for_each(|one| *seen.entry(one.header("webhook-id").to_owned()).or_default() += 1);
        let twice = seen.values().filter(|times| **times >= 2).count();
        if twice == 301 { Ok(()) } else { Err(format!("{twice} of 301 events arrived at both endpoints")) }
    })
    .await;
}

#[tokio::test]
async fn a_stop_loses_no_delivery_and_a_start_resumes() {
    let (place, receiver) = (Place::fresh(Backend::Sqlite).await, Receiver::start().await);
    let server = place.serve_with(&[QUICK[0], ("PATRON_WEBHOOKS_DELIVER", "false")]);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    for number in 0..20 {
        customer(&server, &format!("c{number}")).await;
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(receiver.all().is_empty(), "this server must not deliver");
    server.kill();
    let server = place.serve_with(&QUICK[..1]);
    receiver.wait_for(20).await;
    until(&server, &id, "delivered", 20).await;
    assert_eq!(receiver.all().len(), 20);
}
