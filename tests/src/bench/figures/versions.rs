//! This build against an earlier one: the same requests, each on a fresh database, in turns.

use std::sync::Arc;

use patron_tests::patron::Backend;
use serde_json::Value;

use crate::{
    cli::Options,
    load::{self, Until},
    server::Server,
    stage::{Stage, load, name},
    table::{Target, heading, sides, verdict},
    template::{Known, Template, create, full_body, get, minimal_body},
    turns::{Side, take},
};

const MANY: usize = 64;
/// The number of customers to read from.
const CUSTOMERS: u64 = 20_000;
/// The largest page size.
const PAGE: usize = 1_000;

/// Creates and reads by id, over one database.
pub(crate) fn versions(now: &Options, before: &Options, backend: Backend) {
    let stages = [Stage::new(now, backend), Stage::new(before, backend)];
    let servers = [stages[0].serve(now), stages[1].serve(before)];
    let (full, minimal) = match backend {
        Backend::Sqlite => (1.5, 1.1),
        Backend::Postgres => (1.4, 1.3),
    };
    let creates = [
        ("full creates, 64 clients", full_body(), MANY, full),
        ("minimal creates, 64 clients", minimal_body(), MANY, minimal),
        ("full creates, 1 client", full_body(), 1, 1.1),
        ("minimal creates, 1 client", minimal_body(), 1, 1.1),
    ];
    for (what, body, clients, target) in creates {
        let template = create(&body);
        pair(
            now,
            backend,
            what,
            clients,
            target,
            |server| load(server, template.clone(), 201, &Arc::default()),
            &servers,
        );
    }
    let target = if backend == Backend::Sqlite { 1.4 } else { 1.5 };
    let known = servers.each_ref().map(|server| Arc::new(customers(server)));
    let reads = |server: &Server| {
        let side = servers.iter().position(|other| other.address == server.address).unwrap_or_default();
        load(server, get(), 200, &known[side])
    };
    pair(now, backend, "GET by id, 64 clients", MANY, target, reads, &servers);
}

fn pair(
    options: &Options,
    backend: Backend,
    what: &str,
    clients: usize,
    target: f64,
    request: impl Fn(&Server) -> load::Load,
    servers: &[Server; 2],
) {
    heading(&format!("{}: {what}", name(backend)));
    let side = |title, server| {
        let load = request(server);
        Side::new(title, move |time| load::run(&load, clients, Until::Elapsed(time)).into())
    };
    let outcomes = take(options, vec![side("this build", &servers[0]), side("the earlier build", &servers[1])]);
    sides(&outcomes);
    verdict("this build ÷ the earlier one", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(target));
}

/// The server's customers, read page by page like any client.
fn customers(server: &Server) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    let mut cursor = String::new();
    while (known.len() as u64) < CUSTOMERS {
        let path = format!("/v1/customers?limit={PAGE}{cursor}");
        let page = server.json(&Template::new("GET", &path, &[], None), 200);
        let items = page["items"].as_array().expect("items");
        let text = |item: &Value, member: &str| item[member].as_str().unwrap_or_default().to_owned();
        known.extend(items.iter().filter_map(|item| Known::of((text(item, "id"), text(item, "external_id")))));
        match page["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&starting_after={next}"),
            None => break,
        }
    }
    known
}
