//! The requests: each kind of read, for many of the generated customers.

use serde_json::{Value, json};

use super::PREFIX;
use crate::{
    figures::sizes::{Kind, sample},
    server::Server,
    template::Template,
};

/// The target: how much longer a read may take over many customers.
const RATIO: f64 = 1.3;

/// Every kind of read, for a sample of this many customers.
pub(super) fn questions(server: &Server, customers: u64) -> Vec<Kind> {
    let sample = sample(server, PREFIX, customers);
    let kind = |name, templates: Vec<Template>| Kind::new(name, RATIO, templates.into_iter());
    let each = |template: &dyn Fn(&Value) -> Template| sample.iter().map(template).collect();
    let text = |one: &Value, field: &str| one[field].as_str().expect("a text").to_owned();
    let search = |body: Value| Template::new("POST", "/v1/customers/search", &[], Some(&body));
    let group = |one: &Value| json!({ "metadata": { "group": one["metadata"]["group"] } });
    for one in &sample {
        let found = server.json(&search(group(one)), 200)["pagination"]["total"].as_u64();
        assert!(found.is_some_and(|found| (1..=20).contains(&found)), "a group of {found:?}");
    }
    vec![
        kind("GET by id", each(&|one| get(&format!("/{}", text(one, "id"))))),
        kind("GET by external id", each(&|one| get(&format!("/external/{}", text(one, "external_id"))))),
        kind("first page of 50", vec![get("?limit=50")]),
        pages(server, &sample),
        kind("search by e-mail", each(&|one| search(json!({ "email": one["email"] })))),
        kind("search by metadata", each(&|one| search(group(one)))),
    ]
}

/// Pages of 50 from random places in the list.
fn pages(server: &Server, sample: &[Value]) -> Kind {
    let cursor = |one: &Value| {
        // A list that begins with this customer and shows only one returns a cursor to its place.
        let from = one["created_at"].as_str().expect("a time");
        let first = get(&format!("?limit=1&include_total=false&end_time={from}"));
        server.json(&first, 200)["pagination"]["next_cursor"].as_str().map(str::to_owned)
    };
    let cursors = sample.iter().filter_map(cursor);
    Kind::new("page of 50 from a cursor", RATIO, cursors.map(|at| get(&format!("?limit=50&starting_after={at}"))))
}

/// The pages alone.
pub(super) fn pages_of(server: &Server, customers: u64) -> Kind {
    pages(server, &sample(server, PREFIX, customers))
}

fn get(rest: &str) -> Template {
    Template::new("GET", &format!("/v1/customers{rest}"), &[], None)
}
