//! How fast `patron customers generate` fills an environment, against the plain SQLite loop.

use std::time::Duration;

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    sqlite_loop::SqliteLoop,
    stage::{Stage, name},
    table::{Target, heading, note, sides, verdict},
    template::full_body,
    turns::{Side, Turn, take},
};

/// Customers to generate for each second that a turn should take.
const PER_SECOND: f64 = 5_000.0;

/// Over both databases, against the loop with 64 full creates per commit.
pub(crate) fn generate(options: &Options) {
    let stages = [Backend::Sqlite, Backend::Postgres].map(|backend| (backend, Stage::new(options, backend)));
    let loop_stage = Stage::new(options, Backend::Sqlite);
    let sample = loop_stage.sample(options, &full_body());
    let mut plain = SqliteLoop::durable(&loop_stage.file(), &sample);

    heading("Generated customers, by the command line");
    note(
        "a generated customer has three pairs of metadata and a mapping; a customer of W has two pairs, a mapping and a tax",
    );
    let mut all: Vec<_> = stages.iter().map(|(backend, stage)| side(options, *backend, stage)).collect();
    all.push(Side::new("W: plain loop, 64 per commit", |time| plain.turn(64, time)));
    let outcomes = take(options, all);
    sides(&outcomes);
    let [sqlite, postgres, plain] = [0, 1, 2].map(|side| outcomes[side].median());
    verdict("generate over SQLite ÷ W", sqlite / plain, "", Target::AtLeast(0.5));
    verdict("generate over PostgreSQL ÷ W", postgres / plain, "", Target::AtLeast(0.5));
}

/// Each turn is one whole run of the command.
fn side<'a>(options: &'a Options, backend: Backend, stage: &'a Stage) -> Side<'a> {
    let mut turns = 0;
    Side::new(&format!("patron customers generate, {}", name(backend)), move |time: Duration| {
        turns += 1;
        let customers = (time.as_secs_f64() * PER_SECOND) as u64;
        let took = stage.generate(options, &format!("turn{turns}-"), customers);
        Turn { per_second: customers as f64 / took.as_secs_f64(), latency: None, faults: String::new() }
    })
}
