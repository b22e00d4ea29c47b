//! The header `Idempotency-Key`, over both databases.

use futures::future::join_all;
use patron_tests::{
    audit,
    patron::{Answer, Backend, KEY, Place, Server, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::{Method, header::HeaderValue};
use rstest::rstest;
use serde_json::{Value, json};

async fn create(server: &Server, key: &str, body: &Value) -> Answer {
    send(server.request(Method::POST, "/v1/customers").header("Idempotency-Key", key).json(body)).await
}

/// Whether an answer is marked as replayed.
fn replayed(answer: &Answer) -> bool {
    let mark = answer.header("Idempotency-Replayed");
    assert!(matches!(mark, None | Some("true")), "{mark:?}");
    mark.is_some()
}

#[rstest]
#[tokio::test]
async fn a_repeated_request_gets_the_first_answer(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let first = create(&server, "acme", &full("acme")).await;
    assert!(!replayed(&first));
    drop(server);
    // Another server gives the same answer, even though the tax rate is inactive now.
    place.set_in_documents("tax_rates", "tax_rate_status", &json!("INACTIVE"), "rate_status = 1").await;
    let server = place.serve();
    for _ in 0..2 {
        let again = create(&server, "acme", &full("acme")).await;
        assert!(replayed(&again));
        assert_ne!(again.header("X-Request-ID"), first.header("X-Request-ID"));
        assert_eq!(again.header("ETag"), first.header("ETag"));
        assert_eq!((again.status, &again.body), (201, &first.body));
    }
    // Without the key it is a new request.
    assert_eq!(server.post("/v1/customers", &minimal("acme")).await.status, 409);
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn a_different_request_under_the_same_key_is_refused(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    create(&server, "k", &minimal("acme")).await.expect(201);
    let other_body = create(&server, "k", &minimal("other")).await;
    let other_bytes = server.request(Method::POST, "/v1/customers").header("Idempotency-Key", "k");
    let other_bytes = other_bytes.header("content-type", "application/json").body(r#"{ "external_id": "acme" }"#);
    let other_target = server.request(Method::POST, "/v1/customers?dry=1").header("Idempotency-Key", "k");
    for answer in [other_body, send(other_bytes).await, send(other_target.json(&minimal("acme"))).await] {
        assert_eq!(answer.status, 409, "{:#}", answer.body);
        assert_eq!(answer.error(), ("idempotency_key_reused", vec!["Idempotency-Key"]));
    }
    // Keys are case-sensitive. Refused requests created nothing.
    create(&server, "K", &minimal("other")).await.expect(201);
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 2);
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn a_refusal_leaves_the_key_free(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    create(&server, "before", &minimal("taken")).await.expect(201);
    let mut invalid = minimal("acme");
    invalid["email"] = json!("nobody");
    for (body, status) in [(invalid, 400), (full("acme"), 404), (minimal("taken"), 409)] {
        for _ in 0..2 {
            let refused = create(&server, "k", &body).await;
            assert_eq!((refused.status, replayed(&refused)), (status, false));
        }
    }
    let mended = create(&server, "k", &minimal("acme")).await;
    assert_eq!((mended.status, replayed(&mended)), (201, false));
    assert_eq!(place.number("SELECT count(*) FROM kept_answers WHERE key >= ' '").await, 2);
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_repetitions_are_done_once(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    for round in 0..3 {
        let key = format!("c{round}");
        let body = full(&key);
        let answers = join_all((0..64).map(|_| create(&server, &key, &body))).await;
        let done: Vec<_> = answers.iter().filter(|answer| answer.status == 201 && !replayed(answer)).collect();
        assert_eq!(done.len(), 1);
        for answer in &answers {
            // A repetition waits and gets the first answer, or a refusal with `Retry-After`.
            match answer.status {
                201 => assert_eq!(answer.body, done[0].body),
                409 | 503 => assert!(answer.header("Retry-After").is_some(), "{:#}", answer.body),
                other => panic!("{other}: {:#}", answer.body),
            }
        }
    }
    assert_eq!(audit::full_customers(&place).await, 3);
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn a_key_belongs_to_its_environment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let tenants: Value = serde_json::from_str(&place.run_ok(&["tenants", "list", "--json"])).unwrap();
    let tenant = tenants[0]["id"].as_str().unwrap();
    let arguments = ["environments", "create", "--tenant", tenant, "--name", "E", "--type", "production", "--json"];
    let environment: Value = serde_json::from_str(&place.run_ok(&arguments)).unwrap();
    let environment = environment["id"].as_str().unwrap();
    let arguments = ["keys", "create", "--environment", environment, "--name", "k", "--role", "super_admin"];
    let there = place.run_ok(&arguments).trim().to_owned();
    let mut ids = Vec::new();
    for (key, body) in [(KEY, minimal("acme")), (&there, minimal("acme")), (&there, minimal("acme"))] {
        let request = server.request_as(key, Method::POST, "/v1/customers").header("Idempotency-Key", "k");
        let answer = send(request.json(&body)).await;
        ids.push((replayed(&answer), answer.expect(201)["id"].clone()));
    }
    assert_eq!([ids[0].0, ids[1].0, ids[2].0], [false, false, true]);
    assert_ne!(ids[0].1, ids[1].1);
    assert_eq!(ids[1].1, ids[2].1);
}

#[rstest]
#[tokio::test]
async fn an_invalid_key_is_refused_with_the_name_of_the_header(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let long = "k".repeat(256);
    for key in ["", "tab\there", &long] {
        let refused = create(&server, key, &minimal("acme")).await;
        assert_eq!(refused.status, 400, "{key:?}");
        assert_eq!(refused.error(), ("validation_error", vec!["Idempotency-Key"]), "{key:?}");
    }
    let key = HeaderValue::from_bytes("ü".as_bytes()).unwrap();
    let request = server.request(Method::POST, "/v1/customers").header("Idempotency-Key", key);
    assert_eq!(send(request.json(&minimal("acme"))).await.status, 400);
    for key in [&"k".repeat(255), "a key with spaces", "~!"] {
        assert_eq!(create(&server, key, &minimal(key)).await.status, 201, "{key:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_stored_answer_expires_after_the_configured_time(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let age = |hours: i64| format!("UPDATE kept_answers SET at = at - {hours} * 3600000000");
    let server = place.serve();
    let first = create(&server, "k", &minimal("acme")).await.expect(201);
    place.execute(&age(23)).await;
    let again = create(&server, "k", &minimal("acme")).await;
    assert!(replayed(&again));
    assert_eq!(again.body, first);
    drop(server);

    let server = place.serve_with(&[("PATRON_IDEMPOTENCY_HOURS", "2")]);
    // The key is free again: the request runs and is refused, because the customer exists.
    assert_eq!(create(&server, "k", &minimal("acme")).await.status, 409);
    assert!(!replayed(&create(&server, "k", &minimal("other")).await), "the key must belong to the other request now");
    assert!(replayed(&create(&server, "k", &minimal("other")).await));
    place.execute(&age(1)).await;
    assert!(replayed(&create(&server, "k", &minimal("other")).await));
    place.execute(&age(1)).await;
    let third = create(&server, "k", &minimal("third")).await;
    assert_eq!((third.status, replayed(&third)), (201, false));
    assert_eq!(place.number("SELECT count(*) FROM kept_answers WHERE key >= ' '").await, 1);
}
