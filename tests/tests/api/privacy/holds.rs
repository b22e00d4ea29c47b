//! Legal holds.

use patron_tests::{
    patron::{Backend, Place, send},
    requests::minimal,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::{request, text};

#[rstest]
#[tokio::test]
async fn a_held_customer_cannot_be_erased(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let made = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let id = text(&made["id"]);
    assert_eq!(made.get("legal_hold"), None);
    let path = format!("/v1/customers/{id}/legal-hold");
    let put = |body| send(server.request(Method::PUT, &path).json(&body));
    let remove = || send(server.request(Method::DELETE, &path));
    assert_eq!(remove().await.status, 404);
    let refused = put(json!({ "until": "tomorrow" })).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["reason", "until"]));
    let held = put(json!({ "reason": "Lawsuit 7 O 11/26" })).await;
    assert_eq!((held.header("etag"), held.status), (Some("\"2\""), 200));
    assert_eq!(held.body["legal_hold"], true);
    assert!(!held.body.to_string().contains("Lawsuit"), "{:#}", held.body);
    let again = put(json!({ "reason": "Lawsuit 7 O 11/26" })).await;
    assert_eq!(again.header("etag"), Some("\"2\""), "the same terms change nothing");
    assert_eq!(server.get(&format!("/v1/customers/{id}")).await.expect(200)["legal_hold"], true);

    let blocked = request(&server, &id, 0).await;
    assert_eq!((blocked.status, blocked.error().0), (409, "erasure_blocked"));
    assert_eq!(blocked.body["details"]["blocking"], json!(["legal_hold"]));
    // An archived customer can be held, too.
    send(server.request(Method::DELETE, &format!("/v1/customers/{id}"))).await;
    assert_eq!(request(&server, &id, 0).await.status, 409);
    let removed = remove().await;
    assert_eq!((removed.status, removed.header("etag")), (204, Some("\"4\"")));
    request(&server, &id, 30).await.expect(202);
    assert_eq!(put(json!({ "reason": "too late" })).await.status, 404);

    let other = text(&server.post("/v1/customers", &minimal("other")).await.expect(201)["id"]);
    let ended = server.request(Method::PUT, &format!("/v1/customers/{other}/legal-hold"));
    send(ended.json(&json!({ "reason": "Tax audit", "until": "2020-01-01T00:00:00Z" }))).await.expect(200);
    request(&server, &other, 30).await.expect(202);
    let writer = json!({ "name": "w", "type": "private_key", "roles": ["all_writer"] });
    let writer = text(&server.post("/v1/secrets/api/keys", &writer).await.expect(201)["api_key"]);
    let denied = server.request_as(&writer, Method::PUT, &path).json(&json!({ "reason": "x" }));
    assert_eq!(send(denied).await.status, 403);
}
