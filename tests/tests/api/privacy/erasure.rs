//! What an erasure leaves, and what its readers see.

use patron_tests::{
    patron::{Backend, Place, send},
    receiver::{Receiver, Reply},
    requests::minimal,
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::{REQUESTS, cancel, events, request, text, until};

/// Allows receivers on this machine, with quick retries.
const QUICK: [(&str, &str); 3] = [
    ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ("PATRON_WEBHOOKS_RETRY_SECONDS", "10"),
    ("PATRON_WEBHOOKS_LEASE_SECONDS", "2"),
];

#[rstest]
#[tokio::test]
async fn an_erased_customer_leaves_envelopes_and_nothing_else(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let create = server.request(Method::POST, "/v1/customers").header("idempotency-key", "k-1");
    let body = json!({ "external_id": "acme", "name": "Ada Lovelace" });
    let id = text(&send(create.json(&body)).await.expect(201)["id"]);
    let other = text(&server.post("/v1/customers", &minimal("other")).await.expect(201)["id"]);
    for name in ["Ada", "Augusta"] {
        let patch = server.request(Method::PATCH, &format!("/v1/customers/{id}")).json(&json!({ "name": name }));
        send(patch).await.expect(200);
    }
    let request_id = text(&request(&server, &id, 0).await.expect(202)["id"]);
    let done = until(&server, &request_id, "completed").await;
    let counts = done["counts"].as_array().unwrap();
    assert!(counts.iter().all(|count| count["left"] == 0), "{done:#}");
    let redacted = |category: &str| counts.iter().find(|one| one["category"] == category).unwrap()["redacted"].as_u64();
    assert_eq!((redacted("events"), redacted("document"), redacted("kept_answers")), (Some(3), Some(1), Some(1)));
    assert!(done["verified_at"].is_string() && done["reason"].is_null());

    for path in ["", "/history", "/recipients"] {
        assert_eq!(server.get(&format!("/v1/customers/{id}{path}")).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/v1/customers/external/acme").await.status, 404);
    assert_eq!(server.get(&format!("/v1/customers/{other}/history")).await.status, 200);
    let log = events(&server).await;
    let seen: Vec<_> = log.iter().map(|event| (text(&event["type"]), event["sequence"].as_u64().unwrap())).collect();
    let of_other = ("customer.created".to_owned(), 1);
    assert_eq!(seen[1], of_other);
    let kinds: Vec<_> = seen.iter().filter(|one| **one != of_other).map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["customer.updated", "customer.updated", "customer.suppressed", "customer.erased"]);
    assert!(log.iter().filter(|event| event["entity"]["id"] == id).all(|event| event["data"].is_null()));

    let activity = server.post("/v1/activity", &json!({})).await.expect(200).to_string();
    assert!(!activity.contains("acme") && !activity.contains("Ada"), "{activity}");

    // The same request again, and the answer under the old key.
    assert_eq!(request(&server, &id, 0).await.expect(200), done);
    let by_external_id = json!({ "external_customer_id": "acme", "request_channel": "api" });
    assert_eq!(server.post(REQUESTS, &by_external_id).await.expect(200), done);
    let repeat = server.request(Method::POST, "/v1/customers").header("idempotency-key", "k-1").json(&body);
    let gone = send(repeat).await;
    assert_eq!((gone.status, gone.error().0), (410, "gone"));
    let refused = server.post("/v1/customers", &minimal("acme")).await;
    assert_eq!((refused.status, refused.error().0), (409, "erased_subject"));
    let late = cancel(&server, &request_id).await;
    assert_eq!((late.status, late.error().0), (409, "erasure_begun"));
    let audit = server.get("/v1/audit").await.expect(200);
    let actions: Vec<_> = audit["items"].as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions[..2], ["deletion_request.completed", "deletion_request.created"]);
    patron_tests::audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn webhooks_of_a_suppressed_customer_wait_and_go_out_after_a_cancel(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let fails = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let failing = fails.clone();
    let receiver = Receiver::answering(move |_, body| {
        let created = body["event_type"] == "customer.created" && body["customer"]["external_id"] == "acme";
        Reply::status(if created && failing.load(std::sync::atomic::Ordering::Relaxed) { 503 } else { 200 })
    })
    .await;
    let server = place.serve_with(&QUICK);
    server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
    let id = text(&server.post("/v1/customers", &minimal("acme")).await.expect(201)["id"]);
    let attempts = || receiver.all().iter().filter(|one| one.json()["customer"]["external_id"] == "acme").count();
    wait::until(async || if attempts() > 0 { Ok(()) } else { Err("no attempt yet") }).await;
    let request_id = text(&request(&server, &id, 1).await.expect(202)["id"]);
    // Another customer's events go on. By then an attempt under way has ended.
    server.post("/v1/customers", &minimal("other")).await.expect(201);
    wait::until(async || {
        let seen = receiver.all().iter().any(|one| one.json()["customer"]["external_id"] == "other");
        if seen { Ok(()) } else { Err("the other customer's event has not arrived") }
    })
    .await;
    fails.store(false, std::sync::atomic::Ordering::Relaxed);
    let so_far = attempts();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(attempts() <= so_far + 1, "it waits");
    cancel(&server, &request_id).await.expect(200);
    let types = wait::until(async || {
        let of_acme = receiver.all().into_iter().filter(|one| one.status == 200 && one.json()["entity_id"] == id);
        let types: Vec<_> = of_acme.map(|one| text(&one.json()["event_type"])).collect();
        if types.len() >= 3 { Ok(types) } else { Err(types) }
    })
    .await;
    assert_eq!(types, ["customer.created", "customer.suppressed", "customer.unsuppressed"]);
}

#[rstest]
#[tokio::test]
async fn endpoints_learn_that_a_customer_was_erased(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let receiver = Receiver::start().await;
    let server = place.serve_with(&QUICK);
    server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
    let id = text(&server.post("/v1/customers", &minimal("acme")).await.expect(201)["id"]);
    request(&server, &id, 0).await.expect(202);
    let bodies = wait::until(async || {
        let bodies: Vec<_> = receiver.all().iter().map(|one| one.json()).collect();
        let erased = bodies.iter().any(|body| body["event_type"] == "customer.erased");
        if erased { Ok(bodies) } else { Err(bodies) }
    })
    .await;
    for body in bodies.iter().filter(|body| body["event_type"] != "customer.created") {
        assert_eq!((&body["entity_id"], body.get("customer")), (&json!(id), None), "{body:#}");
    }
}
