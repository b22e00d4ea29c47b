//! Onboarding, from a create to somebody's server and back: in order, at least once, seen by people, and never in a circle.

use std::time::Duration;

use patron_tests::{
    patron::{Backend, Place, Server, send},
    receiver::{Receiver, Reply},
    requests::minimal,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const SETTING: &str = "/v1/settings/customer_onboarding";
const TOKEN: &str = "x-patron-onboarding-run";

/// To receivers on this machine.
const QUICK: [(&str, &str); 2] = [("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"), ("PATRON_WEBHOOKS_LEASE_SECONDS", "2")];

async fn put(server: &Server, path: &str, body: &Value) -> patron_tests::patron::Answer {
    send(server.request(Method::PUT, path).json(body)).await
}

fn workflow(url: &str, attempts: u32) -> Value {
    let retry = json!({ "max_attempts": attempts, "first_delay_seconds": 1 });
    json!({ "value": { "steps": [
        { "type": "http_call", "url": url, "expected_status": [201], "retry": retry },
        { "type": "link_integration", "provider_type": "crm", "pointer": "/data/id" },
    ] } })
}

/// A CRM that knows each customer it is told of by a number of its own.
async fn crm() -> Receiver {
    Receiver::answering(|number, _| known_as(number)).await
}

fn known_as(number: usize) -> Reply {
    let body = json!({ "data": { "id": format!("crm-{number}") } }).to_string().into_bytes();
    Reply { body, ..Reply::status(201) }
}

async fn create(server: &Server, external_id: &str) -> String {
    let made = server.post("/v1/customers", &minimal(external_id)).await.expect(201);
    made["id"].as_str().expect("an id").to_owned()
}

async fn run(server: &Server, id: &str) -> Value {
    server.get(&format!("/v1/customers/{id}/onboarding")).await.expect(200)
}

/// Waits for at most 30 seconds until a customer's run has a state.
async fn until(server: &Server, id: &str, state: &str) -> Value {
    for _ in 0..300 {
        let found = run(server, id).await;
        if found["state"] == state {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the run is not {state}: {:#}", run(server, id).await);
}

async fn amend(server: &Server, id: &str, how: &str) -> patron_tests::patron::Answer {
    send(server.request(Method::POST, &format!("/v1/customers/{id}/onboarding/{how}"))).await
}

async fn events(server: &Server, id: &str) -> Vec<String> {
    let history = server.get(&format!("/v1/customers/{id}/history")).await.expect(200);
    let items = history["items"].as_array().expect("events");
    items.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn a_create_leads_to_a_signed_call_and_a_mapping(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, crm) = (Place::fresh(backend).await, crm().await);
    let server = place.serve_with(&QUICK);
    let unset = server.get(SETTING).await.expect(200);
    assert_eq!(unset["value"], json!({ "steps": [], "actions": [] }));
    let before = create(&server, "before").await;
    let set = put(&server, SETTING, &workflow(&crm.url(), 3)).await.expect(200);
    let secret = set["secret"].as_str().unwrap();
    let read = server.get(SETTING).await.expect(200);
    assert_eq!((&read["value"], &read["secret"]), (&set["value"], &Value::Null));
    let created = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let id = created["id"].as_str().unwrap();
    let done = until(&server, id, "succeeded").await;
    assert_eq!((&done["step"], &done["attempts"], &done["last_error"]), (&json!(2), &json!(0), &Value::Null));
    let calls = crm.wait_for(1).await;
    assert!(calls[0].is_signed_with(secret), "{:?}", calls[0]);
    assert_eq!(calls[0].header(TOKEN), done["id"].as_str().unwrap());
    assert!(calls[0].header("webhook-id").starts_with(calls[0].header(TOKEN)));
    assert_eq!(calls[0].json()["customer"], created);
    let found = server.get(&format!("/v1/customers/{id}")).await.expect(200);
    assert_eq!(found["integrations"][0]["provider_entity_id"], "crm-0");
    // The end of a run is written a moment later than its state.
    for _ in 0..50 {
        if events(&server, id).await.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let wanted = ["customer.created", "customer.integration_linked", "customer.onboarding_completed"];
    assert_eq!(events(&server, id).await, wanted);
    // Who was there before has no run.
    assert_eq!(server.get(&format!("/v1/customers/{before}/onboarding")).await.status, 404);
    assert_eq!(crm.all().len(), 1);
}

#[rstest]
#[tokio::test]
async fn what_fails_is_listed_and_goes_on_when_a_person_says_so(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&QUICK);
    let crm = Receiver::answering(|number, _| if number < 4 { Reply::status(503) } else { known_as(number) }).await;
    put(&server, SETTING, &workflow(&crm.url(), 2)).await.expect(200);
    let id = create(&server, "acme").await;
    let failed = until(&server, &id, "failed").await;
    assert_eq!((&failed["attempts"], &failed["last_error"]["code"]), (&json!(2), &json!("status_503")));
    let listed = server.get("/v1/onboarding/runs?state=failed&limit=1").await.expect(200);
    assert_eq!((&listed["items"][0]["customer_id"], listed["items"].as_array().unwrap().len()), (&json!(id), 1));
    assert_eq!(server.get("/v1/onboarding/runs?state=lost").await.status, 400);
    let retried = amend(&server, &id, "retry").await.expect(200);
    assert_eq!((&retried["state"], &retried["attempts"]), (&json!("pending"), &json!(0)));
    until(&server, &id, "failed").await;
    // The command line lists it and retries it too.
    assert!(place.run_ok(&["onboarding", "list"]).contains(&id));
    assert!(place.run_ok(&["onboarding", "retry", &id]).contains("goes on"));
    until(&server, &id, "succeeded").await;
    assert_eq!(amend(&server, &id, "retry").await.status, 400);
    assert_eq!(amend(&server, &id, "cancel").await.status, 400);
    let ids: Vec<_> = crm.all().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    assert!(ids.len() == 5 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[rstest]
#[tokio::test]
async fn a_killed_server_goes_on_where_it_was(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
    let creates = (0..60).map(|number| create(&servers[number % 2], Box::leak(format!("c{number}").into_boxed_str())));
    for id in futures::future::join_all(creates).await {
        until(&servers[1], &id, "succeeded").await;
    }
    let mut ids: Vec<_> = crm.all().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((crm.all().len(), ids.len()), (60, 60), "each once");
}

#[rstest]
#[tokio::test]
async fn a_create_chooses_skips_or_echoes(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, crm) = (Place::fresh(backend).await, crm().await);
    let server = place.serve_with(&[("PATRON_ONBOARDING_CONCURRENCY", "0")]);
    let default = put(&server, SETTING, &workflow(&crm.url(), 3)).await.expect(200);
    let named = put(&server, &format!("{SETTING}/in%20Europe"), &workflow(&crm.url(), 3)).await.expect(200);
    assert_eq!(named["name"], "in Europe");
    let begins = async |external_id: &str, more: Value, token: Option<&str>| {
        let mut body = minimal(external_id);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut request = server.request(Method::POST, "/v1/customers").json(&body);
        if let Some(token) = token {
            request = request.header(TOKEN, token);
        }
        let made = send(request).await.expect(201);
        let found = server.get(&format!("/v1/customers/{}/onboarding", made["id"].as_str().unwrap())).await;
        (found.status == 200).then(|| found.expect(200))
    };
    let plain = begins("a", json!({}), None).await.unwrap();
    assert_eq!((&plain["workflow_id"], &plain["state"]), (&default["id"], &json!("pending")));
    let chosen = begins("b", json!({ "onboarding_workflow_name": "in Europe" }), None).await.unwrap();
    assert_eq!((&chosen["workflow_id"], &chosen["workflow_name"]), (&named["id"], &json!("in Europe")));
    assert_eq!(begins("c", json!({ "skip_onboarding_workflow": true }), None).await, None);
    // A create that a workflow led to starts nothing, whatever it asks for.
    let token = plain["id"].as_str().unwrap();
    assert_eq!(begins("d", json!({ "onboarding_workflow_name": "in Europe" }), Some(token)).await, None);
    let wrong = server.request(Method::POST, "/v1/customers").json(&minimal("e")).header(TOKEN, "onb_1");
    let wrong = send(wrong).await;
    assert_eq!((wrong.status, wrong.error().1), (400, vec!["X-Patron-Onboarding-Run"]));
    let unknown = json!({ "external_id": "e", "onboarding_workflow_name": "nowhere" });
    let refused = server.post("/v1/customers", &unknown).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["onboarding_workflow_name"]));
    assert_eq!(server.get("/v1/customers/external/e").await.status, 404);
    // A run keeps the version it began with; cancelling ends it.
    let another =
        put(&server, SETTING, &json!({ "rotate_secret": true, "value": workflow(&crm.url(), 9)["value"] })).await;
    assert_ne!(another.expect(200)["secret"], default["secret"]);
    let id = plain["customer_id"].as_str().unwrap();
    assert_eq!(run(&server, id).await["steps"], plain["steps"]);
    let cancelled = amend(&server, id, "cancel").await.expect(200);
    assert_eq!((&cancelled["state"], &cancelled["next_attempt_at"]), (&json!("cancelled"), &Value::Null));
    let delete = async || send(server.request(Method::DELETE, SETTING)).await.status;
    assert_eq!((delete().await, delete().await), (200, 404));
    assert_eq!(begins("f", json!({}), None).await, None);
    assert_eq!(crm.all().len(), 0, "nobody takes steps here");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_definition_is_told_at_its_place() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let bad = json!({ "value": {
        "actions": [{ "action": "create_wallet" }],
        "steps": [
            { "type": "link_integration", "provider_type": "", "pointer": "id" },
            { "type": "http_call", "url": "ftp://crm.example", "expected_status": [99],
              "retry": { "max_attempts": 0, "first_delay_seconds": "soon" } },
            { "type": "email" },
            7,
        ],
    } });
    let refused = put(&server, SETTING, &bad).await;
    let wanted = [
        "value.actions[0].action",
        "value.steps[0].pointer",
        "value.steps[0].provider_type",
        "value.steps[1].expected_status",
        "value.steps[1].retry.first_delay_seconds",
        "value.steps[1].retry.max_attempts",
        "value.steps[1].url",
        "value.steps[2].type",
        "value.steps[3]",
    ];
    let mut paths = refused.error().1;
    paths.sort_unstable();
    assert_eq!((refused.status, paths), (400, wanted.to_vec()));
    for (body, path) in [
        (json!({}), "value"),
        (json!({ "value": {} }), "value.steps"),
        (
            json!({ "value": { "steps": vec![json!({ "type": "http_call", "url": "https://a.example" }); 21] } }),
            "value.steps",
        ),
        (
            json!({ "value": { "steps": [{ "type": "link_integration", "provider_type": "a", "pointer": "/id" }] } }),
            "value.steps[0].type",
        ),
    ] {
        let refused = put(&server, SETTING, &body).await;
        assert_eq!((refused.status, refused.error().1), (400, vec![path]), "{body}");
    }
    assert_eq!(server.get(&format!("{SETTING}/nowhere")).await.status, 404);
}

#[tokio::test]
async fn private_addresses_are_not_called() {
    let (place, crm) = (Place::fresh(Backend::Sqlite).await, crm().await);
    let server = place.serve();
    put(&server, SETTING, &workflow(&crm.url(), 1)).await.expect(200);
    let id = create(&server, "acme").await;
    let failed = until(&server, &id, "failed").await;
    assert_eq!((&failed["last_error"]["code"], crm.all().len()), (&json!("address_refused"), 0));
}
