//! Erasing customers over HTTP: suppression, cancelling, redaction, receipts and legal holds.

mod bundle;
mod dry_run;
mod erasure;
mod holds;
mod marker;
mod receipts;
mod retention;
mod suppression;

use patron_tests::{
    patron::{Answer, Server, send},
    wait,
};
use reqwest::Method;
use serde_json::{Value, json};

const REQUESTS: &str = "/v1/privacy/deletion-requests";

/// A request for deletion by a customer's id, with a cool-down in days.
async fn request(server: &Server, id: &str, days: u8) -> Answer {
    let body = json!({ "customer_id": id, "request_channel": "api", "cooldown_days": days });
    server.post(REQUESTS, &body).await
}

async fn cancel(server: &Server, request: &str) -> Answer {
    send(server.request(Method::POST, &format!("{REQUESTS}/{request}/cancel"))).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Waits until a request has a state.
async fn until(server: &Server, request: &str, state: &str) -> Value {
    wait::until(async || {
        let found = server.get(&format!("{REQUESTS}/{request}")).await.expect(200);
        if found["state"] == state { Ok(found) } else { Err((format!("it is not {state}"), found)) }
    })
    .await
}

async fn events(server: &Server) -> Vec<Value> {
    server.get("/v1/events?limit=1000").await.expect(200)["items"].as_array().expect("events").clone()
}
