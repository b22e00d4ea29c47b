//! Tax rates, tax associations and explained taxes, over both databases.

mod access;
mod association_requests;
mod associations;
mod begins;
mod effective;
mod in_time;
mod rates;

use patron_tests::{
    patron::{Answer, Server, send},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use serde_json::{Value, json};

const RATES: &str = "/v1/taxes/rates";
const ASSOCIATIONS: &str = "/v1/taxes/associations";

async fn put(server: &Server, path: &str, body: &Value) -> Answer {
    send(server.request(Method::PUT, path).json(body)).await
}

async fn delete(server: &Server, path: &str) -> Answer {
    send(server.request(Method::DELETE, path)).await
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

async fn a_rate(server: &Server, code: &str) -> Value {
    server.post(RATES, &tax_rate(code)).await.expect(201)
}

async fn a_customer(server: &Server, external_id: &str) -> String {
    id(&server.post("/v1/customers", &minimal(external_id)).await.expect(201)).to_owned()
}

fn tax(customer: &str, code: &str) -> Value {
    json!({ "tax_rate_code": code, "entity_type": "customer", "entity_id": customer, "auto_apply": true })
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str, paths: &[&str]) {
    assert_eq!((answer.status, answer.error()), (status, (code, paths.to_vec())), "{:#}", answer.body);
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(id).collect()
}
