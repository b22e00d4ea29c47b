//! How long it takes to erase a customer with many events, from the request to its completion; and how fast retention erases
//! many customers.

use std::{
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use patron_tests::patron::Backend;
use serde_json::{Value, json};

use crate::{
    cli::Options,
    load::{self, Until},
    server::Server,
    stage::{Stage, load, name},
    table::{Target, count, heading, millis, note, verdict},
    template::{Template, create, full_body},
};

const REQUESTS: &str = "/v1/privacy/deletion-requests";
/// The events of the first customer.
const EVENTS: usize = 1_000;
/// Customers that are erased together.
const MANY: usize = 500;
/// The completed erasures.
const COMPLETED: &str = "SELECT count(*) FROM deletion_requests WHERE state = 2";
/// The pause between two looks at their number.
const LOOK: Duration = Duration::from_millis(500);
/// The pause between two looks at a request.
const PAUSE: Duration = Duration::from_millis(10);

/// Customers that retention erases.
const ARCHIVED: u64 = 20_000;
/// The clients that create customers at the same time.
const CLIENTS: usize = 64;
/// The customers of one batch, each of which is created and archived.
const BATCH: u64 = 500;

/// Erases one customer with many events, then many customers with one event each, then those that are no longer kept.
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
    drop(server);
    retention(options, backend);
}

/// How fast retention erases archived customers, and how fast clients create others meanwhile.
fn retention(options: &Options, backend: Backend) {
    let (name, archived) = (name(backend), count(ARCHIVED as f64));
    heading(&format!("{name}: retention of {archived} archived customers beside full creates, {CLIENTS} clients"));
    let stage = Stage::new(options, backend);
    let server = stage.serve(options);
    for first in (0..ARCHIVED).step_by(BATCH as usize) {
        let items: Vec<_> = (first..first + BATCH).flat_map(created_and_archived).collect();
        let body = json!({ "items": items });
        let done = server.json(&Template::new("POST", "/v1/customers/batch", &[], Some(&body)), 207);
        assert_eq!(done["failed"], 0, "{}", done["items"][0]);
    }
    let creating = || {
        let load = load(&server, create(&full_body()), 201, &Arc::default());
        load::run(&load, CLIENTS, Until::Elapsed(options.turn())).per_second
    };
    let alone = creating();
    let body = json!({ "value": { "archived_days": 0 } });
    server.json(&Template::new("PUT", "/v1/settings/customer_retention", &[], Some(&body)), 200);
    let begun = Instant::now();
    let beside = creating();
    let erased = stage.number(COMPLETED);
    let per_second = erased / begun.elapsed().as_secs_f64();
    verdict("erased customers beside creates", per_second, "/s", Target::AtLeast(500.0));
    verdict("creates beside ÷ alone", beside / alone, "", Target::AtLeast(0.5));
    note(&format!("creates: {}/s alone, {}/s beside retention", count(alone), count(beside)));
    let rest = Instant::now();
    while stage.number(COMPLETED) < ARCHIVED as f64 {
        sleep(LOOK);
    }
    let per_second = (ARCHIVED as f64 - erased) / rest.elapsed().as_secs_f64();
    verdict("erased customers without creates", per_second, "/s", Target::AtLeast(500.0));
}

/// The items of a batch that create a customer and archive it.
fn created_and_archived(number: u64) -> [Value; 2] {
    let external_id = format!("archived-{number}");
    let mut body = full_body();
    body["external_id"] = json!(external_id);
    [json!({ "op": "create", "body": body }), json!({ "op": "archive", "external_id": external_id })]
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
