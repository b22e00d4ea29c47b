//! Onboarding, from a create to somebody's server and back: in order, at least once, seen by people, and never in a circle.

mod choices;
mod circles;
mod definitions;
mod servers;
mod steps;

use patron_tests::{
    patron::{Answer, Server, send},
    receiver::{Receiver, Reply},
    requests::minimal,
    wait,
};
use reqwest::Method;
use serde_json::{Value, json};

const SETTING: &str = "/v1/settings/customer_onboarding";
const TOKEN: &str = "x-patron-onboarding-run";

/// To receivers on this machine.
const QUICK: [(&str, &str); 2] = [("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"), ("PATRON_WEBHOOKS_LEASE_SECONDS", "2")];

async fn put(server: &Server, path: &str, body: &Value) -> Answer {
    send(server.request(Method::PUT, path).json(body)).await
}

fn workflow(url: &str, attempts: u32) -> Value {
    let retry = json!({ "max_attempts": attempts, "first_delay_seconds": 1 });
    json!({ "value": { "steps": [
        { "type": "http_call", "url": url, "expected_status": [201], "retry": retry },
        { "type": "link_integration", "provider_type": "crm", "pointer": "/data/id" },
    ] } })
}

/// A CRM that gives each customer a number.
async fn crm() -> Receiver {
    Receiver::answering(|number, _| known_as(number)).await
}

fn known_as(number: usize) -> Reply {
    let body = json!({ "data": { "id": format!("crm-{number}") } }).to_string().into_bytes();
    Reply { body, ..Reply::status(201) }
}

async fn create(server: &Server, external_id: &str) -> String {
    let made = server.post("/v1/customers", &minimal(external_id)).await.expect(201);
    made["id"].as_str().expect("an id").to_owned()
}

async fn run(server: &Server, id: &str) -> Value {
    server.get(&format!("/v1/customers/{id}/onboarding")).await.expect(200)
}

/// Waits until a customer's run has a state.
async fn until(server: &Server, id: &str, state: &str) -> Value {
    wait::until(async || {
        let found = run(server, id).await;
        if found["state"] == state { Ok(found) } else { Err((format!("the run is not {state}"), found)) }
    })
    .await
}

async fn amend(server: &Server, id: &str, how: &str) -> Answer {
    send(server.request(Method::POST, &format!("/v1/customers/{id}/onboarding/{how}"))).await
}

async fn events(server: &Server, id: &str) -> Vec<String> {
    let history = server.get(&format!("/v1/customers/{id}/history")).await.expect(200);
    let items = history["items"].as_array().expect("events");
    items.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}
