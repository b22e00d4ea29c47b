//! Preconditions of writes: honoured, or refused for objects without versions.

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

async fn put(server: &Server, path: &str, header: (&str, &str), body: &Value) -> Answer {
    send(server.request(Method::PUT, path).header(header.0, header.1).json(body)).await
}

#[rstest]
#[tokio::test]
async fn if_none_match_prevents_overwriting(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (path, absent) = ("/v1/customers/external/acme", ("if-none-match", "*"));
    let made = put(&server, path, absent, &json!({ "name": "Acme" })).await.expect(201);
    let refused = put(&server, path, absent, &json!({ "name": "Other" })).await;
    assert_eq!((refused.status, refused.error().0), (412, "version_conflict"));
    assert!(text(&refused.body["message"]).contains("If-None-Match"), "{}", refused.body);
    assert_eq!(refused.body["details"]["If-Match"]["current_version"], 1);
    let by_id = format!("/v1/customers/{}", text(&made["id"]));
    assert_eq!(put(&server, &by_id, absent, &json!({ "name": "Other" })).await.status, 412);
    assert_eq!(put(&server, &by_id, ("if-none-match", "\"1\""), &json!({ "name": "Other" })).await.status, 412);
    assert_eq!(server.get(&by_id).await.expect(200), made, "nothing has changed");
    put(&server, &by_id, ("if-none-match", "\"2\""), &json!({ "name": "Other" })).await.expect(200);
    // Both together can never match.
    let both = server.request(Method::PUT, &by_id).header("if-match", "*").header("if-none-match", "*");
    assert_eq!(send(both.json(&json!({ "name": "X" }))).await.status, 412);
}

/// An object that can be changed: its path, two changes that differ, and whether it can be deleted.
type Changeable = (String, [Value; 2], bool);

async fn changeable(server: &Server) -> Vec<Changeable> {
    let post = async |path: &str, body: Value| send(server.request(Method::POST, path).json(&body)).await.body;
    let rate = post("/v1/taxes/rates", tax_rate("VAT")).await;
    let customer = post("/v1/customers", minimal("acme")).await;
    let used = post("/v1/taxes/rates", tax_rate("USED")).await;
    let associate = async |entity: Value| {
        let mut body = json!({ "tax_rate_code": "USED", "currency": "EUR" });
        body.as_object_mut().unwrap().extend(entity.as_object().unwrap().clone());
        post("/v1/taxes/associations", body).await
    };
    let of_customer = associate(json!({ "entity_type": "customer", "entity_id": customer["id"] })).await;
    let default = associate(json!({ "entity_type": "tenant" })).await;
    let hook = post("/v1/webhooks/endpoints", json!({ "url": "https://example.com/hook" })).await;
    let environments = server.get("/v1/environments").await.expect(200);
    let names = ["One", "Two"].map(|name| json!({ "name": name }));
    let priorities = [7, 8].map(|priority| json!({ "priority": priority }));
    let workflow = |path: &str| json!({ "value": { "steps": [{ "type": "http_call", "url": format!("https://crm.example/{path}") }] } });
    let workflows = [workflow("one"), workflow("two")];
    let onboarding = "/v1/settings/customer_onboarding".to_owned();
    for path in [onboarding.clone(), format!("{onboarding}/named")] {
        put(server, &path, ("if-none-match", "*"), &workflow("first")).await.expect(200);
    }
    let at = |path: &str, object: &Value| format!("/v1/{path}/{}", text(&object["id"]));
    vec![
        (at("customers", &customer), names.clone(), true),
        (at("taxes/rates", &rate), names.clone(), true),
        (at("taxes/rates", &used), names.clone(), false),
        (at("taxes/associations", &of_customer), priorities.clone(), true),
        (at("taxes/associations", &default), priorities, true),
        (at("webhooks/endpoints", &hook), ["one", "two"].map(|text| json!({ "description": text })), true),
        (at("environments", &environments["items"][0]), names, false),
        (onboarding.clone(), workflows.clone(), true),
        (format!("{onboarding}/named"), workflows, true),
    ]
}

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("no ETag: {:?}", answer.headers)).to_owned()
}

#[rstest]
#[tokio::test]
async fn every_object_has_an_etag_and_is_only_changed_at_the_expected_version(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    // The customer comes last: deleting it would archive its tax association.
    for (path, [one, two], can_be_deleted) in changeable(&server).await.into_iter().rev() {
        let first = server.get(&path).await;
        let unchanged = send(server.request(Method::GET, &path).header("if-none-match", tag(&first))).await;
        assert_eq!((unchanged.status, tag(&unchanged)), (304, tag(&first)), "{path}");
        for stale in ["\"99\"", "W/\"1\""] {
            let refused = put(&server, &path, ("if-match", stale), &one).await;
            assert_eq!((refused.status, refused.error().0), (412, "version_conflict"), "{path}");
            assert_eq!(tag(&refused), tag(&first), "{path}");
        }
        assert_eq!(put(&server, &path, ("if-none-match", "*"), &one).await.status, 412, "{path}");
        assert_eq!(server.get(&path).await.body, first.body, "{path}: nothing has changed");
        let second = put(&server, &path, ("if-match", &tag(&first)), &one).await;
        assert_eq!(second.status, 200, "{path}: {:#}", second.body);
        assert_eq!(tag(&server.get(&path).await), tag(&second), "{path}");
        assert_ne!(tag(&second), tag(&first), "{path}");
        assert_eq!(put(&server, &path, ("if-match", &tag(&first)), &two).await.status, 412, "{path}: a lost update");
        assert_eq!(put(&server, &path, ("if-match", "*"), &two).await.status, 200, "{path}");
        if can_be_deleted {
            let delete = async |tag: &str| send(server.request(Method::DELETE, &path).header("if-match", tag)).await;
            assert_eq!(delete(&tag(&second)).await.status, 412, "{path}");
            let current = tag(&server.get(&path).await);
            let deleted = delete(&current).await.status;
            assert!(matches!(deleted, 200 | 204), "{path}: {deleted}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_change_of_nothing_keeps_the_etag_and_writes_no_event(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let objects = changeable(&server).await;
    let mut changed = Vec::new();
    for (path, [one, _], _) in &objects {
        changed.push(put(&server, path, ("x-nothing", ""), one).await);
    }
    let customer = &objects[0].0;
    let id = customer.rsplit('/').next().unwrap();
    let link = json!({ "entity_type": "customer", "entity_id": id, "provider_type": "crm", "provider_entity_id": "1" });
    server.post("/v1/integrations/link", &link).await.expect(200);
    changed[0] = server.get(customer).await;
    let association = server.get(&objects[3].0).await;
    let events = async || server.get("/v1/events?limit=1000").await.expect(200)["items"].as_array().unwrap().len();
    let audited = async || server.get("/v1/audit?limit=1000").await.expect(200)["items"].as_array().unwrap().len();
    let before = (events().await, audited().await);
    for ((path, [one, _], _), last) in objects.iter().zip(&changed) {
        let again = put(&server, path, ("x-nothing", ""), one).await;
        assert_eq!((again.status, tag(&again)), (200, tag(last)), "{path}");
        assert_eq!(again.body["updated_at"], last.body["updated_at"], "{path}");
    }
    let patch = server.request(Method::PATCH, customer).json(&json!({ "name": "One" }));
    assert_eq!(tag(&send(patch).await), tag(&changed[0]));
    let named = put(&server, "/v1/customers/external/acme", ("x-nothing", ""), &json!({ "name": "One" })).await;
    assert_eq!((named.status, tag(&named)), (200, tag(&changed[0])));
    let linked = server.post("/v1/integrations/link", &link).await;
    assert_eq!(linked.status, 200);
    assert_eq!(tag(&server.get(customer).await), tag(&changed[0]));
    assert_eq!(tag(&server.get(&objects[3].0).await), tag(&association));
    assert_eq!((events().await, audited().await), before, "nothing was written");
    // Under a key, it is answered once, too.
    for (path, other) in [(&objects[0].0, json!({ "name": "Later" })), (&objects[1].0, json!({ "name": "Later" }))] {
        let keyed = async || put(&server, path, ("idempotency-key", path), &json!({ "name": "One" })).await;
        let first = keyed().await;
        assert_eq!((first.status, first.header("idempotency-replayed")), (200, None), "{path}");
        put(&server, path, ("x-nothing", ""), &other).await.expect(200);
        let again = keyed().await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{path}");
        assert_eq!(again.body, first.body, "{path}");
        assert_eq!(server.get(path).await.expect(200)["name"], "Later", "{path}");
    }
}

#[tokio::test]
async fn a_precondition_that_a_route_does_not_check_is_refused() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let body = json!({ "name": "k", "type": "private_key", "roles": ["all_reader"] });
    let key = server.post("/v1/secrets/api/keys", &body).await.expect(201);
    let key = format!("/v1/secrets/api/keys/{}", text(&key["secret"]["id"]));
    for (method, path, body) in
        [(Method::DELETE, key.as_str(), json!({})), (Method::POST, "/v1/customers", minimal("acme"))]
    {
        for (header, name) in [("if-match", "If-Match"), ("if-none-match", "If-None-Match")] {
            let request = server.request(method.clone(), path).header(header, "\"99\"").json(&body);
            let refused = send(request).await;
            assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![name])), "{method} {path}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_put_by_a_former_external_id_creates_no_second_customer(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let acme = server.post("/v1/customers", &minimal("old")).await.expect(201);
    let path = format!("/v1/customers/{}", text(&acme["id"]));
    send(server.request(Method::PUT, &path).json(&json!({ "external_id": "new" }))).await.expect(200);
    let refused = send(server.request(Method::PUT, "/v1/customers/external/old").json(&json!({ "name": "X" }))).await;
    assert_eq!((refused.status, refused.error()), (409, ("already_exists", vec!["external_id"])));
    assert_eq!(refused.body["details"]["external_id"]["existing_id"], acme["id"]);
    assert_eq!(server.get("/v1/customers").await.expect(200)["pagination"]["total"], 1);
    // With its own id, the other customer is changed.
    let other = server.post("/v1/customers", &minimal("old")).await.expect(201);
    let put = send(server.request(Method::PUT, "/v1/customers/external/old").json(&json!({ "name": "X" }))).await;
    assert_eq!(put.expect(200)["id"], other["id"]);
}
