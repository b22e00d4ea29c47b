//! W: a plain loop that inserts the same rows into the same migrated file, with prepared statements and nothing else.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use patron_domain::{
    ids::{CustomerKind, IdSequence},
    time::Timestamp,
};
use rusqlite::{Connection, types::ToSqlOutput};

use crate::{
    fill::filled,
    histogram::Histogram,
    rows::{Cell, NewOne, Row, Sample},
    template::Random,
    turns::Turn,
};

/// The writer's settings, as in `adapters/src/persistence/sqlite/connection.rs`.
const DURABLE: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
                       PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000;";
/// Settings to fill a file quickly. A power cut could corrupt it, which does not matter here.
const FAST: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-262144;";

/// The loop, on one file.
pub(crate) struct SqliteLoop {
    connection: Connection,
    sample: Sample,
    /// The number of customers created so far.
    done: u64,
}

impl SqliteLoop {
    /// Opens a file with the durability that Patron has.
    pub(crate) fn durable(path: &Path, sample: &Sample) -> Self {
        Self::open(path, sample, DURABLE)
    }

    /// Adds customers to a file as fast as possible.
    pub(crate) fn fill(path: &Path, sample: &Sample, customers: u64) {
        let new = |number| filled(sample, number, customers);
        Self::open(path, sample, FAST).run(customers.min(1000), new, |done, _| done >= customers);
    }

    fn open(path: &Path, sample: &Sample, settings: &str) -> Self {
        let connection = Connection::open(path).expect("the file");
        connection.execute_batch(settings).expect("settings");
        Self { connection, sample: sample.clone(), done: 0 }
    }

    /// Creates customers for some time, this many per commit. The latency is that of a commit.
    pub(crate) fn turn(&mut self, per_commit: u64, time: Duration) -> Turn {
        let (mut random, ids) = (Random::new(), self.sample.ids.len());
        self.run(per_commit, |number| drawn(ids, &mut random, number), |_, elapsed| elapsed >= time)
    }

    /// Adds customers, 1,000 a commit.
    pub(crate) fn load(&mut self, customers: u64) -> Turn {
        let (mut random, ids) = (Random::new(), self.sample.ids.len());
        self.run(customers.min(1000), |number| drawn(ids, &mut random, number), |done, _| done >= customers)
    }

    fn run(
        &mut self,
        per_commit: u64,
        mut new: impl FnMut(u64) -> NewOne,
        is_over: impl Fn(u64, Duration) -> bool,
    ) -> Turn {
        let mut begin = self.connection.prepare("BEGIN IMMEDIATE").expect("SQL");
        let mut commit = self.connection.prepare("COMMIT").expect("SQL");
        let mut inserts: Vec<_> = self.sample.rows.iter().map(|row| Insert::new(&self.connection, row)).collect();
        let (started, mut done, mut latency) = (Instant::now(), 0, Histogram::default());
        while !is_over(done, started.elapsed()) {
            let sent = Instant::now();
            begin.raw_execute().expect("BEGIN");
            for _ in 0..per_commit {
                self.done += 1;
                let new = new(self.done);
                inserts.iter_mut().for_each(|insert| insert.run(&new));
            }
            commit.raw_execute().expect("COMMIT");
            done += per_commit;
            latency.record(sent.elapsed());
        }
        Turn {
            per_second: done as f64 / started.elapsed().as_secs_f64(),
            latency: Some(latency),
            faults: String::new(),
        }
    }
}

/// The varying values of a create: ids begin with the current time like Patron's, so they go to the end of an index.
fn drawn(ids: usize, random: &mut Random, number: u64) -> NewOne {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let at = Timestamp::from_micros(i64::try_from(micros).expect("a time")).expect("a time of now");
    let mut bits = [0; 10];
    bits[2..].copy_from_slice(&random.next().to_be_bytes());
    let mut sequence = IdSequence::start(at, bits);
    NewOne {
        ids: (0..ids).map(|_| sequence.next_id::<CustomerKind>().uuid().as_u128()).collect(),
        digits: random.digits(),
        at: at.micros(),
        number: i64::try_from(number).expect("not that many"),
    }
}

/// A prepared insert. Constant values stay bound.
struct Insert<'c> {
    statement: rusqlite::Statement<'c>,
    varying: Vec<(usize, Cell)>,
}

impl<'c> Insert<'c> {
    fn new(connection: &'c Connection, row: &Row) -> Self {
        let names = row.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let holders = vec!["?"; row.columns.len()].join(", ");
        let sql = format!("INSERT INTO \"{}\" ({names}) VALUES ({holders})", row.table);
        let mut insert = Self { statement: connection.prepare(&sql).expect("SQL"), varying: Vec::new() };
        for (place, cell) in (1..).zip(&row.cells) {
            match cell {
                Cell::Fixed(value) => insert.statement.raw_bind_parameter(place, value).expect("a value"),
                varying => insert.varying.push((place, varying.clone())),
            }
        }
        insert
    }

    fn run(&mut self, new: &NewOne) {
        for (place, cell) in &mut self.varying {
            self.statement.raw_bind_parameter(*place, ToSqlOutput::Borrowed(cell.of(new))).expect("a value");
        }
        self.statement.raw_execute().expect("a row");
    }
}
