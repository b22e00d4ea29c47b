//! Custom fields: definitions, values of customers, unique values, deletion, and searches.

mod definitions;
mod purge;
mod search;
mod unique;
mod values;

use patron_tests::patron::{Answer, Server, send};
use reqwest::Method;
use serde_json::{Value, json};

const FIELDS: &str = "/v1/custom-fields";

/// Defines a field.
async fn define(server: &Server, key: &str, kind: &str, more: Value) -> Value {
    let mut body = json!({ "key": key, "type": kind });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    server.post(FIELDS, &body).await.expect(201)
}

/// A request for a customer with custom fields.
fn with(external_id: &str, fields: &Value) -> Value {
    json!({ "external_id": external_id, "custom_fields": fields })
}

/// Creates a customer with custom fields, and returns its path.
async fn created(server: &Server, external_id: &str, fields: Value) -> String {
    let created = server.post("/v1/customers", &with(external_id, &fields)).await.expect(201);
    format!("/v1/customers/{}", created["id"].as_str().unwrap())
}

async fn sent(server: &Server, method: Method, path: &str, body: &Value) -> Answer {
    send(server.request(method, path).json(body)).await
}

async fn patch(server: &Server, path: &str, body: &Value) -> Answer {
    sent(server, Method::PATCH, path, body).await
}

async fn delete(server: &Server, path: &str) -> Answer {
    send(server.request(Method::DELETE, path)).await
}

/// The paths and the rules of a refusal.
fn rules(refused: &Answer) -> Vec<(String, String)> {
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!("validation_error")), "{}", refused.body);
    let details = refused.body["details"].as_object().unwrap();
    details.iter().map(|(path, detail)| (path.clone(), detail["rule"].as_str().unwrap().to_owned())).collect()
}

/// Expects the refusal of these paths by these rules.
fn refuses(refused: &Answer, wanted: &[(&str, &str)]) {
    let mut wanted: Vec<_> = wanted.iter().map(|(path, rule)| ((*path).to_owned(), (*rule).to_owned())).collect();
    let mut found = rules(refused);
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted, "{}", refused.body);
}
