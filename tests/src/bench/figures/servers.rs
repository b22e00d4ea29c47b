//! Several servers over one PostgreSQL and one environment, against one server with the same clients.

use std::sync::Arc;

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    load::{self, Tally, Until},
    server::Server,
    stage::{Stage, load},
    table::{Target, heading, sides, verdict},
    template::{create, full_body},
    turns::{Side, take},
};

const CLIENTS: usize = 64;

/// Full creates by two and four servers, against one.
pub(crate) fn servers(options: &Options) {
    let stage = Stage::new(options, Backend::Postgres);
    let servers: Vec<_> = (0..4).map(|_| stage.serve(options)).collect();
    heading("PostgreSQL: full creates in one environment, 64 clients");
    let side = |count: usize| {
        let servers = &servers[..count];
        Side::new(&format!("{count} server{}", if count == 1 { "" } else { "s" }), move |time| {
            together(servers, Until::Elapsed(time)).into()
        })
    };
    let outcomes = take(options, vec![side(1), side(2), side(4)]);
    sides(&outcomes);
    for (place, count) in [(1, "two"), (2, "four")] {
        let ratio = outcomes[place].median() / outcomes[0].median();
        verdict(&format!("{count} servers ÷ one"), ratio, "", Target::AtLeast(0.9));
    }
}

/// Runs all clients at once, spread evenly over the servers.
fn together(servers: &[Server], until: Until) -> Tally {
    let clients = CLIENTS / servers.len();
    let mut all = Tally::default();
    std::thread::scope(|scope| {
        let start = |server| {
            let load = load(server, create(&full_body()), 201, &Arc::default());
            scope.spawn(move || load::run(&load, clients, until))
        };
        let running: Vec<_> = servers.iter().map(start).collect();
        for one in running {
            let tally = one.join().expect("a thread of the load");
            all.per_second += tally.per_second;
            all.add(&tally);
        }
    });
    all
}
