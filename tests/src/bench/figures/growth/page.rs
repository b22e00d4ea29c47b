//! Pages per second over PostgreSQL, against pgbench.

use super::questions::pages_of;
use crate::{
    cli::Options,
    load::{self, Load, Until},
    pgbench,
    server::Server,
    stage::Stage,
    table::{Target, heading, sides, verdict},
    turns::{Side, take},
};

const CLIENTS: usize = 16;

/// Whole requests for pages of 50 from random places in the list, against the query for the rows alone.
pub(super) fn page(options: &Options, stage: &Stage, server: &Server, customers: u64) {
    heading(&format!("PostgreSQL: pages of 50 by keyset, {CLIENTS} clients, {customers} customers"));
    let load =
        Load { address: server.address, operations: pages_of(server, customers).operations, known: Default::default() };
    let script = pgbench::page_script(&stage.span());
    let outcomes = take(
        options,
        vec![
            Side::new("patron, GET /v1/customers", |time| load::run(&load, CLIENTS, Until::Elapsed(time)).into()),
            Side::new("pgbench, SELECT by keyset", |time| {
                pgbench::turn(&stage.url, stage.folder(), &script, CLIENTS, 0, time)
            }),
        ],
    );
    sides(&outcomes);
    verdict("patron ÷ pgbench", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(0.4));
}
