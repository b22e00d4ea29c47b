//! Tags: added, removed and searched.

use patron_tests::{
    patron::{Backend, Place},
    requests::minimal,
};
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[tokio::test]
async fn tags_are_added_and_removed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut body = minimal("acme");
    body["tags"] = json!(["trial", "eu"]);
    let created = server.post("/v1/customers", &body).await.expect(201);
    let path = format!("/v1/customers/{}/tags", created["id"].as_str().unwrap());

    let changed = json!({ "add": ["vip", "eu"], "remove": ["trial", "never"] });
    let now = server.post(&path, &changed).await.expect(200);
    assert_eq!(now["tags"], json!(["eu", "vip"]));

    let many: Vec<_> = (0..48).map(|n| format!("tag-{n}")).collect();
    let full = server.post(&path, &json!({ "add": many })).await.expect(200);
    assert_eq!(full["tags"].as_array().unwrap().len(), 50);
    let refused = server.post(&path, &json!({ "add": ["one more"] })).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));
    assert!(refused.body["message"].as_str().unwrap().contains("at most 50 tags"), "{}", refused.body);
    let mut body = minimal("umbrella");
    body["tags"] = json!((0..51).map(|n| n.to_string()).collect::<Vec<_>>());
    let refused = server.post("/v1/customers", &body).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));

    for (body, wanted) in [
        (json!({ "add": [""] }), vec!["add[0]"]),
        (json!({ "add": "vip", "remove": [3] }), vec!["add", "remove[0]"]),
        (json!({ "add": ["x".repeat(65)] }), vec!["add[0]"]),
    ] {
        let refused = server.post(&path, &body).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", wanted)), "{body}");
    }
    let missing = server.post("/v1/customers/cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE/tags", &json!({})).await;
    assert_eq!(missing.status, 404);
}

#[rstest]
#[tokio::test]
async fn customers_are_found_by_their_tags(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for (id, tags) in [("a", json!(["vip", "eu"])), ("b", json!(["vip"])), ("c", json!(["VIP"])), ("d", json!([]))] {
        let mut body = minimal(id);
        body["tags"] = tags;
        server.post("/v1/customers", &body).await.expect(201);
    }
    let found = |operator: &'static str, value: Value| {
        let server = &server;
        async move {
            let filter = json!({ "field": "tags", "operator": operator, "value": value });
            let body = json!({ "filters": [filter], "sort": [{ "field": "external_id", "direction": "asc" }] });
            let found = server.post("/v1/customers/search", &body).await.expect(200);
            let ids = found["items"].as_array().unwrap().iter().map(|one| one["external_id"].as_str().unwrap());
            ids.collect::<String>()
        }
    };
    assert_eq!(found("contains_all", json!({ "array": ["vip", "eu"] })).await, "a");
    assert_eq!(found("contains_any", json!({ "array": ["VIP", "eu"] })).await, "ac");
    assert_eq!(found("eq", json!({ "string": "vip" })).await, "ab");
    assert_eq!(found("contains_any", json!({ "array": [] })).await, "");
    let body = json!({ "filters": [{ "field": "tags", "operator": "contains_all", "value": { "array": [] } }] });
    assert_eq!(server.post("/v1/customers/search", &body).await.status, 400);
}
