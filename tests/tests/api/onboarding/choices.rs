//! The workflow that a create starts, if any.

use futures::future::join_all;
use patron_tests::{
    audit,
    patron::{Backend, Place, send},
    requests::minimal,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{SETTING, amend, crm, put, run, workflow};

/// The server takes no steps, so that started runs can be inspected.
const PAUSED: [(&str, &str); 1] = [("PATRON_ONBOARDING_CONCURRENCY", "0")];

#[rstest]
#[tokio::test]
async fn a_create_chooses_or_skips_a_workflow(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, crm) = (Place::fresh(backend).await, crm().await);
    let server = place.serve_with(&PAUSED);
    let default = put(&server, SETTING, &workflow(&crm.url(), 3)).await.expect(200);
    let named = put(&server, &format!("{SETTING}/in%20Europe"), &workflow(&crm.url(), 3)).await.expect(200);
    assert_eq!(named["name"], "in Europe");
    let begins = async |external_id: &str, more: Value| {
        let mut body = minimal(external_id);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = server.post("/v1/customers", &body).await.expect(201);
        let found = server.get(&format!("/v1/customers/{}/onboarding", made["id"].as_str().unwrap())).await;
        (found.status == 200).then(|| found.expect(200))
    };
    let plain = begins("a", json!({})).await.unwrap();
    assert_eq!((&plain["workflow_id"], &plain["state"]), (&default["id"], &json!("pending")));
    let chosen = begins("b", json!({ "onboarding_workflow_name": "in Europe" })).await.unwrap();
    assert_eq!((&chosen["workflow_id"], &chosen["workflow_name"]), (&named["id"], &json!("in Europe")));
    assert_eq!(begins("c", json!({ "skip_onboarding_workflow": true })).await, None);
    let unknown = json!({ "external_id": "e", "onboarding_workflow_name": "nowhere" });
    let refused = server.post("/v1/customers", &unknown).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["onboarding_workflow_name"]));
    assert_eq!(server.get("/v1/customers/external/e").await.status, 404);
    // A run keeps the version it started with. Cancelling ends it.
    let another =
        put(&server, SETTING, &json!({ "rotate_secret": true, "value": workflow(&crm.url(), 9)["value"] })).await;
    assert_ne!(another.expect(200)["secret"], default["secret"]);
    let id = plain["customer_id"].as_str().unwrap();
    assert_eq!(run(&server, id).await["steps"], plain["steps"]);
    let cancelled = amend(&server, id, "cancel").await.expect(200);
    assert_eq!((&cancelled["state"], &cancelled["next_attempt_at"]), (&json!("cancelled"), &Value::Null));
    let delete = async || send(server.request(Method::DELETE, SETTING)).await.status;
    assert_eq!((delete().await, delete().await), (200, 404));
    assert_eq!(begins("f", json!({})).await, None);
    assert_eq!(crm.all().len(), 0, "this server must take no steps");
}

#[rstest]
#[tokio::test]
async fn every_way_to_create_starts_a_run(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&PAUSED);
    let default = put(&server, SETTING, &workflow("https://crm.example", 3)).await.expect(200);
    // Concurrently, so that many share a transaction. Half of them are get-or-creates.
    let creates = (0..100).map(|number| match number % 2 {
        0 => server.request(Method::POST, "/v1/customers").json(&minimal(&format!("c{number}"))),
        _ => server.request(Method::PUT, &format!("/v1/customers/external/c{number}")).json(&json!({ "name": "N" })),
    });
    for made in join_all(creates.map(send)).await {
        let made = made.expect(201);
        let found = run(&server, made["id"].as_str().unwrap()).await;
        assert_eq!((&found["workflow_id"], &found["state"]), (&default["id"], &json!("pending")));
    }
    // Changing an existing customer starts no run, whatever the request says.
    let path = "/v1/customers/external/c1";
    let named = json!({ "name": "another", "onboarding_workflow_name": "nowhere" });
    assert_eq!(put(&server, path, &named).await.status, 200);
    let refused = put(&server, "/v1/customers/external/new", &named).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["onboarding_workflow_name"]));
    assert_eq!(server.get("/v1/customers/external/new").await.status, 404);
    assert_eq!(place.number("SELECT count(*) FROM onboarding_runs").await, 100);
    assert_eq!(place.number("SELECT count(*) FROM onboarding_workflows").await, 1);
    // Setting the same workflow again creates no new version.
    let again = put(&server, SETTING, &workflow("https://crm.example", 3)).await.expect(200);
    assert_eq!((&again["id"], &again["secret"]), (&default["id"], &Value::Null));
    assert_eq!(place.number("SELECT count(*) FROM onboarding_workflows").await, 1);
    audit::is_whole(&place).await;
}
