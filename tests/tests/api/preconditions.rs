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

#[tokio::test]
async fn a_precondition_on_an_object_without_versions_is_refused() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let rate = server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let rate = format!("/v1/taxes/rates/{}", text(&rate["id"]));
    let hook = server.post("/v1/webhooks/endpoints", &json!({ "url": "https://example.com/hook" })).await.expect(201);
    let hook = format!("/v1/webhooks/endpoints/{}", text(&hook["id"]));
    let environment = server.get("/v1/environments").await.expect(200);
    let environment = format!("/v1/environments/{}", text(&environment["items"][0]["id"]));
    let workflow = json!({ "value": { "steps": [{ "type": "http_call", "url": "https://crm.example" }] } });
    for (method, path, body) in [
        (Method::PUT, rate.as_str(), json!({ "name": "Other" })),
        (Method::DELETE, &rate, json!({})),
        (Method::PUT, &hook, json!({ "enabled": false })),
        (Method::DELETE, &hook, json!({})),
        (Method::PUT, &environment, json!({ "name": "Other" })),
        (Method::PUT, "/v1/settings/customer_onboarding", workflow),
    ] {
        for (header, name) in [("if-match", "If-Match"), ("if-none-match", "If-None-Match")] {
            let request = server.request(method.clone(), path).header(header, "\"99\"").json(&body);
            let refused = send(request).await;
            assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![name])), "{method} {path}");
        }
    }
    let rate = server.get(&rate).await.expect(200);
    assert_eq!((text(&rate["name"]), text(&rate["status"])), (text(&tax_rate("VAT")["name"]), "published"));
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
