//! The requests: each kind of read, for many of the generated customers.

use serde_json::{Value, json};

use super::PREFIX;
use crate::{
    load::Operation,
    server::Server,
    template::{Random, Template},
};

/// The number of customers in the sample.
const SAMPLE: usize = 200;

/// One kind of read.
pub(super) struct Questions {
    /// Its name in the table.
    pub(super) name: &'static str,
    /// One request for each customer.
    pub(super) operations: Vec<Operation>,
}

impl Questions {
    fn new(name: &'static str, templates: impl Iterator<Item = Template>) -> Self {
        let operations = templates.map(|template| Operation { template, expected: 200, weight: 1 });
        Self { name, operations: operations.collect() }
    }
}

/// Every kind of read, for a sample of this many customers.
pub(super) fn questions(server: &Server, customers: u64) -> Vec<Questions> {
    let sample = sample(server, customers);
    let text = |one: &Value, field: &str| one[field].as_str().expect("a text").to_owned();
    let search = |body: Value| Template::new("POST", "/v1/customers/search", &[], Some(&body));
    let group = |one: &Value| json!({ "metadata": { "group": one["metadata"]["group"] } });
    for one in &sample {
        let found = ask(server, &mut search(group(one)))["pagination"]["total"].as_u64();
        assert!(found.is_some_and(|found| (1..=20).contains(&found)), "a group of {found:?}");
    }
    vec![
        Questions::new("GET by id", sample.iter().map(|one| get(&format!("/{}", text(one, "id"))))),
        Questions::new(
            "GET by external id",
            sample.iter().map(|one| get(&format!("/external/{}", text(one, "external_id")))),
        ),
        Questions::new("first page of 50", [get("?limit=50")].into_iter()),
        pages(server, &sample),
        Questions::new("search by e-mail", sample.iter().map(|one| search(json!({ "email": one["email"] })))),
        Questions::new("search by metadata", sample.iter().map(|one| search(group(one)))),
    ]
}

/// Pages of 50 from random places in the list.
fn pages(server: &Server, sample: &[Value]) -> Questions {
    let cursor = |one: &Value| {
        // A list that begins with this customer and shows only one returns a cursor to its place.
        let from = one["created_at"].as_str().expect("a time");
        let mut first = get(&format!("?limit=1&include_total=false&end_time={from}"));
        ask(server, &mut first)["pagination"]["next_cursor"].as_str().map(str::to_owned)
    };
    let cursors = sample.iter().filter_map(cursor);
    Questions::new("page of 50 from a cursor", cursors.map(|at| get(&format!("?limit=50&starting_after={at}"))))
}

/// The pages alone.
pub(super) fn pages_of(server: &Server, customers: u64) -> Questions {
    pages(server, &sample(server, customers))
}

/// Customers drawn at random, as the server returns them.
fn sample(server: &Server, customers: u64) -> Vec<Value> {
    let mut random = Random::new();
    let mut one = || get(&format!("/external/{PREFIX}{:09}", 1 + random.next() % customers));
    (0..SAMPLE).map(|_| ask(server, &mut one())).collect()
}

fn get(rest: &str) -> Template {
    Template::new("GET", &format!("/v1/customers{rest}"), &[], None)
}

/// Sends one request and returns the body of the answer.
fn ask(server: &Server, template: &mut Template) -> Value {
    let (answer, bytes) = server.ask(template.next(&mut Random::new(), &[]));
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes[answer.lengths.0..]).expect("JSON")
}
