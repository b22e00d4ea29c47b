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
    template::{Template, full_body},
};

const REQUESTS: &str = "/v1/privacy/deletion-requests";
/// The events of the first customer.
const EVENTS: usize = 1_000;
/// Customers that are erased together.
const MANY: usize = 500;
/// The pause between two looks at a request.
const PAUSE: Duration = Duration::from_millis(10);

/// Erases one customer with many events, then many customers with one event each.
pub(crate) fn erasure(options: &Options, backend: Backend) {
    heading(&format!("{}: erasing a customer with {} events", name(backend), count(EVENTS as f64)));
    let stage = Stage::new(options, backend);
    let server = stage.serve(options);
    let customer = created(&server, 0);
    for number in 1..EVENTS {
        let body = json!({ "name": format!("Name {number}") });
        server.json(&Template::new("PATCH", &format!("/v1/customers/{customer}"), &[], Some(&body)), 200);
    }
    let took = erase(&server, &[customer]);
    verdict("request to completion", took.as_secs_f64(), " s", Target::AtMost(1.0));
    let customers: Vec<_> = (1..=MANY).map(|number| created(&server, number)).collect();
    let took = erase(&server, &customers);
    let each = count(MANY as f64 / took.as_secs_f64());
    note(&format!("{MANY} customers: {}, {each} customers/s with one request after the other", millis(Some(took))));
}

/// Requests the deletion of customers, and waits until all are completed.
fn erase(server: &Server, customers: &[String]) -> Duration {
    let begun = Instant::now();
    let mut open: Vec<String> = customers.iter().map(|customer| requested(server, customer)).collect();
    while let Some(request) = open.last() {
        let template = Template::new("GET", &format!("{REQUESTS}/{request}"), &[], None);
        match server.json(&template, 200)["state"].as_str() {
            Some("completed") => drop(open.pop()),
            _ => sleep(PAUSE),
        }
    }
    begun.elapsed()
}

fn requested(server: &Server, customer: &str) -> String {
    let body = json!({ "customer_id": customer, "request_channel": "api", "cooldown_days": 0 });
    id(&server.json(&Template::new("POST", REQUESTS, &[], Some(&body)), 202))
}

/// Creates a customer, and returns its id.
fn created(server: &Server, number: usize) -> String {
    let mut body = full_body();
    body["external_id"] = json!(format!("erased-{number}"));
    id(&server.json(&Template::new("POST", "/v1/customers", &[], Some(&body)), 201))
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().expect("an id").to_owned()
}
