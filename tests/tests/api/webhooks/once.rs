//! The header `Idempotency-Key` on every request that changes endpoints.

use futures::future::join_all;
use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    receiver::Receiver,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{ENDPOINTS, QUICK, customer, deliveries, endpoint};

async fn under(server: &Server, key: &str, method: Method, path: &str, body: &Value) -> Answer {
    send(server.request(method, path).header("Idempotency-Key", key).json(body)).await
}

fn replayed(answer: &Answer) -> bool {
    answer.header("Idempotency-Replayed") == Some("true")
}

/// The same body without the secret, which is shown only once.
fn hidden(shown: &Value) -> Value {
    let mut shown = shown.clone();
    shown.as_object_mut().expect("an object").remove("secret").expect("a secret");
    shown
}

#[rstest]
#[tokio::test]
async fn every_request_is_done_once_and_no_secret_is_shown_twice(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&[QUICK[0], ("PATRON_WEBHOOKS_DELIVER", "false")]);
    let body = json!({ "url": receiver.url(), "event_types": ["customer.*"] });
    let made = under(&server, "create", Method::POST, ENDPOINTS, &body).await;
    assert!(!replayed(&made) && made.body["secret"].is_string(), "{:#}", made.body);
    let path = format!("{ENDPOINTS}/{}", made.body["id"].as_str().unwrap());
    let event = {
        customer(&server, "acme").await;
        let events = server.get("/v1/events").await.expect(200);
        events["items"][0]["id"].clone()
    };
    let [test, rotate, replay] = ["test", "rotate-secret", "replay"].map(|what| format!("{path}/{what}"));
    let requests = [
        ("update", Method::PUT, &path, json!({ "description": "Billing" }), 200),
        ("rotate", Method::POST, &rotate, json!({ "overlap_seconds": 60 }), 200),
        ("test", Method::POST, &test, json!({}), 200),
        ("replay one", Method::POST, &replay, json!({ "event_id": event }), 200),
        (
            "replay time",
            Method::POST,
            &replay,
            json!({ "from": "2000-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z" }),
            200,
        ),
        (
            "replay nothing",
            Method::POST,
            &replay,
            json!({ "from": "2000-01-01T00:00:00Z", "to": "2000-01-02T00:00:00Z" }),
            200,
        ),
        ("replay failed", Method::POST, &replay, json!({ "failed": true }), 200),
        ("delete", Method::DELETE, &path, Value::Null, 204),
    ];
    let mut first = Vec::new();
    for (key, method, path, body, status) in &requests {
        let done = under(&server, key, method.clone(), path, body).await;
        assert_eq!((done.status, replayed(&done)), (*status, false), "{key}: {:#}", done.body);
        first.push(done.body);
    }
    assert!(first[1]["secret"].is_string() && first[1]["secret"] != made.body["secret"]);
    assert_eq!([3, 4, 5, 6].map(|at: usize| first[at]["replayed"].clone()), [1, 1, 0, 0]);

    // The endpoint is deleted, but each request still gets its first answer.
    let again = under(&server, "create", Method::POST, ENDPOINTS, &body).await;
    assert_eq!((again.status, replayed(&again), &again.body), (201, true, &hidden(&made.body)));
    for ((key, method, path, body, status), first) in requests.iter().zip(&first) {
        let again = under(&server, key, method.clone(), path, body).await;
        assert_eq!((again.status, replayed(&again)), (*status, true), "{key}: {:#}", again.body);
        let wanted = if *key == "rotate" { hidden(first) } else { first.clone() };
        assert_eq!(again.body, wanted, "{key}");
    }
    assert_eq!(receiver.count(), 1, "the test must be sent once");
    assert_eq!(place.number("SELECT count(*) FROM webhook_endpoints").await, 1);
    assert_eq!(place.number("SELECT count(*) FROM webhook_deliveries").await, 3);
    let secrets = "SELECT count(*) FROM kept_answers WHERE CAST(answer AS TEXT) LIKE '%whsec_%' \
                   OR CAST(answer AS TEXT) LIKE '%v1:%'";
    assert_eq!(place.number(secrets).await, 0);
}

#[rstest]
#[tokio::test]
async fn a_different_request_under_a_key_is_refused_and_a_refusal_leaves_the_key_free(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[QUICK[0], ("PATRON_WEBHOOKS_DELIVER", "false")]);
    let (id, _) = endpoint(&server, "http://127.0.0.1:9/").await;
    let path = format!("{ENDPOINTS}/{id}");
    let missing = format!("{ENDPOINTS}/wh_{}", "0".repeat(26));
    let [rotate, test, replay] = ["rotate-secret", "test", "replay"].map(|what| format!("{path}/{what}"));
    let (none, url) = (json!({}), json!({ "url": "https://example.com" }));
    let (nowhere, unknown) = (format!("{missing}/test"), json!({ "event_id": format!("evt_{}", "0".repeat(26)) }));
    let refused = [
        (Method::POST, ENDPOINTS, &none, 400),
        (Method::PUT, missing.as_str(), &none, 404),
        (Method::POST, nowhere.as_str(), &none, 404),
        (Method::POST, replay.as_str(), &unknown, 404),
        (Method::DELETE, missing.as_str(), &none, 404),
    ];
    for (method, path, body, status) in refused {
        assert_eq!(under(&server, "k", method, path, body).await.status, status, "{path}");
    }
    let taken = under(&server, "k", Method::PUT, &path, &json!({ "description": "Billing" })).await;
    assert_eq!((taken.status, replayed(&taken)), (200, false));
    let failed = json!({ "failed": true });
    let others = [
        (Method::POST, ENDPOINTS, &url),
        (Method::PUT, path.as_str(), &json!({ "description": "other" })),
        (Method::POST, rotate.as_str(), &none),
        (Method::POST, test.as_str(), &none),
        (Method::POST, replay.as_str(), &failed),
        (Method::DELETE, path.as_str(), &none),
    ];
    for (method, path, body) in others {
        let refused = under(&server, "k", method, path, body).await;
        assert_eq!(refused.status, 409, "{path}: {:#}", refused.body);
        assert_eq!(refused.error(), ("idempotency_key_reused", vec!["Idempotency-Key"]), "{path}");
    }
    let found = server.get(&path).await.expect(200);
    assert_eq!(found, taken.body, "refused requests must change nothing");
    assert!(deliveries(&server, &id, "").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_repetitions_create_one_endpoint(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    // The limit allows just one more endpoint. Repetitions are not refused because of it.
    for _ in 0..49 {
        endpoint(&server, "https://example.com").await;
    }
    let body = json!({ "url": "https://example.com/last" });
    let answers = join_all((0..32).map(|_| under(&server, "k", Method::POST, ENDPOINTS, &body))).await;
    let shown: Vec<_> = answers.iter().filter(|answer| answer.body["secret"].is_string()).collect();
    assert_eq!(shown.len(), 1);
    for answer in &answers {
        match answer.status {
            201 if replayed(answer) => assert_eq!(answer.body, hidden(&shown[0].body)),
            201 => {}
            503 => assert!(answer.header("Retry-After").is_some()),
            other => panic!("{other}: {:#}", answer.body),
        }
    }
    assert_eq!(server.get(ENDPOINTS).await.expect(200)["pagination"]["total"], 50);
}
