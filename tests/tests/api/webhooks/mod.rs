//! Webhooks, from a change to the receiving server: signed, in order, with retries, and never to forbidden addresses.

mod delivery;
mod endpoints;
mod failures;
mod listener;
mod once;
mod readers;
mod safety;
mod servers;

use patron_tests::{
    patron::{Server, send},
    requests::minimal,
    wait,
};
use reqwest::Method;
use serde_json::{Value, json};

const ENDPOINTS: &str = "/v1/webhooks/endpoints";

/// Allows receivers on this machine, and makes all retries within ten seconds.
const QUICK: [(&str, &str); 3] = [
    ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ("PATRON_WEBHOOKS_RETRY_SECONDS", "10"),
    ("PATRON_WEBHOOKS_LEASE_SECONDS", "2"),
];

async fn endpoint(server: &Server, url: &str) -> (String, String) {
    let made = server.post(ENDPOINTS, &json!({ "url": url })).await.expect(201);
    let text = |name: &str| made[name].as_str().expect(name).to_owned();
    (text("id"), text("secret"))
}

async fn customer(server: &Server, external_id: &str) -> Value {
    server.post("/v1/customers", &minimal(external_id)).await.expect(201)
}

async fn rename(server: &Server, id: &Value, name: &str) -> Value {
    let path = format!("/v1/customers/{}", id.as_str().expect("an id"));
    send(server.request(Method::PUT, &path).json(&json!({ "name": name }))).await.expect(200)
}

async fn deliveries(server: &Server, id: &str, query: &str) -> Vec<Value> {
    let found = server.get(&format!("{ENDPOINTS}/{id}/deliveries?limit=1000&{query}")).await.expect(200);
    found["items"].as_array().expect("a list").clone()
}

/// Waits until an endpoint has at least this many deliveries with a status.
async fn until(server: &Server, id: &str, status: &str, count: usize) -> Vec<Value> {
    wait::until(async || {
        let all = deliveries(server, id, "").await;
        let found = deliveries(server, id, &format!("status={status}")).await;
        if found.len() >= count { Ok(found) } else { Err((format!("fewer than {count} are {status}"), all)) }
    })
    .await
}
