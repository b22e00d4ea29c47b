//! A suppressed customer looks as if it did not exist, and is as before once its request is cancelled.

use patron_tests::{
    patron::{Backend, Place, Server, send},
    requests::{everything, minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{REQUESTS, cancel, events, request, text};

/// The paths by which a customer `acme-2`, once `acme`, is visible.
fn paths(id: &str) -> Vec<String> {
    vec![
        format!("/v1/customers/{id}"),
        "/v1/customers/external/acme-2".to_owned(),
        "/v1/customers/external/acme".to_owned(),
        format!("/v1/customers/{id}/recipients"),
        format!("/v1/customers/{id}/onboarding"),
        format!("/v1/customers/{id}/versions/1"),
        format!("/v1/customers/{id}/diff?from=1&to=2"),
        format!(
            "/v1/customers/{id}/taxes/effective?currency=eur&at=2027-01-01T00:00:00Z&known_at=2026-12-01T00:00:00Z"
        ),
        "/v1/customers?limit=10&expand=integrations".to_owned(),
        "/v1/customers?email=grace@example.com".to_owned(),
        "/v1/customers?status=archived".to_owned(),
        "/v1/integrations/mappings?provider_type=stripe&provider_entity_id=cus_1".to_owned(),
        "/v1/taxes/associations?limit=10".to_owned(),
        "/v1/onboarding/runs".to_owned(),
    ]
}

/// The answers to all paths: status and body.
async fn answers(server: &Server, id: &str) -> Vec<(String, u16, Value)> {
    let mut all = Vec::new();
    for path in paths(id).into_iter().filter(|path| !path.contains("effective")) {
        let answer = server.get(&path).await;
        all.push((path, answer.status, answer.body));
    }
    for filter in [
        json!({ "field": "tags", "operator": "contains_any", "value": { "array": ["vip"] } }),
        json!({ "field": "contact_persons.email", "operator": "eq", "value": { "string": "ada@example.com" } }),
        json!({ "field": "name", "operator": "contains", "value": { "string": "Hopper" } }),
    ] {
        let answer = server.post("/v1/customers/search", &json!({ "filters": [filter] })).await;
        all.push((filter.to_string(), answer.status, answer.body));
    }
    all
}

async fn renamed(server: &Server) -> String {
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let mut body = everything("acme");
    let fields = body.as_object_mut().unwrap();
    fields.remove("skip_onboarding_workflow");
    fields.remove("onboarding_workflow_name");
    let id = text(&server.post("/v1/customers", &body).await.expect(201)["id"]);
    let put = server.request(Method::PUT, &format!("/v1/customers/{id}"));
    send(put.json(&json!({ "external_id": "acme-2" }))).await.expect(200);
    id
}

/// A workflow whose step never succeeds, so that runs stay.
async fn with_workflow(server: &Server) {
    let step = json!({ "type": "http_call", "url": "https://crm.invalid/customers", "expected_status": [201] });
    let put = server.request(Method::PUT, "/v1/settings/customer_onboarding");
    send(put.json(&json!({ "value": { "steps": [step] } }))).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn a_suppressed_customer_is_nowhere_and_a_cancelled_request_brings_back_every_byte(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    // Without steps, so that runs do not change meanwhile.
    let server = place.serve_with(&[("PATRON_ONBOARDING_CONCURRENCY", "0")]);
    with_workflow(&server).await;
    let id = renamed(&server).await;
    server.post("/v1/customers", &minimal("other")).await.expect(201);
    let before = answers(&server, &id).await;
    assert!(before.iter().filter(|(_, status, _)| *status == 200).count() >= 13, "{before:#?}");

    let asked = request(&server, &id, 7).await;
    assert_eq!(asked.header("location"), Some(format!("{REQUESTS}/{}", asked.body["id"].as_str().unwrap()).as_str()));
    let asked = asked.expect(202);
    assert_eq!((&asked["state"], &asked["cooldown_days"]), (&json!("suppressed"), &json!(7)));
    let request_id = text(&asked["id"]);
    for (path, status, body) in answers(&server, &id).await {
        let shown = body.to_string();
        let hidden = !shown.contains(&id) && !shown.contains("Hopper") && !shown.contains("acme");
        assert!(hidden, "{path}: {status} {body:#}");
    }
    for path in paths(&id) {
        assert_eq!(server.get(&path).await.status == 404, path.contains(&id) || path.contains("external/"), "{path}");
    }
    assert_eq!(server.get(&format!("/v1/customers/{id}/history")).await.status, 404);
    assert_eq!(server.get("/v1/customers").await.expect(200)["pagination"]["total"], 1);
    let patch = server.request(Method::PATCH, &format!("/v1/customers/{id}")).json(&json!({ "name": "x" }));
    assert_eq!(send(patch).await.status, 404);
    assert_eq!(send(server.request(Method::DELETE, &format!("/v1/customers/{id}"))).await.status, 404);
    assert_eq!(send(server.request(Method::POST, &format!("/v1/customers/{id}/restore"))).await.status, 404);

    // The envelopes of its events stay, without their data.
    let of_customer: Vec<_> = events(&server).await.into_iter().filter(|event| event["entity"]["id"] == id).collect();
    let types: Vec<_> = of_customer.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(types, ["customer.created", "customer.updated", "customer.suppressed"]);
    assert!(of_customer.iter().all(|event| event["data"].is_null()), "{of_customer:#?}");
    let activity = server.post("/v1/activity", &json!({ "customer_id": id })).await.expect(200);
    let shown = activity.to_string();
    assert_eq!(activity["items"].as_array().unwrap().len(), 3);
    assert!(!shown.contains("Hopper") && !shown.contains("acme"), "{activity:#}");
    let view = place.rows("SELECT count(*) FROM events_view WHERE document IS NOT NULL").await;
    assert_eq!(patron_tests::rows::number(&view[0][0]), 2, "the other customer and the rate");

    let cancelled = cancel(&server, &request_id).await.expect(200);
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancel(&server, &request_id).await.expect(200), cancelled, "a second cancel changes nothing");
    assert_eq!(answers(&server, &id).await, before);
    let history = server.get(&format!("/v1/customers/{id}/history")).await.expect(200);
    let seen: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|one| (text(&one["type"]), one["data"].is_null())).collect();
    let wanted = [
        ("customer.created", false),
        ("customer.updated", false),
        ("customer.suppressed", true),
        ("customer.unsuppressed", true),
    ];
    assert_eq!(seen, wanted.map(|(kind, empty)| (kind.to_owned(), empty)));
    // Suppressing and unsuppressing left the state of the version before.
    let version = async |number: u32| server.get(&format!("/v1/customers/{id}/versions/{number}")).await;
    let unchanged = version(2).await.expect(200);
    for number in [3, 4] {
        let shown = version(number).await;
        assert_eq!(shown.header("etag"), Some(format!("\"{number}\"").as_str()));
        assert_eq!(shown.expect(200), unchanged);
    }
    let suppressed_at = text(&history["items"][2]["at"]);
    let then = server.get(&format!("/v1/customers/{id}?at={suppressed_at}")).await;
    assert_eq!(then.header("etag"), Some("\"3\""));
    assert_eq!(then.expect(200), unchanged);
    // It can be changed again, and its history has no gap.
    let patch = server.request(Method::PATCH, &format!("/v1/customers/{id}")).json(&json!({ "name": "Ada" }));
    let patched = send(patch).await;
    assert_eq!(patched.header("etag"), Some("\"5\""));
    patron_tests::audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn an_external_id_of_a_suppressed_customer_is_taken_only_on_purpose(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let id = renamed(&server).await;
    let other = text(&server.post("/v1/customers", &minimal("other")).await.expect(201)["id"]);
    let request_id = text(&request(&server, &id, 1).await.expect(202)["id"]);
    let put = |path: String, body: Value| send(server.request(Method::PUT, &path).json(&body));
    for external_id in ["acme", "acme-2"] {
        let refused = server.post("/v1/customers", &minimal(external_id)).await;
        assert_eq!((refused.status, refused.error()), (409, ("erased_subject", vec!["external_id"])), "{external_id}");
        let upsert = put(format!("/v1/customers/external/{external_id}"), json!({ "name": "x" })).await;
        assert_eq!((upsert.status, upsert.error().0), (409, "erased_subject"));
        let rename = put(format!("/v1/customers/{other}"), json!({ "external_id": external_id })).await;
        assert_eq!((rename.status, rename.error().0), (409, "erased_subject"));
    }
    let confirmed = json!({ "external_id": "acme-2", "confirm_new_subject": true });
    let new = text(&server.post("/v1/customers", &confirmed).await.expect(201)["id"]);
    assert_ne!(new, id);
    let taken = cancel(&server, &request_id).await;
    assert_eq!((taken.status, taken.error().0), (409, "already_exists"));
    send(server.request(Method::DELETE, &format!("/v1/customers/{new}"))).await;
    cancel(&server, &request_id).await.expect(200);
    // Visible again, so the external ids are free or taken as before.
    assert_eq!(server.post("/v1/customers", &minimal("acme-2")).await.error().0, "already_exists");
    server.post("/v1/customers", &minimal("acme")).await.expect(201);
}

#[rstest]
#[tokio::test]
async fn requests_are_checked_repeated_and_listed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let id = renamed(&server).await;
    let refused = server.post(REQUESTS, &json!({ "cooldown_days": 31, "reason": "" })).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.error().1, ["cooldown_days", "request_channel"]);
    let missing = server.post(REQUESTS, &json!({ "request_channel": "api" })).await;
    assert_eq!((missing.status, missing.error().1), (400, vec!["customer_id"]));
    let differ = json!({ "customer_id": id, "external_customer_id": "other", "request_channel": "api" });
    assert_eq!(server.post(REQUESTS, &differ).await.status, 400);
    let unknown = json!({ "external_customer_id": "nobody", "request_channel": "api" });
    assert_eq!(server.post(REQUESTS, &unknown).await.status, 404);
    let body = json!({ "customer_id": id, "request_channel": "api" });
    let misspelt = server.post(&format!("{REQUESTS}?dryrun=true"), &body).await;
    assert_eq!((misspelt.status, misspelt.error().1), (400, vec!["dryrun"]));
    assert_eq!(server.get(&format!("/v1/customers/{id}")).await.status, 200, "nothing was suppressed");

    let body = json!({ "external_customer_id": "acme", "request_channel": "written", "reason": "a letter" });
    let first = server.post(REQUESTS, &body).await.expect(202);
    assert_eq!((&first["customer_id"], &first["reason"]), (&json!(id), &json!("a letter")));
    assert_eq!(server.post(REQUESTS, &body).await.expect(200), first);
    assert_eq!(request(&server, &id, 3).await.expect(200), first);
    let both = json!({ "customer_id": id, "external_customer_id": "acme-2", "request_channel": "api" });
    assert_eq!(server.post(REQUESTS, &both).await.expect(200), first);
    let listed = server.get(&format!("{REQUESTS}?state=suppressed")).await.expect(200);
    assert_eq!(listed["items"], json!([first]));
    let found = server.get(&format!("{REQUESTS}/{}", text(&first["id"]))).await;
    assert!(found.header("etag").is_some());
    assert_eq!(found.expect(200), first);
    let stale = server.request(Method::POST, &format!("{REQUESTS}/{}/cancel", text(&first["id"])));
    assert_eq!(send(stale.header("if-match", "\"1\"")).await.status, 412);
    let receipt = server.get(&format!("{REQUESTS}/{}/receipt", text(&first["id"]))).await;
    assert_eq!(receipt.status, 404);
    let audit = server.get("/v1/audit").await.expect(200);
    assert_eq!(audit["items"][0]["action"], "deletion_request.created");
    assert_eq!(audit["items"][0]["object"], json!({ "type": "deletion_request", "id": first["id"] }));
}
