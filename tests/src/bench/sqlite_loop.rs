//! W: a plain loop over the same migrated file and the same rows: prepared statements, nothing else.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, Value, ValueRef},
};

use crate::{
    histogram::Histogram,
    rows::{ID_LENGTH, Mark, Sample, Varying},
    template::Random,
    turns::Turn,
};

/// As `adapters/src/persistence/sqlite/connection.rs` sets up the writer.
const DURABLE: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
                       PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000;";
/// To fill a file in little time. A power cut could spoil it, which would be no loss.
const FAST: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-262144;";
/// Crockford's base 32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The loop, over one file.
pub(crate) struct SqliteLoop {
    connection: Connection,
    sample: Sample,
    random: Random,
}

impl SqliteLoop {
    /// Writes as durably as Patron does.
    pub(crate) fn durable(path: &Path, sample: &Sample) -> Self {
        Self::open(path, sample, DURABLE)
    }

    /// Adds customers to a file, as fast as can be.
    pub(crate) fn fill(path: &Path, sample: &Sample, customers: u64) {
        Self::open(path, sample, FAST).run(1000, |done, _| done >= customers);
    }

    fn open(path: &Path, sample: &Sample, settings: &str) -> Self {
        let connection = Connection::open(path).expect("the file");
        connection.execute_batch(settings).expect("settings");
        Self { connection, sample: sample.clone(), random: Random::new() }
    }

    /// Creates for some time, so many in one commit. The latency is that of a commit.
    pub(crate) fn turn(&mut self, per_commit: u64, time: Duration) -> Turn {
        self.run(per_commit, |_, elapsed| elapsed >= time)
    }

    fn run(&mut self, per_commit: u64, is_over: impl Fn(u64, Duration) -> bool) -> Turn {
        let mut begin = self.connection.prepare("BEGIN IMMEDIATE").expect("SQL");
        let mut commit = self.connection.prepare("COMMIT").expect("SQL");
        let mut inserts: Vec<_> =
            self.sample.rows.iter().map(|row| Insert::new(&self.connection, &self.sample, row)).collect();
        let (started, mut done, mut latency) = (Instant::now(), 0, Histogram::default());
        while !is_over(done, started.elapsed()) {
            let sent = Instant::now();
            begin.raw_execute().expect("BEGIN");
            for _ in 0..per_commit {
                let varying = NewOnes::draw(self.sample.id_count(), &mut self.random);
                inserts.iter_mut().for_each(|insert| insert.run(&varying));
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

/// The ids and digits of one create.
struct NewOnes {
    ids: Vec<[u8; ID_LENGTH]>,
    digits: [u8; 16],
}

impl NewOnes {
    /// Ids that begin with the time, as Patron's do: they go to the end of an index.
    fn draw(ids: usize, random: &mut Random) -> Self {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut id = || {
            let mut number = millis << 80 | u128::from(random.next()) << 16;
            let mut text = [b'0'; ID_LENGTH];
            for letter in text.iter_mut().rev() {
                *letter = ALPHABET[(number & 31) as usize];
                number >>= 5;
            }
            text
        };
        Self { ids: (0..ids).map(|_| id()).collect(), digits: random.digits() }
    }
}

/// A prepared insert. What is the same in each row stays bound.
struct Insert<'c> {
    statement: rusqlite::Statement<'c>,
    varying: Vec<(usize, Text)>,
    /// A position in the log, which each event has to itself.
    position: Option<(usize, i64)>,
}

/// A text, and the places in it that differ.
struct Text {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

impl<'c> Insert<'c> {
    fn new(connection: &'c Connection, sample: &Sample, row: &crate::rows::Row) -> Self {
        let names = row.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let holders = vec!["?"; row.columns.len()].join(", ");
        let sql = format!("INSERT INTO \"{}\" ({names}) VALUES ({holders})", row.table);
        let mut insert =
            Self { statement: connection.prepare(&sql).expect("SQL"), varying: Vec::new(), position: None };
        let counted = row.columns.iter().position(|(name, _)| row.table == "events" && name == "position");
        // Behind those of every run before.
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        insert.position = counted.map(|place| (place + 1, micros as i64));
        for (place, value) in row.values.iter().enumerate() {
            let marks = crate::rows::text(value).map(|text| sample.marks(text)).unwrap_or_default();
            match value {
                Value::Text(text) if !marks.is_empty() => {
                    insert.varying.push((place + 1, Text { bytes: text.clone().into_bytes(), marks }));
                }
                fixed => insert.statement.raw_bind_parameter(place + 1, fixed).expect("a value"),
            }
        }
        insert
    }

    fn run(&mut self, new: &NewOnes) {
        for (place, text) in &mut self.varying {
            for Mark { start, what } in &text.marks {
                let value: &[u8] = match what {
                    Varying::Id(number) => &new.ids[*number],
                    Varying::Digits => &new.digits,
                };
                text.bytes[*start..*start + what.length()].copy_from_slice(value);
            }
            self.statement.raw_bind_parameter(*place, &*text).expect("a value");
        }
        if let Some((place, position)) = &mut self.position {
            *position += 1;
            self.statement.raw_bind_parameter(*place, *position).expect("a value");
        }
        self.statement.raw_execute().expect("a row");
    }
}

impl ToSql for Text {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(&self.bytes)))
    }
}
