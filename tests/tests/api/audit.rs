//! The audit log over HTTP, and the callers in the program's own log.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use patron_tests::{
    patron::{Backend, KEY, Place, Server, send},
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

async fn made_key(server: &Server, body: &Value) -> (String, String) {
    let made = server.post(KEYS, body).await.expect(201);
    (text(&made["secret"]["id"]).to_owned(), text(&made["api_key"]).to_owned())
}

fn key(role: &str) -> Value {
    json!({ "name": "k", "type": "private_key", "roles": [role] })
}

async fn audit(server: &Server) -> Vec<Value> {
    server.get("/v1/audit").await.expect(200)["items"].as_array().expect("a list").clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| text(&entry["action"])).collect()
}

/// Sends one request over its own connection, as a proxy would.
fn forwarded(server: &Server, key: &str, chain: &str) {
    let mut stream = TcpStream::connect(server.base().trim_start_matches("http://")).expect("a connection");
    let request = format!(
        "DELETE /v1/secrets/api/keys/{key} HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\nx-forwarded-for: {chain}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[rstest]
#[tokio::test]
async fn administration_is_recorded_with_actor_object_time_and_address(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (id, _) = made_key(&server, &key("all_reader")).await;
    let path = format!("{KEYS}/{id}");
    let revoke = server.request(Method::DELETE, &path).header("x-request-id", "the-revocation");
    send(revoke).await;
    assert_eq!(send(server.request(Method::DELETE, &path)).await.status, 204, "a second revocation changes nothing");
    let hook = json!({ "url": "https://example.com/hook" });
    let hook = text(&server.post("/v1/webhooks/endpoints", &hook).await.expect(201)["id"]).to_owned();
    let path = format!("/v1/webhooks/endpoints/{hook}");
    send(server.request(Method::PUT, &path).json(&json!({ "enabled": false }))).await.expect(200);
    server.post("/v1/customers", &minimal("acme")).await.expect(201);

    let entries = audit(&server).await;
    let wanted = [
        "webhook_endpoint.updated",
        "webhook_endpoint.created",
        "api_key.revoked",
        "api_key.created",
        "api_key.created",
        "environment.created",
    ];
    assert_eq!(actions(&entries), wanted, "customers have events instead");
    let own = server.get(KEYS).await.expect(200);
    let own = text(&own["items"][0]["id"]);
    let revoked = &entries[2];
    assert_eq!(revoked["object"], json!({ "type": "api_key", "id": id }));
    assert_eq!((text(&revoked["actor"]), text(&revoked["address"])), (own, "127.0.0.1"));
    assert_eq!((text(&revoked["request_id"]), &revoked["changed"]), ("the-revocation", &json!([])));
    assert!(text(&revoked["id"]).starts_with("aud_") && text(&revoked["at"]).ends_with('Z'), "{revoked}");
    assert_eq!(entries[0]["changed"], json!(["enabled"]));
    let first = &entries[4];
    assert_eq!(
        (text(&first["actor"]), &first["address"], &first["request_id"]),
        ("system", &json!(null), &json!(null))
    );

    // The same entries, page by page.
    let (mut seen, mut path) = (Vec::new(), "/v1/audit?limit=4".to_owned());
    loop {
        let page = server.get(&path).await.expect(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["pagination"]["next_cursor"].as_str() else { break };
        path = format!("/v1/audit?limit=4&cursor={next}");
    }
    assert_eq!(seen, entries);
    let answer = server.get("/v1/audit?cursor=7&limit=0").await;
    assert_eq!((answer.status, answer.error().1), (400, vec!["cursor", "limit"]));
    for method in [Method::DELETE, Method::PUT, Method::POST] {
        assert_eq!(send(server.request(method, "/v1/audit")).await.status, 405);
    }
    let (_, writer) = made_key(&server, &key("all_writer")).await;
    assert_eq!(send(server.request_as(&writer, Method::GET, "/v1/audit")).await.status, 403);
}

#[rstest]
#[tokio::test]
async fn uses_of_revoked_keys_are_counted_by_the_hour(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (id, secret) = made_key(&server, &key("all_reader")).await;
    send(server.request(Method::DELETE, &format!("{KEYS}/{id}"))).await;
    for _ in 0..3 {
        assert_eq!(send(server.request_as(&secret, Method::GET, "/v1/customers")).await.status, 401);
    }
    assert_eq!(
        send(server.request_as("sk_nobody_has_this_one_at_all_here", Method::GET, "/v1/customers")).await.status,
        401
    );
    let counted = until(async || {
        let entries = audit(&server).await;
        let refused: Vec<_> = entries.into_iter().filter(|entry| entry["action"] == "api_key.refused").collect();
        // An hour may end during the test.
        let sum: u64 = refused.iter().filter_map(|entry| entry["count"].as_u64()).sum();
        if sum == 3 { Ok(refused) } else { Err(refused) }
    })
    .await;
    for entry in counted {
        assert_eq!((text(&entry["actor"]), &entry["object"]["id"]), (id.as_str(), &json!(id)));
        assert_eq!(text(&entry["address"]), "127.0.0.1");
        assert!(text(&entry["at"]).ends_with(":00:00.000000Z"), "{entry}");
    }
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    for (trusted, wanted) in [("", "127.0.0.1"), ("127.0.0.0/8, 10.0.0.0/8", "198.51.100.7")] {
        let place = Place::fresh(Backend::Sqlite).await;
        let server = place.serve_with(&[("PATRON_TRUSTED_PROXIES", trusted)]);
        let (id, _) = made_key(&server, &key("all_reader")).await;
        forwarded(&server, &id, "1.2.3.4, 198.51.100.7, 10.0.0.9");
        let entries = audit(&server).await;
        assert_eq!((text(&entries[0]["action"]), text(&entries[0]["address"])), ("api_key.revoked", wanted));
        let log = server.log();
        let line = log.iter().find(|line| line.contains("DELETE")).expect("a line");
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["peer"], wanted);
        for (member, prefix) in [("key", "secret_"), ("tenant", "tenant_"), ("environment", "env_")] {
            assert!(text(&line[member]).starts_with(prefix), "{line}");
        }
    }
}

#[tokio::test]
async fn log_lines_of_unauthenticated_requests_name_no_key() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    send(server.request_as("sk_nobody_has_this_one_at_all_here", Method::GET, "/v1/customers")).await;
    let log = server.log();
    let line = log.iter().find(|line| line.contains("/v1/customers")).expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["status"], &line["peer"], line.get("key")), (&json!(401), &json!("127.0.0.1"), None));
}
