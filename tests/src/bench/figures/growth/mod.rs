//! Whether reads take longer with more customers: one client, each kind of read measured separately.

mod page;
mod questions;

use patron_tests::patron::Backend;

use self::questions::{Questions, pages_of, questions};
use crate::{
    cli::Options,
    load::{self, Load, Until},
    server::Server,
    stage::{Stage, name},
    table::{Target, heading, note, sides, verdict},
    turns::{Outcome, Side, take},
};

/// The prefix of the external ids of generated customers.
const PREFIX: &str = "grown-";

/// Each kind of read over few customers, against the same over many; on PostgreSQL also pages against pgbench.
pub(crate) fn growth(options: &Options, backend: Backend, few: u64, many: u64) {
    heading(&format!("{}: reads by one client, over {few} customers and over {many}", name(backend)));
    let stages = [few, many].map(|customers| {
        let stage = Stage::new(options, backend);
        let took = stage.generate(options, PREFIX, customers).as_secs_f64();
        note(&format!("generated {customers} customers in {took:.1} s, {:.0}/s", customers as f64 / took));
        stage
    });
    let servers = stages.each_ref().map(|stage| stage.serve(options));
    let [of_few, of_many] = [0, 1].map(|place| questions(&servers[place], [few, many][place]));
    for (few, many) in of_few.into_iter().zip(of_many) {
        let kind = few.name;
        let both = [side(&servers[0], few, "few"), side(&servers[1], many, "many")];
        let outcomes = take(options, both.into());
        sides(&outcomes);
        let [few, many] = [0, 1].map(|place| median(&outcomes[place]));
        verdict(&format!("p50 of {kind}, many ÷ few"), many / few, "", Target::AtMost(1.3));
    }
    if backend == Backend::Postgres {
        page::page(options, &stages[1], &servers[1], many);
    }
}

/// Pages alone, for a profiler.
pub(crate) fn profile(options: &Options, backend: Backend, clients: usize) {
    const CUSTOMERS: u64 = 100_000;
    let stage = Stage::new(options, backend);
    stage.generate(options, PREFIX, CUSTOMERS);
    let server = stage.serve(options);
    let operations = pages_of(&server, CUSTOMERS).operations;
    let load = Load { address: server.address, operations, known: Default::default() };
    note("the customers have been generated; the load begins");
    let tally = load::run(&load, clients, Until::Elapsed(options.turn()));
    heading(&format!("{}: pages of 50, {clients} clients, the load alone", name(backend)));
    note(&format!("{:.0} per second", tally.per_second));
}

fn side<'a>(server: &Server, questions: Questions, how_many: &str) -> Side<'a> {
    let name = format!("{}, {how_many}", questions.name);
    let load = Load { address: server.address, operations: questions.operations, known: Default::default() };
    Side::new(&name, move |time| load::run(&load, 1, Until::Elapsed(time)).into())
}

/// The median latency, in seconds.
fn median(outcome: &Outcome) -> f64 {
    let median = outcome.latency.as_ref().and_then(|latency| latency.quantile(0.5));
    median.map_or(f64::NAN, |time| time.as_secs_f64())
}
