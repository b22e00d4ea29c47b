//! Reads by id per second: 64 clients with a key read 100,000 customers in random order.

use patron_tests::patron::Backend;

use crate::{
    bare,
    cli::Options,
    load::{self, Until},
    pgbench,
    server::Server,
    stage::{Stage, load, name},
    table::{Target, heading, note, sides, verdict},
    template::{Random, create, full_body, get},
    turns::{Side, take},
};

const CLIENTS: usize = 64;
const CUSTOMERS: u64 = 100_000;

/// Over SQLite, against a bare handler.
pub(crate) fn sqlite(options: &Options) {
    let stage = Stage::new(options, Backend::Sqlite);
    let patron = stage.serve(options);
    create_all(&patron);
    let known = stage.known(CUSTOMERS);
    let (original, bytes) = patron.ask(get().next(&mut Random::new(), &known));
    let bare = bare::start(stage.folder(), &bytes);
    let probe = crate::template::Template::new("GET", "/v1/customers/x", &[], None);
    let _ = bare.wait_for(&probe, original.status);

    heading(&format!("SQLite: GET by id, {CLIENTS} clients, {} customers", known.len()));
    let side = |name, server: &Server| {
        let load = load(server, get(), 200, &known);
        Side::new(name, move |time| load::run(&load, CLIENTS, Until::Elapsed(time)).into())
    };
    let outcomes =
        take(options, vec![side("patron, GET /v1/customers/{id}", &patron), side("H: bare Rocket handler", &bare)]);
    sides(&outcomes);
    verdict("patron ÷ H", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(0.45));
}

/// Over PostgreSQL, against a SELECT by key.
pub(crate) fn postgres(options: &Options) {
    let stage = Stage::new(options, Backend::Postgres);
    let pgbench_stage = Stage::new(options, Backend::Postgres);
    let sample = pgbench_stage.sample(options, &full_body());
    pgbench_stage.fill(options, CUSTOMERS);
    let script = pgbench::get_script(&sample, CUSTOMERS);
    let patron = stage.serve(options);
    create_all(&patron);
    let known = stage.known(CUSTOMERS);

    heading(&format!("PostgreSQL: GET by id, {CLIENTS} clients, {} customers", known.len()));
    let load = load(&patron, get(), 200, &known);
    let outcomes = take(
        options,
        vec![
            Side::new("patron, GET /v1/customers/{id}", |time| load::run(&load, CLIENTS, Until::Elapsed(time)).into()),
            Side::new("pgbench, SELECT by key", |time| {
                pgbench::turn(&pgbench_stage.url, pgbench_stage.folder(), &script, CLIENTS, 0, time)
            }),
        ],
    );
    sides(&outcomes);
    verdict("patron ÷ pgbench", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(0.6));
}

/// The load alone, for a profiler.
pub(crate) fn profile(options: &Options, backend: Backend, clients: usize) {
    let stage = Stage::new(options, backend);
    let patron = stage.serve(options);
    create_all(&patron);
    let load = load(&patron, get(), 200, &stage.known(CUSTOMERS));
    note("the customers have been created; the load begins");
    let tally = load::run(&load, clients, Until::Elapsed(options.turn()));
    heading(&format!("{}: GET by id, {clients} clients, the load alone", name(backend)));
    note(&format!("{:.0} per second", tally.per_second));
}

/// Creates the customers through Patron.
fn create_all(patron: &Server) {
    let load = load(patron, create(&full_body()), 201, &std::sync::Arc::default());
    load::run(&load, CLIENTS, Until::Answers(CUSTOMERS.div_ceil(CLIENTS as u64)));
}
