//! The header `Idempotency-Key` on every request that writes, over both databases.

use futures::future::join_all;
use patron_tests::{
    audit,
    patron::{Answer, Backend, Place, Server, send},
    requests::{minimal, tax_rate},
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

/// A request that writes. `{…}` stands for the id of an existing thing.
struct Write {
    method: Method,
    path: &'static str,
    body: Option<Value>,
    status: u16,
}

fn write(method: Method, path: &'static str, body: impl Into<Option<Value>>, status: u16) -> Write {
    Write { method, path, body: body.into(), status }
}

/// Every request that writes, except creates of customers.
fn writes() -> Vec<Write> {
    let key = json!({ "name": "k", "type": "private_key" });
    let other = json!({ "environment_id": "{there}", "name": "k", "type": "private_key" });
    let mapping = json!({ "entity_type": "customer", "entity_id": "{customer}", "provider_type": "stripe" });
    let mut link = mapping.clone();
    link["provider_entity_id"] = json!("cus_2");
    let association = json!({ "tax_rate_code": "FREE", "entity_type": "customer", "entity_id": "{customer}" });
    vec![
        write(Method::POST, "/v1/taxes/rates", tax_rate("NEW"), 201),
        write(Method::PUT, "/v1/taxes/rates/{used}", json!({ "name": "another" }), 200),
        write(Method::DELETE, "/v1/taxes/rates/{free}", None, 204),
        write(Method::POST, "/v1/taxes/associations", json!({ "tax_rate_code": "FREE", "entity_type": "tenant" }), 200),
        write(Method::PUT, "/v1/taxes/associations/{default}", json!({ "priority": 7 }), 200),
        write(Method::DELETE, "/v1/taxes/associations/{default}", None, 200),
        write(Method::POST, "/v1/environments", json!({ "name": "E", "type": "development" }), 201),
        write(Method::PUT, "/v1/environments/{there}", json!({ "name": "F" }), 200),
        write(Method::PUT, "/v1/environments/{there}", json!({}), 200),
        write(Method::POST, "/v1/secrets/api/keys", key, 201),
        write(Method::POST, "/v1/secrets/api/keys", other, 201),
        write(Method::DELETE, "/v1/secrets/api/keys/{key}", None, 204),
        write(Method::POST, "/v1/integrations/link", link, 200),
        write(Method::DELETE, "/v1/integrations/link", mapping, 200),
        write(Method::POST, "/v1/taxes/associations", association, 200),
        write(Method::PUT, "/v1/taxes/associations/{own}", json!({ "priority": 7 }), 200),
        write(Method::DELETE, "/v1/taxes/associations/{own}", None, 200),
        write(Method::PUT, "/v1/customers/{customer}", json!({ "name": "another" }), 200),
        write(Method::PATCH, "/v1/customers/{customer}", json!({ "name": "another" }), 200),
        write(Method::PUT, "/v1/customers/external/acme", json!({ "name": "another" }), 200),
        write(Method::DELETE, "/v1/customers/{customer}", None, 204),
        write(Method::POST, "/v1/customers/{archived}/restore", None, 200),
        write(Method::PUT, "/v1/settings/customer_onboarding", workflow(true), 200),
        write(Method::PUT, "/v1/settings/customer_onboarding/another", workflow(false), 200),
        write(Method::DELETE, "/v1/settings/customer_onboarding", None, 200),
        write(Method::DELETE, "/v1/settings/customer_onboarding/named", None, 200),
        write(Method::POST, "/v1/customers/{customer}/onboarding/retry", None, 200),
        write(Method::POST, "/v1/customers/{named}/onboarding/cancel", None, 200),
    ]
}

/// A workflow whose only call is never answered.
fn workflow(rotate_secret: bool) -> Value {
    let step = json!({ "type": "http_call", "url": "http://127.0.0.1:9", "retry": { "max_attempts": 1 } });
    json!({ "value": { "steps": [step] }, "rotate_secret": rotate_secret })
}

impl Write {
    /// Whether the request needs a failed run. For all others, runs stay as they were started.
    fn needs_a_failed_run(&self) -> bool {
        self.path.ends_with("/onboarding/retry")
    }

    /// A server for this request, with everything that requests refer to, and the ids.
    async fn stage(&self, place: &Place) -> (Server, Vec<(&'static str, String)>) {
        let concurrency = if self.needs_a_failed_run() { "16" } else { "0" };
        let server = place.serve_with(&[("PATRON_ONBOARDING_CONCURRENCY", concurrency)]);
        let ids = stage(&server).await;
        if self.needs_a_failed_run() {
            failed(&server, &real("{customer}", &ids)).await;
        }
        (server, ids)
    }
}

/// Waits until a customer's run has failed, because calls to 127.0.0.1 are refused.
async fn failed(server: &Server, customer: &str) {
    until(async || {
        let run = server.get(&format!("/v1/customers/{customer}/onboarding")).await.expect(200);
        if run["state"] == "failed" { Ok(()) } else { Err(run) }
    })
    .await;
}

/// Creates everything that requests refer to; returns the ids.
async fn stage(server: &Server) -> Vec<(&'static str, String)> {
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let used = server.post("/v1/taxes/rates", &tax_rate("USED")).await.expect(201);
    let free = server.post("/v1/taxes/rates", &tax_rate("FREE")).await.expect(201);
    let default = json!({ "tax_rate_code": "USED", "entity_type": "tenant", "auto_apply": true });
    let default = server.post("/v1/taxes/associations", &default).await.expect(200);
    let there = server.post("/v1/environments", &json!({ "name": "E", "type": "development" })).await.expect(201);
    let key = server.post("/v1/secrets/api/keys", &json!({ "name": "k", "type": "private_key" })).await.expect(201);
    let customer = json!({
        "external_id": "acme",
        "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_1" }],
    });
    for path in ["/v1/settings/customer_onboarding", "/v1/settings/customer_onboarding/named"] {
        send(server.request(Method::PUT, path).json(&workflow(false))).await.expect(200);
    }
    let customer = server.post("/v1/customers", &customer).await.expect(201);
    let named = json!({ "external_id": "named", "onboarding_workflow_name": "named" });
    let named = server.post("/v1/customers", &named).await.expect(201);
    let own = server.get("/v1/taxes/associations?entity_type=customer").await.expect(200)["items"][0].clone();
    let archived = json!({ "external_id": "archived", "skip_onboarding_workflow": true });
    let archived = server.post("/v1/customers", &archived).await.expect(201);
    send(server.request(Method::DELETE, &format!("/v1/customers/{}", id(&archived)))).await.expect(204);
    vec![
        ("{used}", id(&used)),
        ("{free}", id(&free)),
        ("{default}", id(&default)),
        ("{there}", id(&there)),
        ("{key}", id(&key["secret"])),
        ("{customer}", id(&customer)),
        ("{named}", id(&named)),
        ("{own}", id(&own)),
        ("{archived}", id(&archived)),
    ]
}

fn real(text: &str, ids: &[(&str, String)]) -> String {
    ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
}

async fn ask(server: &Server, write: &Write, ids: &[(&str, String)], key: &str) -> Answer {
    let request = server.request(write.method.clone(), &real(write.path, ids)).header("Idempotency-Key", key);
    send(match &write.body {
        Some(body) => request.header("content-type", "application/json").body(real(&body.to_string(), ids)),
        None => request,
    })
    .await
}

fn replayed(answer: &Answer) -> bool {
    answer.header("Idempotency-Replayed") == Some("true")
}

/// The answer to a repetition: the same body without the API key or secret.
fn without_key(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("api_key");
        // The description of a key is called `secret` too, but is an object.
        if members.get("secret").is_some_and(Value::is_string) {
            members.remove("secret");
        }
    }
    body
}

#[rstest]
#[tokio::test]
async fn every_write_is_done_once_under_a_key(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    for write in writes() {
        let what = format!("{} {}", write.method, write.path);
        let place = Place::fresh(backend).await;
        let (server, ids) = write.stage(&place).await;
        let first = ask(&server, &write, &ids, "k").await;
        assert_eq!((first.status, replayed(&first)), (write.status, false), "{what}: {:#}", first.body);
        for _ in 0..2 {
            let again = ask(&server, &write, &ids, "k").await;
            assert_eq!((again.status, replayed(&again)), (write.status, true), "{what}: {:#}", again.body);
            assert_eq!(again.body, without_key(&first.body), "{what}");
            assert_eq!(again.header("ETag"), first.header("ETag"), "{what}");
        }
        let reused = server.request(Method::POST, "/v1/taxes/rates").header("Idempotency-Key", "k");
        let reused = send(reused.json(&tax_rate("OTHER"))).await;
        assert_eq!(
            (reused.status, reused.error()),
            (409, ("idempotency_key_reused", vec!["Idempotency-Key"])),
            "{what}"
        );
        let reused = server.request(Method::POST, "/v1/customers").header("Idempotency-Key", "k");
        let reused = send(reused.json(&minimal("other"))).await;
        assert_eq!(
            (reused.status, reused.error()),
            (409, ("idempotency_key_reused", vec!["Idempotency-Key"])),
            "{what}"
        );
        audit::is_whole(&place).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_repetitions_are_done_once(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    for write in writes() {
        let what = format!("{} {}", write.method, write.path);
        let place = Place::fresh(backend).await;
        let (server, ids) = write.stage(&place).await;
        let answers = join_all((0..12).map(|_| ask(&server, &write, &ids, "k"))).await;
        let done: Vec<_> = answers.iter().filter(|one| one.status == write.status && !replayed(one)).collect();
        assert_eq!(done.len(), 1, "{what}");
        for answer in &answers {
            // A repetition waits and gets the first answer, or a refusal with `Retry-After`.
            if answer.status == write.status {
                assert_eq!(without_key(&answer.body), without_key(&done[0].body), "{what}");
            } else {
                assert!(matches!(answer.status, 409 | 503), "{what}: {} {:#}", answer.status, answer.body);
                assert!(answer.header("Retry-After").is_some(), "{what}: {:#}", answer.body);
            }
        }
        audit::is_whole(&place).await;
    }
}

#[rstest]
#[tokio::test]
async fn stored_answers_hold_no_secret(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let make = write(Method::POST, "/v1/secrets/api/keys", json!({ "name": "k", "type": "private_key" }), 201);
    let made = ask(&server, &make, &[], "k").await.expect(201);
    let secret = made["api_key"].as_str().unwrap();
    let kept = format!(
        "SELECT count(*) FROM kept_answers WHERE CAST(answer AS TEXT) LIKE '%{secret}%' OR CAST(answer AS TEXT) LIKE '%hash%'"
    );
    assert_eq!(place.number(&kept).await, 0);
    assert_eq!(place.number("SELECT count(*) FROM kept_answers WHERE answer IS NOT NULL").await, 1);
    let again = ask(&server, &make, &[], "k").await;
    assert!(replayed(&again) && again.body.get("api_key").is_none(), "{:#}", again.body);
}

#[rstest]
#[tokio::test]
async fn later_changes_do_not_affect_a_repetition(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let default =
        write(Method::POST, "/v1/taxes/associations", json!({ "tax_rate_code": "FREE", "entity_type": "tenant" }), 200);
    let (server, ids) = default.stage(&place).await;
    let first = ask(&server, &default, &ids, "default").await;
    place.set_in_documents("tax_rates", "tax_rate_status", &json!("INACTIVE"), "rate_status = 1").await;
    let again = ask(&server, &default, &ids, "default").await;
    assert_eq!((again.status, replayed(&again), &again.body), (200, true, &first.body));
    let other = ask(&server, &default, &ids, "another key").await;
    assert_eq!((other.status, other.error().1), (400, vec!["tax_rate_code"]));
    assert_eq!(
        place.number("SELECT count(*) FROM kept_answers WHERE key >= ' '").await,
        1,
        "a refused request must leave no stored answer"
    );
}
