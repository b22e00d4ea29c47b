//! How long it takes to erase a customer with many events, from the request to its completion.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use patron_tests::patron::Backend;
use serde_json::{Value, json};

use crate::{
    cli::Options,
    server::Server,
    stage::{Stage, name},
    table::{Target, count, heading, millis, note, verdict},
    template::{Random, Template, full_body},
};

const EVENTS: usize = 1_000;
/// Customers that are erased together.
const MANY: usize = 500;
/// The pause between two looks at a request.
const PAUSE: Duration = Duration::from_millis(10);

/// Erases one customer with many events, then many customers with few.
pub(crate) fn erasure(options: &Options, backend: Backend) {
    heading(&format!("{}: erasing a customer with {} events", name(backend), count(EVENTS as f64)));
    let stage = Stage::new(options, backend);
    let server = stage.serve(options);
    let customer = text(&ask(&server, "POST", "/v1/customers", Some(&external_id(full_body(), 0))), "id");
    for number in 1..EVENTS {
        ask(&server, "PATCH", &format!("/v1/customers/{customer}"), Some(&json!({ "name": format!("Name {number}") })));
    }
    let took = erase(&server, &[customer]);
    verdict("request to completion", took.as_secs_f64(), " s", Target::AtMost(1.0));
    let customers: Vec<_> = (1..=MANY)
        .map(|number| text(&ask(&server, "POST", "/v1/customers", Some(&external_id(full_body(), number))), "id"))
        .collect();
    let took = erase(&server, &customers);
    let each = count(MANY as f64 / took.as_secs_f64());
    note(&format!("{MANY} customers: {}, {each} customers/s with one request after the other", millis(Some(took))));
}

/// Requests the deletion of customers, and waits until all are completed.
fn erase(server: &Server, customers: &[String]) -> Duration {
    let begun = Instant::now();
    let mut open: Vec<String> = customers.iter().map(|customer| requested(server, customer)).collect();
    while let Some(request) = open.last() {
        let path = format!("/v1/privacy/deletion-requests/{request}");
        match ask(server, "GET", &path, None)["state"].as_str() {
            Some("completed") => drop(open.pop()),
            _ => sleep(PAUSE),
        }
    }
    begun.elapsed()
}

fn requested(server: &Server, customer: &str) -> String {
    let body = json!({ "customer_id": customer, "request_channel": "api", "cooldown_days": 0 });
    text(&ask(server, "POST", "/v1/privacy/deletion-requests", Some(&body)), "id")
}

fn external_id(mut body: Value, number: usize) -> Value {
    body["external_id"] = json!(format!("erased-{number}"));
    body
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().expect("a text").to_owned()
}

/// Asks, and returns the body of the answer, which must be a success.
fn ask(server: &Server, method: &str, path: &str, body: Option<&Value>) -> Value {
    let (head, answer) = server.ask(Template::new(method, path, &[], body).next(&mut Random::new(), &[]));
    assert!((200..300).contains(&head.status), "{method} {path} is answered {}", head.status);
    let start = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the head");
    serde_json::from_slice(&answer[start + 4..]).expect("JSON")
}
