//! Whether reads take longer with more customers: one client, each kind of read measured separately.

mod page;
mod questions;

use patron_tests::patron::Backend;

use self::questions::{pages_of, questions};
use super::sizes::compare;
use crate::{
    cli::Options,
    load::{self, Load, Until},
    stage::{Stage, name},
    table::{heading, note},
};

/// The prefix of the external ids of generated customers.
const PREFIX: &str = "grown-";

/// Each kind of read over few customers, against the same over many; on PostgreSQL also pages against pgbench.
pub(crate) fn growth(options: &Options, backend: Backend, few: u64, many: u64) {
    let (stage, server) = compare(options, backend, ("reads", PREFIX), [few, many], questions);
    if backend == Backend::Postgres {
        page::page(options, &stage, &server, many);
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
