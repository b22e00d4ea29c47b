//! Receipts, and the keys by which they are verified.

use base64::{Engine, engine::general_purpose::STANDARD};
use patron_tests::{
    patron::{Backend, Place, send},
    requests::minimal,
};
use reqwest::Method;
use ring::signature::{ED25519, UnparsedPublicKey};
use rstest::rstest;
use serde_json::Value;

use super::{REQUESTS, request, text, until};

#[rstest]
#[tokio::test]
async fn a_receipt_is_signed_by_the_published_key_and_names_nobody(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(false, true)] sealed: bool,
) {
    let place = Place::fresh(backend).await;
    let key = STANDARD.encode([7; 32]);
    let settings = [("PATRON_SECRETS_KEY", key.as_str())];
    let settings = if sealed { &settings[..] } else { &[] };
    let server = place.serve_with(settings);
    let id = text(&server.post("/v1/customers", &minimal("acme-4711")).await.expect(201)["id"]);
    let request_id = text(&request(&server, &id, 0).await.expect(202)["id"]);
    until(&server, &request_id, "completed").await;
    let receipt = server.get(&format!("{REQUESTS}/{request_id}/receipt")).await.expect(200);
    let keys = send(server.anonymous(Method::GET, "/v1/privacy/receipt-key")).await.expect(200);
    let public = STANDARD.decode(text(&keys["keys"][0]["public_key"])).unwrap();
    assert_eq!(receipt["key_id"], keys["keys"][0]["id"]);
    let payload = text(&receipt["payload"]);
    let signature = STANDARD.decode(text(&receipt["signature"])).unwrap();
    UnparsedPublicKey::new(&ED25519, public).verify(payload.as_bytes(), &signature).unwrap();
    assert!(!payload.contains("acme") && !payload.contains(&id), "{payload}");
    let content: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(content["request_id"], request_id.as_str());
    assert!(content["counts"].as_array().unwrap().iter().all(|count| count["left"] == 0), "{content:#}");
    assert_eq!(content["storage"], if backend == Backend::Sqlite { "sqlite" } else { "postgresql" });
    let secrets = place.rows("SELECT secret FROM installation_keys").await;
    assert_eq!(secrets.len(), 2);
    for row in &secrets {
        assert_eq!(patron_tests::rows::text(&row[0]).starts_with("v1:"), sealed);
    }
    drop(server);
    // Another server recognises the erased customer.
    let server = place.serve_with(settings);
    assert_eq!(server.post("/v1/customers", &minimal("acme-4711")).await.error().0, "erased_subject");
    assert_eq!(server.get(&format!("{REQUESTS}/{request_id}/receipt")).await.expect(200), receipt);
}
