//! Adds many customers directly to the database, with the same rows as Patron would write, in less time.

use std::{fmt::Write as _, io::Cursor, path::Path};

use futures::SinkExt as _;
use rusqlite::types::ValueRef;

use crate::{
    rows::{Cell, NewOne, Row, Sample},
    sqlite_loop::SqliteLoop,
};

/// The first key of filled rows; pgbench's scripts use lower ones.
pub(crate) const FIRST_KEY: u64 = 90_000_000_000_000;
/// The number of digits of a key.
pub(crate) const KEY_DIGITS: usize = 14;
/// The size of a chunk sent to PostgreSQL, in bytes.
const PIECE: usize = 65_536;

/// The varying values of one customer in a fill. Creation times are a millisecond apart and end at the sample's.
///
/// An id ends in its number within the create and a key of 14 digits, so that a script can compute it.
pub(crate) fn filled(sample: &Sample, number: u64, customers: u64) -> NewOne {
    let key = FIRST_KEY + number;
    let id = |place: usize| sample.id_with(place, &format!("{}{key}", place % 10));
    // Distinct digits in a scattered order: a multiplication modulo a prime.
    let digits = 1_000_000_000_000_000 + u128::from(number) * 1_000_003 * 7919 % 8_999_999_999_999_989;
    NewOne {
        ids: (0..sample.ids.len()).map(id).collect(),
        digits: digits.to_string().as_bytes().try_into().expect("16 digits"),
        at: sample.at - i64::try_from(customers - number).expect("not that many") * 1_000,
        number: i64::try_from(number).expect("not that many"),
    }
}

/// SQL that advances the environment's log by one event for each of this many customers.
fn log(sample: &Sample, customers: u64) -> String {
    format!(
        "UPDATE logs SET position = position + {customers}, at = at + {customers}, published = published + {customers} \
         WHERE environment = {}",
        sample.environment
    )
}

/// Fills a SQLite file.
pub(crate) fn sqlite(path: &Path, sample: &Sample, customers: u64) {
    SqliteLoop::fill(path, sample, customers);
    patron_tests::rows::open(path).execute_batch(&log(sample, customers)).expect("SQL");
}

/// Fills a PostgreSQL database. Vacuums and checkpoints at once: in the background they would slow the first turn down.
pub(crate) async fn postgres(url: &str, sample: &Sample, customers: u64) {
    copy_all(url, sample, customers).await;
    let client = patron_tests::rows::connect(url).await;
    for statement in [log(sample, customers).as_str(), "VACUUM (ANALYZE)", "CHECKPOINT"] {
        client.batch_execute(statement).await.expect("SQL");
    }
}

/// Copies the rows of customers into their tables, and nothing else.
pub(crate) async fn copy_all(url: &str, sample: &Sample, customers: u64) {
    let client = patron_tests::rows::connect(url).await;
    for row in &sample.rows {
        copy(&client, sample, row.clone(), customers).await;
    }
}

/// Copies one row for each customer into a table.
async fn copy(client: &tokio_postgres::Client, sample: &Sample, mut row: Row, customers: u64) {
    let names = row.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let sink = client.copy_in(&format!("COPY \"{}\" ({names}) FROM STDIN", row.table)).await.expect("COPY");
    let mut sink = std::pin::pin!(sink);
    let mut piece = String::new();
    for number in 1..=customers {
        write_row(&mut piece, &mut row, &filled(sample, number, customers));
        if piece.len() >= PIECE || number == customers {
            sink.send(Cursor::new(std::mem::take(&mut piece).into_bytes())).await.expect("a piece");
        }
    }
    sink.finish().await.expect("the end of COPY");
}

/// A line of PostgreSQL's text format.
fn write_row(out: &mut String, Row { columns, cells, .. }: &mut Row, new: &NewOne) {
    for (place, (cell, (_, kind))) in cells.iter_mut().zip(columns).enumerate() {
        if place > 0 {
            out.push('\t');
        }
        write_cell(out, cell, kind, new);
    }
    out.push('\n');
}

fn write_cell(out: &mut String, cell: &mut Cell, kind: &str, new: &NewOne) {
    match cell.of(new) {
        ValueRef::Null => out.push_str("\\N"),
        ValueRef::Integer(number) => write!(out, "{number}").expect("memory"),
        ValueRef::Blob(bytes) => {
            if kind == "bytea" {
                out.push_str("\\\\x");
            }
            bytes.iter().for_each(|byte| write!(out, "{byte:02x}").expect("memory"));
        }
        ValueRef::Text(text) => {
            for letter in str::from_utf8(text).expect("UTF-8").chars() {
                match letter {
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    other => out.push(other),
                }
            }
        }
        ValueRef::Real(number) => panic!("no column holds {number}"),
    }
}
