//! Activity over HTTP, over both databases.

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server, send},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const PATH: &str = "/v1/activity";

async fn list(server: &Server, key: &str, body: &Value) -> Answer {
    send(server.request_as(key, Method::POST, PATH).json(body)).await
}

fn actions(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn events_and_the_audit_log_are_listed_newest_first(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let created = server.post("/v1/customers", &minimal("a")).await.expect(201);
    let id = &created["id"];
    let reader = json!({ "name": "r", "type": "private_key", "roles": ["all_reader"] });
    let reader = server.post("/v1/secrets/api/keys", &reader).await.expect(201);
    let reader = reader["api_key"].as_str().unwrap();
    let path = format!("/v1/customers/{}", id.as_str().unwrap());
    let patch = server.request(Method::PATCH, &path).header("x-request-id", "request-7").json(&json!({ "name": "A" }));
    send(patch).await.expect(200);

    let all = list(&server, KEY, &json!({})).await.expect(200);
    assert_eq!(
        actions(&all),
        [
            "customer.updated",
            "api_key.created",
            "customer.created",
            "tax_rate.created",
            "api_key.created",
            "environment.created"
        ]
    );
    let first = &all["items"][0];
    assert_eq!((&first["entity"], &first["customer_id"]), (&json!({ "id": id, "type": "customer" }), id));
    assert_eq!((&first["request_id"], &first["actor"]["type"]), (&json!("request-7"), &json!("api_key")));
    assert_eq!(all["items"][1]["ip"], "127.0.0.1");
    assert_eq!(all["pagination"], json!({ "limit": 50, "has_more": false }));
    let seen = list(&server, reader, &json!({})).await.expect(200);
    assert_eq!(actions(&seen), ["customer.updated", "customer.created", "tax_rate.created"]);

    for (body, expected) in [
        (json!({ "actions": ["customer.created"] }), vec!["customer.created"]),
        (json!({ "actions": [] }), vec![]),
        (json!({ "customer_id": id }), vec!["customer.updated", "customer.created"]),
        (json!({ "entity_id": id, "limit": 1 }), vec!["customer.updated"]),
        (json!({ "entity_type": "tax_rate" }), vec!["tax_rate.created"]),
        (json!({ "entity_type": "environment" }), vec!["environment.created"]),
        (json!({ "request_id": "request-7" }), vec!["customer.updated"]),
        (json!({ "actor_id": "system" }), vec!["api_key.created", "environment.created"]),
        (json!({ "actor_types": ["user"] }), vec![]),
        (json!({ "start_time": created["created_at"], "end_time": created["created_at"] }), vec!["customer.created"]),
        (json!({ "customer_id": "nobody" }), vec![]),
    ] {
        assert_eq!(actions(&list(&server, KEY, &body).await.expect(200)), expected, "{body}");
    }
    for one in all["items"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        assert_eq!(server.get(&format!("{PATH}/{id}")).await.expect(200), *one);
        let status = send(server.request_as(reader, Method::GET, &format!("{PATH}/{id}"))).await.status;
        assert_eq!(status, if id.starts_with("evt_") { 200 } else { 404 });
    }
    for nothing in ["evt_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "x"] {
        assert_eq!(server.get(&format!("{PATH}/{nothing}")).await.status, 404);
    }
    let refused = list(&server, KEY, &json!({ "limit": 0, "cursor": "x", "start_time": "x" })).await;
    assert_eq!(refused.error(), ("validation_error", vec!["cursor", "limit", "start_time"]));
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let refused =
        list(&server, KEY, &json!({ "actions": vec!["a"; 101], "start_time": late, "end_time": early })).await;
    assert_eq!(refused.error(), ("validation_error", vec!["actions", "end_time"]));
}

#[rstest]
#[tokio::test]
async fn pages_miss_nothing_and_repeat_nothing(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for number in 0..5 {
        server.post("/v1/customers", &minimal(&format!("customer {number}"))).await.expect(201);
        let key = json!({ "name": "k", "type": "private_key" });
        server.post("/v1/secrets/api/keys", &key).await.expect(201);
    }
    let whole = list(&server, KEY, &json!({})).await.expect(200);
    let (mut found, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = list(&server, KEY, &json!({ "limit": 3, "cursor": cursor })).await.expect(200);
        found.extend(page["items"].as_array().unwrap().iter().cloned());
        // What happens meanwhile is newer.
        server.post("/v1/customers", &minimal(&format!("meanwhile {}", found.len()))).await.expect(201);
        if page["pagination"]["has_more"] != true {
            break;
        }
        cursor = page["pagination"]["next_cursor"].clone();
    }
    assert_eq!(Value::from(found), whole["items"]);
}
