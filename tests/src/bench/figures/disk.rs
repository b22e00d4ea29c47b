//! Bytes on disk for a full customer, with its event, its index entries and its logs.

use std::{fs, sync::Arc};

use patron_tests::patron::Backend;

use crate::{
    cli::Options,
    load::{self, Until},
    stage::{Stage, load, name},
    table::{Target, heading, note, verdict},
    template::{create, full_body},
};

const CLIENTS: u64 = 16;

/// Creates customers through Patron and compares the size of the database before and after.
pub(crate) fn disk(options: &Options, backend: Backend, customers: u64) {
    let stage = Stage::new(options, backend);
    let before = weigh(&stage, backend);
    let server = stage.serve(options);
    let load = load(&server, create(&full_body()), 201, &Arc::default());
    let tally = load::run(&load, CLIENTS as usize, Until::Answers(customers.div_ceil(CLIENTS)));
    server.stop();
    let after = weigh(&stage, backend);
    heading(&format!("{}: bytes on disk, {} full customers", name(backend), tally.good));
    note("a full customer has every field, one tax, one link and two pairs of metadata");
    let target = if backend == Backend::Sqlite { 2_100.0 } else { 2_800.0 };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = (after - before) as f64 / tally.good as f64;
    verdict("bytes per customer", each, "", Target::AtMost(target));
}

/// The size of the database at rest: SQLite after the checkpoint of a shutdown, PostgreSQL after a vacuum.
fn weigh(stage: &Stage, backend: Backend) -> u64 {
    match backend {
        Backend::Sqlite => {
            stage.execute("PRAGMA wal_checkpoint(TRUNCATE)");
            fs::metadata(stage.file()).expect("the file").len()
        }
        Backend::Postgres => {
            stage.execute("VACUUM (ANALYZE)");
            stage.size()
        }
    }
}
