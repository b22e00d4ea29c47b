//! Creating, changing, listing and deleting endpoints.

use patron_tests::patron::{Backend, Place, send};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::ENDPOINTS;

#[rstest]
#[tokio::test]
async fn permitted_clients_create_change_list_and_delete_endpoints(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let body = json!({ "url": "https://example.com/a", "event_types": ["customer.*", "tax_rate.created"], "description": "Billing" });
    let made = server.post(ENDPOINTS, &body).await.expect(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("{ENDPOINTS}/{}", made["id"].as_str().unwrap());
    let found = server.get(&path).await.expect(200);
    assert_eq!(
        (&found["url"], &found["enabled"], &found["description"]),
        (&body["url"], &json!(true), &json!("Billing"))
    );
    assert_eq!(found["event_types"], json!(["customer.*", "tax_rate.created"]));
    let change = json!({ "url": "https://example.com/b", "event_types": [], "description": "", "enabled": false });
    let changed = send(server.request(Method::PUT, &path).json(&change)).await.expect(200);
    assert_eq!((&changed["event_types"], &changed["description"]), (&json!(["*"]), &json!("")));
    assert_eq!((&changed["enabled"], &changed["disabled_reason"]), (&json!(false), &json!("request")));
    assert_eq!(server.get(&path).await.expect(200), changed);
    let listed = server.get(ENDPOINTS).await.expect(200);
    assert_eq!((&listed["items"][0], &listed["pagination"]["total"]), (&changed, &json!(1)));

    let bad =
        json!({ "url": "ftp://x", "event_types": ["customer.created", "nonsense"], "description": "x".repeat(256) });
    let refused = server.post(ENDPOINTS, &bad).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["description", "event_types[1]", "url"]));
    let reader = json!({ "name": "r", "type": "private_key", "roles": ["all_reader"] });
    let reader = server.post("/v1/secrets/api/keys", &reader).await.expect(201)["api_key"].as_str().unwrap().to_owned();
    assert_eq!(send(server.request_as(&reader, Method::GET, &path)).await.status, 200);
    assert_eq!(send(server.request_as(&reader, Method::POST, ENDPOINTS).json(&body)).await.status, 403);
    assert_eq!(send(server.request_as(&reader, Method::DELETE, &path)).await.status, 403);

    assert_eq!(send(server.request(Method::DELETE, &path)).await.status, 204);
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/deliveries")),
        (Method::POST, format!("{path}/test")),
        (Method::GET, format!("{ENDPOINTS}/nonsense")),
    ] {
        assert_eq!(send(server.request(method, &path)).await.status, 404, "{path}");
    }
}
