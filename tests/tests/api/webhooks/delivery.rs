//! What arrives, in which order, and how soon.

use std::{collections::BTreeMap, time::Duration};

use patron_tests::{
    patron::{Backend, Place},
    receiver::{Receiver, Reply},
    requests::tax_rate,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{QUICK, customer, deliveries, endpoint, rename, until};

#[rstest]
#[tokio::test]
async fn each_change_arrives_signed_in_order_and_as_the_api_answers_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&QUICK);
    customer(&server, "before").await;
    let (id, secret) = endpoint(&server, &receiver.url()).await;
    let created = customer(&server, "acme").await;
    let renamed = rename(&server, &created["id"], "Acme").await;
    let rate = server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let received = receiver.wait_for(3).await;
    for one in &received {
        assert!(one.is_signed_with(&secret), "{one:?}");
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(one.header("webhook-id"), one.json()["event_id"].as_str().unwrap());
    }
    let of = |kind: &str| received.iter().map(|one| one.json()).find(|body| body["event_type"] == kind).expect(kind);
    assert_eq!(of("customer.created")["customer"], created);
    assert_eq!(of("customer.updated")["customer"], renamed);
    assert_eq!(
        (&of("customer.updated")["sequence"], &of("customer.updated")["changed"]),
        (&json!(2), &json!(["name"]))
    );
    assert_eq!(of("tax_rate.created")["tax_rate"], rate);
    let places: Vec<_> = received.iter().map(|one| one.json()["event_type"].to_string()).collect();
    let at = |kind: &str| places.iter().position(|one| one.contains(kind));
    assert!(at("customer.created") < at("customer.updated"), "{places:?}");
    // What happened before the endpoint was made is not delivered.
    let listed = until(&server, &id, "delivered", 3).await;
    assert_eq!((listed.len(), receiver.all().len()), (3, 3));
    assert_eq!(listed[0]["last_attempt"]["http_status"], 204);
}

#[rstest]
#[tokio::test]
async fn many_changes_of_many_customers_keep_each_customers_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&QUICK);
    endpoint(&server, &receiver.url()).await;
    let many = (0..40).map(|number| {
        let server = &server;
        async move {
            let made = customer(server, &format!("c{number}")).await;
            for round in 0..9 {
                rename(server, &made["id"], &format!("Name {round}")).await;
            }
        }
    });
    futures::future::join_all(many).await;
    let mut of: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for one in receiver.wait_for(400).await {
        let body = one.json();
        of.entry(body["customer"]["id"].to_string()).or_default().push(body["sequence"].as_u64().unwrap());
    }
    assert_eq!(of.len(), 40);
    assert!(of.values().all(|seen| seen.iter().copied().eq(1..=10)), "{of:?}");
}

#[tokio::test]
async fn a_slow_endpoint_delays_no_other() {
    let place = Place::fresh(Backend::Sqlite).await;
    let slow = Receiver::answering(|_, _| Reply { after: Duration::from_secs(30), ..Reply::status(200) }).await;
    let fast = Receiver::start().await;
    let server = place.serve_with(&QUICK);
    let (slow_id, _) = endpoint(&server, &slow.url()).await;
    endpoint(&server, &fast.url()).await;
    let begun = std::time::Instant::now();
    customer(&server, "c0").await;
    fast.wait_for(1).await;
    assert_eq!(deliveries(&server, &slow_id, "status=waiting").await, [] as [Value; 0], "the first attempt goes on");
    for number in 1..50 {
        customer(&server, &format!("c{number}")).await;
    }
    fast.wait_for(50).await;
    // Behind the slow one they would take ten seconds each.
    assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", begun.elapsed());
    // Ten seconds are the limit, and an answer after thirty is not waited for.
    let waiting = until(&server, &slow_id, "waiting", 1).await;
    assert_eq!(waiting[0]["last_attempt"]["error"], "timeout");
    assert!(begun.elapsed() >= Duration::from_secs(9), "{:?}", begun.elapsed());
}

/// An event of the log under the names of webhooks, as the table in docs/webhooks.md maps them.
fn as_a_webhook(mut event: Value) -> Value {
    let fields = event.as_object_mut().unwrap();
    for (log, webhook) in [("id", "event_id"), ("type", "event_type")] {
        let value = fields.remove(log).unwrap();
        fields.insert(webhook.to_owned(), value);
    }
    let entity = fields.remove("entity").unwrap();
    assert_eq!(entity.as_object().unwrap().len(), 2, "{entity}");
    let kind = entity["type"].as_str().unwrap().to_owned();
    fields.insert("entity_type".to_owned(), entity["type"].clone());
    fields.insert("entity_id".to_owned(), entity["id"].clone());
    let mut data = fields.remove("data").unwrap();
    if let Some(associations) = data.as_object_mut().unwrap().remove("tax_associations") {
        fields.insert("tax_associations".to_owned(), associations);
    }
    fields.insert(kind, data);
    if fields["request_id"].is_null() {
        fields.remove("request_id");
    }
    event
}

#[rstest]
#[tokio::test]
async fn webhooks_and_the_log_have_the_same_fields(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&QUICK);
    endpoint(&server, &receiver.url()).await;
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let body = json!({
        "external_id": "acme", "tax_rate_overrides": [{ "tax_rate_code": "VAT", "currency": "eur" }],
        "integration_entity_mapping": [{ "provider_type": "crm", "provider_entity_id": "1" }],
    });
    let created = server.post("/v1/customers", &body).await.expect(201);
    rename(&server, &created["id"], "Acme").await;
    // An event without a request.
    let made = ["customers", "generate", "--count", "1", "--prefix", "made-up-"];
    let _ = place.run_ok(&made);
    let by_id = |mut events: Vec<Value>| {
        events.sort_by_key(|event| event["event_id"].to_string());
        events
    };
    let log = server.get("/v1/events").await.expect(200);
    let log: Vec<_> = log["items"].as_array().unwrap().iter().cloned().map(as_a_webhook).collect();
    assert_eq!(log.len(), 4);
    assert!(log.iter().any(|event| event.get("request_id").is_none()), "{log:#?}");
    assert!(log.iter().any(|event| event["tax_associations"].as_array().is_some_and(|list| list.len() == 1)));
    let received = receiver.wait_for(4).await.iter().map(|one| one.json()).collect();
    assert_eq!(by_id(received), by_id(log));
}
