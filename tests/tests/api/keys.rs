//! Replacing, limiting and expiring keys.

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    receiver::Receiver,
    requests::minimal,
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const KEYS: &str = "/v1/secrets/api/keys";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

async fn status(server: &Server, key: &str, path: &str) -> u16 {
    send(server.request_as(key, Method::GET, path)).await.status
}

#[rstest]
#[tokio::test]
async fn a_rotation_returns_an_equal_key_and_ends_the_old_one(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let body = json!({
        "name": "billing", "type": "private_key", "roles": ["all_reader"],
        "allowed_networks": ["127.0.0.0/8", "::1"], "rate_limit": { "reads": 1_000 },
    });
    let old = server.post(KEYS, &body).await.expect(201);
    let (old_key, old_id) = (text(&old["api_key"]), text(&old["secret"]["id"]));
    assert_eq!(old["secret"]["allowed_networks"], json!(["127.0.0.0/8", "::1/128"]));
    assert_eq!(old["secret"]["rate_limit"], json!({ "reads": 1_000 }));
    let path = format!("{KEYS}/{old_id}/rotate");

    let rotated = send(server.request(Method::POST, &path).json(&json!({ "overlap_seconds": 600 }))).await;
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let new = rotated.clone().expect(201);
    let (new_key, new_id) = (text(&new["api_key"]), text(&new["secret"]["id"]));
    assert_eq!(rotated.header("location"), Some(format!("{KEYS}/{new_id}").as_str()));
    for member in ["name", "roles", "allowed_networks", "rate_limit", "environment_id"] {
        assert_eq!(new["secret"][member], old["secret"][member], "{member}");
    }
    assert_ne!((new_key, new_id), (old_key, old_id));
    for key in [old_key, new_key] {
        assert_eq!(status(&server, key, "/v1/customers").await, 200, "both are valid during the overlap");
    }
    let until = server.get(&format!("{KEYS}/{old_id}")).await.expect(200);
    assert!(text(&until["expires_at"]) > text(&new["secret"]["created_at"]), "{until}");

    // Without an overlap the old one ends at once in the process that replaces it; the body may be left out.
    let path = format!("{KEYS}/{new_id}/rotate");
    let once = |path: &str| server.request(Method::POST, path).header("idempotency-key", "rotation-1");
    let last = send(once(&path)).await.expect(201);
    assert_eq!(status(&server, new_key, "/v1/customers").await, 401);
    assert_eq!(status(&server, text(&last["api_key"]), "/v1/customers").await, 200);
    let again = send(once(&path)).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.expect(201);
    assert_eq!((&again["secret"]["id"], again.get("api_key")), (&last["secret"]["id"], None));
    let ended = send(server.request(Method::POST, &path)).await;
    assert_eq!((ended.status, ended.error().0), (400, "invalid_operation"));
    for (body, wanted) in [
        (json!({ "overlap_seconds": 604_801 }), "overlap_seconds"),
        (json!({ "overlap_seconds": "1" }), "overlap_seconds"),
    ] {
        let answer = send(server.request(Method::POST, &path).json(&body)).await;
        assert_eq!((answer.status, answer.error().1), (400, vec![wanted]));
    }
    let missing = format!("{KEYS}/secret_01JDG3W9Z5X0M8R2K7T4B6Q1NE/rotate");
    assert_eq!(send(server.request(Method::POST, &missing)).await.status, 404);

    let audit = server.get("/v1/audit?limit=4").await.expect(200);
    let actions: Vec<_> = audit["items"].as_array().unwrap().iter().map(|entry| text(&entry["action"])).collect();
    assert_eq!(actions, ["api_key.created", "api_key.rotated", "api_key.created", "api_key.rotated"]);
}

#[tokio::test]
async fn all_faults_in_the_limits_of_a_key_are_reported_together() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let body = json!({
        "name": "k", "type": "private_key", "allowed_networks": ["192.0.2.0/24", "192.0.2.1/24", "office", 7],
        "rate_limit": { "reads": 0, "writes": "many" },
    });
    let answer = server.post(KEYS, &body).await;
    let paths =
        ["allowed_networks[1]", "allowed_networks[2]", "allowed_networks[3]", "rate_limit.reads", "rate_limit.writes"];
    assert_eq!((answer.status, answer.error()), (400, ("validation_error", paths.to_vec())));
    let many = json!({ "name": "k", "type": "private_key", "allowed_networks": vec!["192.0.2.0/24"; 101] });
    assert_eq!(server.post(KEYS, &many).await.error().1, ["allowed_networks"]);
}

#[rstest]
#[tokio::test]
async fn a_key_expires_no_later_than_allowed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[("PATRON_KEY_MAX_DAYS", "30")]);
    let body = |end: Option<&str>| json!({ "name": "k", "type": "private_key", "expires_at": end });
    let made = server.post(KEYS, &body(None)).await.expect(201);
    assert!(made["secret"].get("expires_at").is_some(), "it must get the latest expiry: {made}");
    let answer = server.post(KEYS, &body(Some("2999-01-01T00:00:00Z"))).await;
    assert_eq!((answer.status, answer.error().1), (400, vec!["expires_at"]));
    assert_eq!(answer.body["details"]["expires_at"]["rule"], "max_age");
    let first = &server.get(KEYS).await.expect(200)["items"][1];
    assert!(first.get("expires_at").is_some(), "the first key must expire too: {first}");
}

#[tokio::test]
async fn limits_are_reported_in_headers_and_apply_to_keys_and_tenants() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    assert_eq!(server.get("/v1/customers").await.header("ratelimit"), None, "no header without limits");
    drop(server);
    let server = place.serve_with(&[("PATRON_RATE_LIMIT_READS", "100000"), ("PATRON_RATE_LIMIT_WRITES", "2")]);
    let answer = server.get("/v1/customers").await;
    assert_eq!(answer.header("ratelimit-policy"), Some("\"tenant-reads\";q=100000;w=1"));
    assert!(answer.header("ratelimit").is_some_and(|told| told.starts_with("\"tenant-reads\";r=99")));
    let refused = until(async || {
        let answer = server.post("/v1/customers", &minimal("acme")).await;
        if answer.status == 429 { Ok(answer) } else { Err(answer.status) }
    })
    .await;
    assert_eq!(refused.error().0, "too_many_requests");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.header("ratelimit").is_some_and(|told| told.starts_with("\"tenant-writes\";r=0;")));
    // A search is a read, although it is a POST.
    server.post("/v1/customers/search", &json!({})).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn quotas_limit_the_customers_endpoints_and_workflows_of_an_environment(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[
        ("PATRON_QUOTA_CUSTOMERS", "2"),
        ("PATRON_QUOTA_ENDPOINTS", "1"),
        ("PATRON_QUOTA_WORKFLOWS", "1"),
        ("PATRON_QUOTA_CUSTOM_FIELDS", "1"),
    ]);
    let put = async |path: &str, body: &Value| send(server.request(Method::PUT, path).json(body)).await;
    let delete = async |path: &str| send(server.request(Method::DELETE, path)).await.status;
    let quota = |answer: Answer, what: &str| {
        let refused = answer.expect(400);
        assert_eq!(refused["code"], "invalid_operation");
        let message = text(&refused["message"]);
        assert!(message.starts_with(&format!("the quota of this environment is {what};")), "{message}");
    };
    let first = server.post("/v1/customers", &minimal("first")).await.expect(201);
    let path = format!("/v1/customers/{}", text(&first["id"]));
    put("/v1/customers/external/second", &json!({})).await.expect(201);
    quota(server.post("/v1/customers", &minimal("third")).await, "2 customers");
    quota(put("/v1/customers/external/third", &json!({})).await, "2 customers");
    put("/v1/customers/external/second", &json!({ "name": "Second" })).await.expect(200);
    assert_eq!(delete(&path).await, 204);
    server.post("/v1/customers", &minimal("third")).await.expect(201);
    quota(server.post(&format!("{path}/restore"), &json!({})).await, "2 customers");

    let field = |key: &str| json!({ "key": key, "type": "string" });
    server.post("/v1/custom-fields", &field("first")).await.expect(201);
    quota(server.post("/v1/custom-fields", &field("second")).await, "1 custom fields");
    assert_eq!(delete("/v1/custom-fields/first").await, 204);
    server.post("/v1/custom-fields", &field("second")).await.expect(201);

    let endpoint = json!({ "url": "https://hooks.example.com/" });
    let made = server.post("/v1/webhooks/endpoints", &endpoint).await.expect(201);
    quota(server.post("/v1/webhooks/endpoints", &endpoint).await, "1 webhook endpoints");
    let id = text(&made["id"]);
    assert_eq!(delete(&format!("/v1/webhooks/endpoints/{id}")).await, 204);
    server.post("/v1/webhooks/endpoints", &endpoint).await.expect(201);

    let call = json!({ "type": "http_call", "url": "https://crm.example.com/" });
    let workflow = json!({ "value": { "steps": [call] } });
    for name in ["first", "first"] {
        assert_eq!(put(&format!("/v1/settings/customer_onboarding/{name}"), &workflow).await.status, 200);
    }
    let second = "/v1/settings/customer_onboarding/second";
    quota(put(second, &workflow).await, "1 onboarding workflows");
    assert_eq!(delete("/v1/settings/customer_onboarding/first").await, 200);
    assert_eq!(put(second, &workflow).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn webhooks_of_a_suspended_tenant_pause_and_lose_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let receiver = Receiver::start().await;
    let server = place.serve_with(&[("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")]);
    let hook = json!({ "url": receiver.url() });
    server.post("/v1/webhooks/endpoints", &hook).await.expect(201);
    let tenants: Value = serde_json::from_str(&place.run_ok(&["tenants", "list", "--json"])).unwrap();
    let tenant = text(&tenants[0]["id"]).to_owned();
    let _ = place.run_ok(&["tenants", "suspend", &tenant]);
    // The operator's commands still work; deliveries of their changes wait.
    let _ = place.run_ok(&["customers", "generate", "--count", "1"]);
    until(async || {
        let answer = server.get("/v1/customers").await;
        if answer.status == 403 { Ok(()) } else { Err(answer.status) }
    })
    .await;
    assert_eq!(receiver.count(), 0, "nothing may be delivered meanwhile");
    let _ = place.run_ok(&["tenants", "resume", &tenant]);
    until(async || if receiver.count() > 0 { Ok(()) } else { Err("nothing was delivered") }).await;
}
