//! Secrets, and the addresses and answers that an endpoint must not make use of.

use patron_tests::{
    patron::{Backend, Place, Server},
    receiver::{Receiver, Reply},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ENDPOINTS, QUICK, customer, endpoint};

#[rstest]
#[tokio::test]
async fn during_a_rotation_both_secrets_verify(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let key = "0123456789abcdef".repeat(4);
    let server = place.serve_with(&[QUICK[0], ("PATRON_SECRETS_KEY", &key)]);
    let (id, old) = endpoint(&server, &receiver.url()).await;
    let path = format!("{ENDPOINTS}/{id}/rotate-secret");
    let rotated = server.post(&path, &json!({ "overlap_seconds": 3_600 })).await.expect(200);
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert!(rotated["previous_secret_until"].is_string());
    customer(&server, "a").await;
    let both = &receiver.wait_for(1).await[0];
    assert!(both.is_signed_with(&old) && both.is_signed_with(&new));
    let last = server.post(&path, &json!({ "overlap_seconds": 0 })).await.expect(200)["secret"].clone();
    customer(&server, "b").await;
    let one = &receiver.wait_for(2).await[1];
    assert!(one.is_signed_with(last.as_str().unwrap()) && !one.is_signed_with(&new) && !one.is_signed_with(&old));
    assert_eq!(server.post(&path, &json!({ "overlap_seconds": -1 })).await.error().1, ["overlap_seconds"]);
    // A secret is shown only once, and the table has none in clear.
    for path in [ENDPOINTS.to_owned(), format!("{ENDPOINTS}/{id}")] {
        let shown = server.get(&path).await.expect(200).to_string();
        assert!(!shown.contains("whsec_") && !shown.contains("\"secret\""), "{shown}");
    }
    let clear = "SELECT count(*) FROM webhook_endpoints WHERE document ->> 'secret' NOT LIKE 'v1:%' \
                 OR CAST(document AS TEXT) LIKE '%whsec_%'";
    assert_eq!(place.number(clear).await, 0);
}

#[tokio::test]
async fn deliveries_go_to_public_addresses_alone() {
    let (place, receiver) = (Place::fresh(Backend::Sqlite).await, Receiver::start().await);
    let server = place.serve();
    let port = receiver.url().rsplit(':').next().unwrap().trim_end_matches("/hook").to_owned();
    for url in [
        receiver.url(),
        receiver.named_url(),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        // A host that does not exist looks the same, so names of the server's network are not revealed.
        "https://nowhere.invalid/".to_owned(),
    ] {
        let (id, _) = endpoint(&server, &url).await;
        let tested = server.post(&format!("{ENDPOINTS}/{id}/test"), &json!({})).await.expect(200);
        let outcome = (&tested["status"], &tested["last_attempt"]["error"]);
        assert_eq!(outcome, (&json!("failed"), &json!("address_refused")), "{url}");
        let message = tested["last_attempt"]["message"].as_str().unwrap();
        assert!(message.contains("PATRON_WEBHOOKS_ALLOW_PRIVATE"), "{message}");
    }
    assert!(receiver.all().is_empty());
}

/// The settings that an endpoint's warnings name.
async fn warned(server: &Server, url: &str) -> Vec<&'static str> {
    let made = server.post(ENDPOINTS, &json!({ "url": url })).await.expect(201);
    let shown = server.get(&format!("{ENDPOINTS}/{}", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(shown["warnings"], made["warnings"]);
    let warnings = made["warnings"].as_array().cloned().unwrap_or_default();
    let settings = ["PATRON_WEBHOOKS_ALLOW_HTTP", "PATRON_WEBHOOKS_ALLOW_PRIVATE"];
    let names = |warning: &Value| {
        assert_eq!((&warning["path"], &warning["rule"]), (&json!("url"), &json!("address_refused")));
        let message = warning["message"].as_str().unwrap().to_owned();
        settings.into_iter().find(|name| message.contains(name)).expect("the name of a setting")
    };
    warnings.iter().map(names).collect()
}

#[tokio::test]
async fn plain_http_is_called_only_where_the_operator_allows_it() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    assert_eq!(warned(&server, "http://8.8.8.8/").await, ["PATRON_WEBHOOKS_ALLOW_HTTP"]);
    assert_eq!(warned(&server, "http://example.com/").await, ["PATRON_WEBHOOKS_ALLOW_HTTP"]);
    assert_eq!(warned(&server, "http://localhost:4000/").await, ["PATRON_WEBHOOKS_ALLOW_PRIVATE"]);
    assert_eq!(warned(&server, "https://10.0.0.1/").await, ["PATRON_WEBHOOKS_ALLOW_PRIVATE"]);
    assert!(warned(&server, "https://example.com/").await.is_empty());
    let broken = server.post(ENDPOINTS, &json!({ "url": "http://[::1:8430/" })).await;
    assert_eq!((broken.status, broken.error().1), (400, vec!["url"]));
    drop(server);

    // Nothing is sent there: it is refused before any connection.
    let server = place.serve_with(&[("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")]);
    assert_eq!(warned(&server, "http://8.8.8.8/").await, ["PATRON_WEBHOOKS_ALLOW_HTTP"]);
    assert!(warned(&server, "http://127.0.0.1:4000/").await.is_empty());
    let (id, _) = endpoint(&server, "http://8.8.8.8/").await;
    let tested = server.post(&format!("{ENDPOINTS}/{id}/test"), &json!({})).await.expect(200);
    assert_eq!(tested["last_attempt"]["error"], "address_refused");
    assert!(tested["last_attempt"]["message"].as_str().unwrap().contains("PATRON_WEBHOOKS_ALLOW_HTTP"));
    drop(server);

    let server = place.serve_with(&[("PATRON_WEBHOOKS_ALLOW_HTTP", "true")]);
    assert!(warned(&server, "http://8.8.8.8/").await.is_empty());
    assert_eq!(warned(&server, "http://127.0.0.1:4000/").await, ["PATRON_WEBHOOKS_ALLOW_PRIVATE"]);
}

#[tokio::test]
async fn the_first_key_encrypts_and_a_later_one_still_decrypts() {
    let (place, receiver) = (Place::fresh(Backend::Sqlite).await, Receiver::start().await);
    let (old, new) = ("0a".repeat(32), "0b".repeat(32));
    let server = place.serve_with(&[QUICK[0], ("PATRON_SECRETS_KEY", &old)]);
    let (id, secret) = endpoint(&server, &receiver.url()).await;
    drop(server);

    let file = place.path().join("keys");
    std::fs::write(&file, format!("{new},{old}\n")).unwrap();
    let server = place.serve_with(&[QUICK[0], ("PATRON_SECRETS_KEY_FILE", file.to_str().unwrap())]);
    server.post(&format!("{ENDPOINTS}/{id}/test"), &json!({})).await.expect(200);
    assert!(receiver.all()[0].is_signed_with(&secret), "the old key opens it");
    let rotate = json!({ "overlap_seconds": 0 });
    let rotated = server.post(&format!("{ENDPOINTS}/{id}/rotate-secret"), &rotate).await.expect(200);
    drop(server);

    let server = place.serve_with(&[QUICK[0], ("PATRON_SECRETS_KEY", &new)]);
    server.post(&format!("{ENDPOINTS}/{id}/test"), &json!({})).await.expect(200);
    assert!(receiver.all()[1].is_signed_with(rotated["secret"].as_str().unwrap()), "the new key sealed it");
}

#[tokio::test]
async fn redirects_are_not_followed_and_long_answers_not_kept() {
    let place = Place::fresh(Backend::Sqlite).await;
    let target = Receiver::start().await;
    let location = format!("location: {}\r\n", target.url());
    let redirecting = Receiver::answering(move |_, _| Reply { headers: location.clone(), ..Reply::status(307) }).await;
    let long = Receiver::answering(|_, _| Reply { body: vec![b'x'; 50_000_000], ..Reply::status(200) }).await;
    let server = place.serve_with(&QUICK);
    let test = |url: String| {
        let server = &server;
        async move {
            let (id, secret) = endpoint(server, &url).await;
            (server.post(&format!("{ENDPOINTS}/{id}/test"), &json!({})).await.expect(200), secret)
        }
    };
    let (redirected, _) = test(redirecting.url()).await;
    assert_eq!((&redirected["status"], &redirected["last_attempt"]["http_status"]), (&json!("failed"), &json!(307)));
    assert!(target.all().is_empty());
    let (long, _) = test(long.url()).await;
    assert_eq!(long["status"], "delivered");
    assert_eq!(long["last_attempt"]["answer"].as_str().unwrap().len(), 1_024);
    let (tested, secret) = test(target.url()).await;
    assert_eq!((&tested["kind"], &tested["event_type"]), (&json!("test"), &json!("webhook.test")));
    let received = &target.all()[0];
    assert!(received.is_signed_with(&secret));
    assert_eq!(received.json()["event_type"], "webhook.test");
}
