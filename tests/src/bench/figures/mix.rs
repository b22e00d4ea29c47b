//! Whether the throughput of a typical mix depends on the number of stored customers.

use std::sync::Arc;

use patron_tests::patron::Backend;
use serde_json::json;

use crate::{
    cli::Options,
    load::{self, Load, Operation, Until},
    server::Server,
    stage::{self, Stage},
    table::{Target, heading, note, sides, verdict},
    template::{KNOWN_DIGITS, KNOWN_ID, Known, Random, Template, create, full_body, get},
    turns::{Side, take},
};

/// The mix over few customers, against the same over many.
pub(crate) fn mix(options: &Options, backend: Backend, few: u64, many: u64) {
    heading(&format!("{}: 70/15/10/5 get, create, search, update, 64 clients", stage::name(backend)));
    let stages = [few, many].map(|customers| {
        let stage = Stage::new(options, backend);
        stage.fill(options, customers);
        stage
    });
    let servers = stages.each_ref().map(|stage| stage.serve(options));
    let known = stages.each_ref().map(|stage| stage.known(few));
    let operations = there_are(&servers[0], &known[0]);
    let turns = [0, 1].map(|place| {
        let operations = operations.clone();
        let load = Load { address: servers[place].address, operations, known: known[place].clone() };
        let name = format!("starting with {} customers", [few, many][place]);
        Side::new(&name, move |time| load::run(&load, 64, Until::Elapsed(time)).into())
    });
    let outcomes = take(options, turns.into());
    sides(&outcomes);
    let [few_now, many_now] = stages.each_ref().map(Stage::count);
    note(&format!("at the end: {few_now} and {many_now} customers"));
    verdict("few ÷ many", outcomes[0].median() / outcomes[1].median(), "", Target::AtMost(1.3));
}

/// The operations of the mix that this server supports.
fn there_are(server: &Server, known: &Arc<Vec<Known>>) -> Vec<Operation> {
    let search = json!({ "email": format!("grace.{KNOWN_DIGITS}@example.com"), "limit": 10 });
    let update = json!({ "name": "Ada Lovelace AG", "address_city": "London" });
    let all = [
        ("get", 70, 200, get()),
        ("create", 15, 201, create(&full_body())),
        ("search", 10, 200, Template::new("POST", "/v1/customers/search", &[], Some(&search))),
        ("update", 5, 200, Template::new("PUT", &format!("/v1/customers/{KNOWN_ID}"), &[], Some(&update))),
    ];
    let mut operations = Vec::new();
    for (name, weight, expected, mut template) in all {
        let (answer, _) = server.ask(template.next(&mut Random::new(), known));
        if answer.status == expected {
            operations.push(Operation { template, expected, weight });
        } else {
            note(&format!("without {name}: this server answers it with {}", answer.status));
        }
    }
    operations
}
