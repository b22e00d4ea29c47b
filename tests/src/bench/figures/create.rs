//! Creates a second: over SQLite against a bare handler and a plain loop, over PostgreSQL against pgbench.

use std::sync::Arc;

use patron_tests::{patron::Backend, requests};
use serde_json::Value;

use crate::{
    bare,
    cli::Options,
    load::{self, Until},
    pgbench,
    rows::Sample,
    server::Server,
    sqlite_loop::SqliteLoop,
    stage::{Stage, load, name},
    table::{Target, heading, note, sides, verdict},
    template::{Random, Template, create, everything_body, full_body, minimal_body},
    turns::{Side, take},
};

/// How many creates one commit of the plain loop holds, and how many clients Patron has meanwhile.
const MANY: usize = 64;

/// Full creates over SQLite.
pub(crate) fn sqlite(options: &Options) {
    let patron_stage = Stage::new(options, Backend::Sqlite);
    let loop_stage = Stage::new(options, Backend::Sqlite);
    let sample = loop_stage.sample(options, &full_body());
    let patron = patron_stage.serve(options);
    let bare = bare_like(&patron, &patron_stage);
    let mut plain = SqliteLoop::durable(&loop_stage.file(), &sample);

    heading("SQLite: full creates, 64 clients");
    remarks(&sample);
    let outcomes = take(
        options,
        vec![
            http("patron, POST /v1/customers", &patron, &full_body(), MANY),
            http("H: bare Rocket handler", &bare, &full_body(), MANY),
            Side::new("W: plain loop, 64 a commit", |time| plain.turn(MANY as u64, time)),
        ],
    );
    sides(&outcomes);
    let [patron_rate, bare_rate, plain_rate] = [0, 1, 2].map(|side| outcomes[side].median());
    verdict("patron ÷ min(H, W)", patron_rate / bare_rate.min(plain_rate), "", Target::AtLeast(0.5));

    heading("SQLite: full creates, 1 client");
    let outcomes = take(
        options,
        vec![
            http("patron, POST /v1/customers", &patron, &full_body(), 1),
            Side::new("plain loop, one a commit", |time| plain.turn(1, time)),
        ],
    );
    sides(&outcomes);
    verdict("patron ÷ plain loop", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(0.6));
    every_field(options, &patron, Backend::Sqlite);
}

/// Creates over PostgreSQL.
pub(crate) fn postgres(options: &Options) {
    let patron_stage = Stage::new(options, Backend::Postgres);
    let pgbench_stage = Stage::new(options, Backend::Postgres);
    // Samples compare whole tables, so they are taken while these are small.
    let (full, minimal) = (full_body(), minimal_body());
    let full_sample = pgbench_stage.sample(options, &full);
    let minimal_sample = pgbench_stage.sample(options, &minimal);
    let cases = [
        ("full", &full, &full_sample, MANY, 3.0),
        ("minimal", &minimal, &minimal_sample, MANY, 2.0),
        ("full", &full, &full_sample, 1, 0.7),
        ("minimal", &minimal, &minimal_sample, 1, 0.7),
    ];
    let patron = patron_stage.serve(options);
    let mut base = 0;
    for (name, body, sample, clients, target) in cases {
        let script = pgbench::create_script(sample);
        let pgbench = |time| {
            base += 100_000_000;
            pgbench::turn(&pgbench_stage.url, pgbench_stage.folder(), &script, clients, base, time)
        };
        heading(&format!("PostgreSQL: {name} creates, {clients} client{}", if clients == 1 { "" } else { "s" }));
        remarks(sample);
        let patron = http("patron, POST /v1/customers", &patron, body, clients);
        let outcomes = take(options, vec![patron, Side::new("pgbench, one transaction each", pgbench)]);
        sides(&outcomes);
        verdict("patron ÷ pgbench", outcomes[0].median() / outcomes[1].median(), "", Target::AtLeast(target));
    }
    every_field(options, &patron, Backend::Postgres);
}

/// Creates with every field against full creates.
fn every_field(options: &Options, patron: &Server, backend: Backend) {
    heading(&format!("{}: creates with every field, {MANY} clients", name(backend)));
    for field in requests::custom_fields() {
        patron.wait_for(&Template::new("POST", "/v1/custom-fields", &[], Some(&field)), 201);
    }
    let sides_of = vec![
        http("full creates", patron, &full_body(), MANY),
        http("creates with every field", patron, &everything_body(), MANY),
    ];
    let outcomes = take(options, sides_of);
    sides(&outcomes);
    verdict("every field ÷ full", outcomes[1].median() / outcomes[0].median(), "", Target::AtLeast(0.6));
}

/// Nothing but the load, for a profiler.
pub(crate) fn profile(options: &Options, backend: Backend, clients: usize) {
    let stage = Stage::new(options, backend);
    let patron = stage.serve(options);
    let load = load(&patron, create(&full_body()), 201, &Arc::default());
    let tally = load::run(&load, clients, Until::Elapsed(options.turn()));
    heading(&format!("{}: full creates, {clients} clients, the load alone", name(backend)));
    note(&format!("{:.0} creates/s", tally.per_second));
}

/// A side of clients that create.
fn http<'a>(name: &str, server: &Server, body: &Value, clients: usize) -> Side<'a> {
    let load = load(server, create(body), 201, &Arc::default());
    Side::new(name, move |time| load::run(&load, clients, Until::Elapsed(time)).into())
}

/// A bare handler that answers what Patron answers to a full create.
fn bare_like(patron: &Server, stage: &Stage) -> Server {
    let mut template = create(&full_body());
    let (original, bytes) = patron.ask(template.next(&mut Random::new(), &[]));
    let bare = bare::start(stage.folder(), &bytes);
    let _ = bare.wait_for(&template, original.status);
    let (repeated, _) = bare.ask(template.next(&mut Random::new(), &[]));
    if repeated.lengths != original.lengths {
        note(&format!("Beware: H answers {:?} bytes, Patron {:?}", repeated.lengths, original.lengths));
    }
    bare
}

fn remarks(sample: &Sample) {
    let tables: Vec<_> = sample.rows.iter().map(|row| row.table.as_str()).collect();
    note(&format!("rows of one create: {}", tables.join(", ")));
    for table in &sample.left_out {
        note(&format!("Patron also changes a row of {table}; the plain side does not"));
    }
}
