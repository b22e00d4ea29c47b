//! The fields of a customer beside name and address: changes, searches and events.

mod contact_persons;
mod limits;
mod single_fields;
mod tags;
mod taxes;

use patron_tests::patron::{Answer, Server, send};
use reqwest::Method;
use serde_json::Value;

async fn put(server: &Server, path: &str, body: &Value) -> Answer {
    send(server.request(Method::PUT, path).body(body.to_string()).header("content-type", "application/json")).await
}

async fn patch(server: &Server, path: &str, body: &Value) -> Answer {
    send(server.request(Method::PATCH, path).body(body.to_string()).header("content-type", "application/json")).await
}

async fn patch_if(server: &Server, path: &str, tag: &str, body: &Value) -> Answer {
    let request = server.request(Method::PATCH, path).body(body.to_string()).header("content-type", "application/json");
    send(request.header("if-match", tag)).await
}

async fn delete(server: &Server, path: &str) -> Answer {
    send(server.request(Method::DELETE, path)).await
}

/// Where a customer is.
fn path(customer: &Value) -> String {
    format!("/v1/customers/{}", customer["id"].as_str().unwrap())
}
