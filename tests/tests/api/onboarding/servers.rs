//! Servers that are killed in the middle of steps, and servers that share the work.

use std::{collections::BTreeSet, time::Duration};

use patron_tests::{
    audit,
    patron::{Backend, Place},
    receiver::{Receiver, Reply},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{QUICK, SETTING, create, crm, events, known_as, put, run, until, workflow};

#[rstest]
#[tokio::test]
async fn a_run_resumes_after_its_server_was_killed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let crm = Receiver::answering(|number, _| match number {
        0 => Reply { after: Duration::from_secs(60), ..known_as(0) },
        number => known_as(number),
    });
    let crm = crm.await;
    let server = place.serve_with(&QUICK);
    put(&server, SETTING, &workflow(&crm.url(), 3)).await.expect(200);
    let id = create(&server, "acme").await;
    crm.wait_for(1).await;
    assert_eq!(run(&server, &id).await["state"], "running");
    server.kill();
    let server = place.serve_with(&QUICK);
    until(&server, &id, "succeeded").await;
    let calls = crm.all();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
    let found = server.get(&format!("/v1/customers/{id}")).await.expect(200);
    assert_eq!(found["integrations"][0]["provider_entity_id"], "crm-1");
}

#[tokio::test]
async fn two_servers_share_the_work() {
    let (place, crm) = (Place::fresh(Backend::Postgres).await, crm().await);
    let servers = [place.serve_with(&QUICK), place.serve_with(&QUICK)];
    put(&servers[0], SETTING, &workflow(&crm.url(), 3)).await.expect(200);
    let names: Vec<_> = (0..60).map(|number| format!("c{number}")).collect();
    let creates = (0..60).map(|number| create(&servers[number % 2], &names[number]));
    for id in futures::future::join_all(creates).await {
        until(&servers[1], &id, "succeeded").await;
    }
    let mut ids: Vec<_> = crm.all().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((crm.all().len(), ids.len()), (60, 60), "each once");
}

/// The number of customers being onboarded while servers are killed.
const CUSTOMERS: usize = 40;

#[rstest]
#[tokio::test]
async fn runs_complete_even_when_servers_are_killed_repeatedly(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let told = |number: usize, _: &Value| Reply { after: Duration::from_millis(30), ..known_as(number) };
    let crm = Receiver::answering(told).await;
    let mut server = place.serve_with(&QUICK);
    let call = json!({ "type": "http_call", "url": crm.url() });
    let link = |name: &str| json!({ "type": "link_integration", "provider_type": name, "pointer": "/data/id" });
    let steps = json!([call, link("crm"), call, link("billing"), call]);
    put(&server, SETTING, &json!({ "value": { "steps": steps } })).await.expect(200);
    let mut ids = Vec::new();
    for number in 0..CUSTOMERS {
        ids.push(create(&server, &format!("c{number}")).await);
    }
    // Each time at a different moment of a different step.
    for millis in [5, 60, 170, 310, 450] {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        server.kill();
        server = place.serve_with(&QUICK);
    }
    for id in &ids {
        until(&server, id, "succeeded").await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let wanted = [
        "customer.created",
        "customer.integration_linked",
        "customer.integration_linked",
        "customer.onboarding_completed",
    ];
    for id in &ids {
        assert_eq!(events(&server, id).await, wanted, "each link and the completion must be logged once");
    }
    let calls: BTreeSet<_> = crm.all().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    assert_eq!(calls.len(), CUSTOMERS * 3, "each call must be made");
    audit::is_whole(&place).await;
}
