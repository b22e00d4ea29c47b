//! Every row of the error table that the routes can produce, in order of precedence and always as JSON.

use std::time::Duration;

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server, send},
    requests::{minimal, tax_rate},
    wait::{TIMEOUT, until},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(super) async fn server() -> (Place, Server) {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    (place, server)
}

/// Checks the envelope that every error has.
#[track_caller]
pub(super) fn assert_error(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{:#}", answer.body);
    assert_eq!(answer.body["code"], code);
    assert_eq!(answer.body["http_status_code"], status);
    assert!(answer.body["message"].as_str().is_some_and(|message| message.len() > 10), "{:#}", answer.body);
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    assert!(answer.header("x-request-id").is_some());
    if let Some(details) = answer.body.get("details") {
        assert!(details.as_object().is_some_and(|map| map.values().all(Value::is_object)), "{details:#}");
    }
}

/// Sends bytes as they are and reads all that comes back before the server closes.
pub(super) async fn raw(server: &Server, bytes: &[u8]) -> String {
    let address = server.base().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn every_request_without_a_valid_key_gets_the_same_answer() {
    let (place, server) = server().await;
    let revoked = place.run_ok(&["keys", "create", "--name", "gone", "--role", "all_reader"]).trim().to_owned();
    let list: Value = serde_json::from_str(&place.run_ok(&["keys", "list", "--json"])).unwrap();
    let id =
        list.as_array().unwrap().iter().find(|key| key["name"] == "gone").unwrap()["id"].as_str().unwrap().to_owned();
    let _ = place.run_ok(&["keys", "revoke", &id]);

    let path = "/v1/customers/external/x";
    let mut answers = vec![send(server.anonymous(Method::GET, path)).await];
    for key in ["wrong", "sk_0123456789012345678901234567890", "", &revoked, &KEY.to_uppercase()] {
        answers.push(send(server.request_as(key, Method::GET, path)).await);
    }
    answers.push(send(server.anonymous(Method::GET, path).header("authorization", "Basic abc")).await);
    for answer in &answers {
        assert_error(answer, 401, "unauthenticated");
        assert_eq!(answer.body, answers[0].body);
    }
    let bearer = server.anonymous(Method::GET, path).header("authorization", format!("Bearer {KEY}"));
    assert_error(&send(bearer).await, 404, "not_found");
}

#[tokio::test]
async fn a_key_stops_working_at_its_expiry_and_soon_after_its_revocation() {
    let (place, server) = server().await;
    let revoked = place.run_ok(&["keys", "create", "--name", "r", "--role", "all_reader"]);
    let path = "/v1/customers/external/x";
    assert_eq!(send(server.request_as(revoked.trim(), Method::GET, path)).await.status, 404);
    // On a busy machine a key may expire before it is first used.
    let mut expiring = String::new();
    for seconds in [3, 10, 30] {
        let soon = chrono_like_in(seconds);
        expiring = place.run_ok(&["keys", "create", "--name", "e", "--role", "all_reader", "--expires-at", &soon]);
        if send(server.request_as(expiring.trim(), Method::GET, path)).await.status == 404 {
            break;
        }
        assert!(chrono_like_in(0) > soon, "the key was refused before it expired");
    }
    let list: Value = serde_json::from_str(&place.run_ok(&["keys", "list", "--json"])).unwrap();
    let id = list.as_array().unwrap().iter().find(|key| key["name"] == "r").unwrap()["id"].as_str().unwrap().to_owned();
    let _ = place.run_ok(&["keys", "revoke", &id]);
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    assert_error(&send(server.request_as(revoked.trim(), Method::GET, path)).await, 401, "unauthenticated");
    until(async || {
        let answer = send(server.request_as(expiring.trim(), Method::GET, path)).await;
        if answer.status == 401 { Ok(()) } else { Err(answer) }
    })
    .await;
}

/// The time this many seconds from now, in RFC 3339.
fn chrono_like_in(seconds: u64) -> String {
    let at = std::time::SystemTime::now() + Duration::from_secs(seconds);
    let micros = at.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    patron_domain::time::Timestamp::from_micros(i64::try_from(micros).unwrap()).unwrap().to_string()
}

#[tokio::test]
async fn a_reader_can_only_read_and_a_writer_can_write() {
    let (place, server) = server().await;
    let key = |role| place.run_ok(&["keys", "create", "--name", role, "--role", role]).trim().to_owned();
    let (reader, writer) = (key("all_reader"), key("all_writer"));
    let post = |key: &str, id: &str| server.request_as(key, Method::POST, "/v1/customers").json(&minimal(id));
    assert_error(&send(post(&reader, "a")).await, 403, "permission_denied");
    let rate = server.request_as(&reader, Method::POST, "/v1/taxes/rates").json(&tax_rate("VAT"));
    assert_error(&send(rate).await, 403, "permission_denied");
    send(post(&writer, "b")).await.expect(201);
    send(server.request_as(&reader, Method::GET, "/v1/customers/external/b")).await.expect(200);
}

#[tokio::test]
async fn the_first_of_several_errors_is_reported() {
    let (place, server) = server().await;
    let reader = place.run_ok(&["keys", "create", "--name", "r", "--role", "all_reader"]).trim().to_owned();
    let large = vec![b' '; 1_048_577];
    let post = |key: Option<&str>| {
        let request = server.anonymous(Method::POST, "/v1/customers").header("content-type", "text/plain");
        let request = if let Some(key) = key { request.header("x-api-key", key) } else { request };
        request.body(large.clone())
    };
    assert_error(&send(post(None)).await, 401, "unauthenticated");
    assert_error(&send(post(Some(&reader))).await, 403, "permission_denied");
    assert_error(&send(post(Some(KEY))).await, 413, "payload_too_large");
    let text = server.request(Method::POST, "/v1/customers").header("content-type", "text/plain").body("{");
    assert_error(&send(text).await, 415, "unsupported_media_type");

    // Precedence: an invalid field, then an unknown tax rate, then a taken external id.
    server.post("/v1/customers", &minimal("taken")).await.expect(201);
    let mut body = minimal("taken");
    body["tax_rate_overrides"] = json!([{ "tax_rate_code": "NONE", "currency": "EUR" }]);
    assert_error(&server.post("/v1/customers", &body).await, 404, "not_found");
    body["name"] = json!(1);
    let answer = server.post("/v1/customers", &body).await;
    assert_error(&answer, 400, "validation_error");
    // References to things that do not exist are reported along with invalid fields.
    assert_eq!(answer.error().1, ["name", "tax_rate_overrides[0].tax_rate_code"]);
    assert_error(&server.post("/v1/customers", &minimal("taken")).await, 409, "already_exists");
}

#[tokio::test]
async fn errors_are_reported_with_their_paths_up_to_a_limit() {
    let (_place, server) = server().await;
    let link = json!({ "provider_type": "p", "provider_entity_id": "e" });
    let body = json!({ "external_id": "a", "integration_entity_mapping": [1, link, link] });
    let answer = server.post("/v1/customers", &body).await;
    assert_error(&answer, 400, "validation_error");
    assert_eq!(answer.error().1, ["integration_entity_mapping[0]", "integration_entity_mapping[2].provider_type"]);

    let body = json!({ "external_id": "a", "tax_rate_overrides": vec![json!({}); 200_000] });
    let answer = server.post("/v1/customers", &body).await;
    assert_error(&answer, 400, "validation_error");
    assert_eq!(answer.error().1.len(), 1_000);
}

#[tokio::test]
async fn unknown_routes_and_methods_get_json_errors_too() {
    let (_place, server) = server().await;
    for path in ["/v1/nothing", "/v1", "/v1/customers/cust_x/wallets", "/nothing", "/v1/customers/a/b/c"] {
        assert_error(&server.get(path).await, 404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/v1/taxes/rates", "POST"),
        (Method::PATCH, "/v1/customers", "POST"),
        (Method::POST, "/v1/integrations/mappings", "GET"),
        (Method::OPTIONS, "/v1/customers", "POST"),
        (Method::TRACE, "/v1/customers", "POST"),
    ] {
        let answer = send(server.request(method, path)).await;
        assert_error(&answer, 405, "method_not_allowed");
        assert!(answer.header("allow").is_some_and(|allow| allow.split(", ").any(|one| one == allowed)), "{path}");
    }
    let answer = raw(&server, b"BREW /v1/customers HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.contains("\"http_status_code\""), "{answer}");
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let (_place, server) = server().await;
    for path in [
        "/v1/customers/cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE",
        "/v1/customers/anything",
        "/v1/taxes/rates/taxrate_01JDG3W9Z5X0M8R2K7T4B6Q1NE",
        "/v1/taxes/rates/anything",
        "/v1/customers/external/nobody",
        "/v1/taxes/associations?entity_type=customer&entity_id=cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE",
    ] {
        assert_error(&server.get(path).await, 404, "not_found");
    }
    let empty = json!({ "items": [], "pagination": { "total": 0, "limit": 50, "offset": 0 } });
    for query in [
        "entity_type=customer&entity_id=cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE",
        "entity_type=customer&entity_id=anything",
        "provider_type=stripe&provider_entity_id=anything",
    ] {
        assert_eq!(server.get(&format!("/v1/integrations/mappings?{query}")).await.expect(200), empty);
    }
}

#[tokio::test]
async fn queries_are_checked_and_their_errors_reported_together() {
    let (_place, server) = server().await;
    for (query, paths) in [
        ("", vec!["entity_type", "entity_id"]),
        ("entity_type=customer", vec!["entity_id"]),
        ("entity_type=spaceship&entity_id=x", vec!["entity_type"]),
        ("entity_type=customer&entity_id=x&limit=0&offset=-1", vec!["limit", "offset"]),
        ("entity_type=customer&entity_id=x&limit=1001", vec!["limit"]),
        ("entity_type=customer&entity_id=x&limit=ten", vec!["limit"]),
        ("provider_type=stripe", vec!["provider_entity_id"]),
    ] {
        let answer = server.get(&format!("/v1/integrations/mappings?{query}")).await;
        assert_error(&answer, 400, "validation_error");
        let mut found = answer.error().1;
        found.sort_unstable();
        let mut paths = paths;
        paths.sort_unstable();
        assert_eq!(found, paths, "{query}");
    }
    let page = "/v1/integrations/mappings?entity_type=customer&entity_id=x&limit=1000&offset=&whatever=1";
    assert_eq!(server.get(page).await.expect(200)["pagination"]["limit"], 1000);
}

#[tokio::test]
async fn a_valid_request_id_is_returned_and_an_invalid_one_replaced() {
    let (_place, server) = server().await;
    let with = |id: &str| server.request(Method::GET, "/v1/customers/external/x").header("x-request-id", id);
    assert_eq!(send(with("order-66.a_B")).await.header("x-request-id"), Some("order-66.a_B"));
    for bad in ["a b", "<script>", &"x".repeat(129)] {
        let answer = send(with(bad)).await;
        assert!(answer.header("x-request-id").is_some_and(|id| id != bad && !id.is_empty()));
    }
}

#[tokio::test]
async fn tax_rates_are_checked_and_normalised() {
    let (_place, server) = server().await;
    let rate = |code: &str, change: Value| {
        let mut body = json!({ "code": code, "name": "n" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (number, (change, shown)) in [
        (json!({ "percentage_value": "1e1" }), "10"),
        (json!({ "percentage_value": 19 }), "19"),
        (json!({ "percentage_value": 7.25 }), "7.25"),
        (json!({ "tax_rate_type": "percentage", "percentage_value": "+5" }), "5"),
        (json!({ "percentage_value": "0018" }), "18"),
        (json!({ "percentage_value": "0.1234567890123456789012345678" }), "0.1234567890123456789012345678"),
    ]
    .into_iter()
    .enumerate()
    {
        let created = server.post("/v1/taxes/rates", &rate(&format!("P{number}"), change)).await.expect(201);
        assert_eq!(created["percentage_value"], shown);
        assert_eq!(created["tax_rate_type"], "percentage");
        assert_eq!((&created["scope"], &created["tax_rate_status"]), (&json!("INTERNAL"), &json!("ACTIVE")));
        let found = server.get(&format!("/v1/taxes/rates/{}", created["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(found, created);
    }
    let exact = server.post_raw(
        "/v1/taxes/rates",
        r#"{"code":"X","name":"n","tax_rate_type":"fixed","fixed_value":0.1234567890123456789012345678}"#,
    );
    assert_eq!(exact.await.expect(201)["fixed_value"], "0.1234567890123456789012345678");

    for (change, path) in [
        (json!({}), "percentage_value"),
        (json!({ "percentage_value": "101" }), "percentage_value"),
        (json!({ "percentage_value": "-1" }), "percentage_value"),
        (json!({ "percentage_value": "abc" }), "percentage_value"),
        (json!({ "percentage_value": true }), "percentage_value"),
        (json!({ "percentage_value": "0.12345678901234567890123456789" }), "percentage_value"),
        (json!({ "percentage_value": "1", "fixed_value": "1" }), "fixed_value"),
        (json!({ "tax_rate_type": "fixed" }), "fixed_value"),
        (json!({ "tax_rate_type": "vat", "percentage_value": "1" }), "tax_rate_type"),
        (json!({ "percentage_value": "1", "scope": "internal" }), "scope"),
        (json!({ "percentage_value": "1", "tax_rate_status": "ON" }), "tax_rate_status"),
        (json!({ "percentage_value": "1", "name": "" }), "name"),
        (json!({ "percentage_value": "1", "code": " " }), "code"),
    ] {
        let answer = server.post("/v1/taxes/rates", &rate("BAD", change)).await;
        assert_error(&answer, 400, "validation_error");
        assert_eq!(answer.error().1, [path], "{:#}", answer.body);
    }
    let taken = server.post("/v1/taxes/rates", &rate("P0", json!({ "percentage_value": "1" }))).await;
    assert_error(&taken, 409, "already_exists");
    assert_eq!(taken.error().1, ["code"]);
    server.post("/v1/taxes/rates", &rate("p0", json!({ "percentage_value": "1" }))).await.expect(201);
}
