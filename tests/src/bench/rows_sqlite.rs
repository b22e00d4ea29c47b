//! The tables of a SQLite file.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{rows::Table, template::Known};

/// All tables but the migrations', in the order in which they were made. The file should be small.
pub(crate) fn dump(path: &Path) -> Vec<Table> {
    let connection = open(path);
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                 AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY rowid";
    strings(&connection, names).into_iter().map(|name| table(&connection, name)).collect()
}

/// Up to so many customers, drawn at random.
pub(crate) fn known(path: &Path, limit: u64) -> Vec<Known> {
    let connection = open(path);
    let sql = format!("SELECT id, external_id FROM customers ORDER BY random() LIMIT {limit}");
    let mut statement = connection.prepare(&sql).expect("SQL");
    let customers = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).expect("rows");
    customers.filter_map(|row| Known::of(row.expect("a row"))).collect()
}

/// How many customers there are.
pub(crate) fn count(path: &Path) -> u64 {
    open(path).query_row("SELECT count(*) FROM customers", [], |row| row.get::<_, i64>(0)).expect("a count") as u64
}

/// Runs a statement.
pub(crate) fn execute(path: &Path, sql: &str) {
    open(path).execute_batch(sql).expect("SQL");
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the file")
}

fn table(connection: &Connection, name: String) -> Table {
    // What SQLite numbers or computes by itself is nothing to insert.
    let columns = format!(
        "SELECT name || ' ' || type FROM pragma_table_xinfo('{name}') WHERE hidden = 0 AND NOT (pk = 1 AND type = \
         'INTEGER' AND (SELECT count(*) FROM pragma_table_xinfo('{name}') WHERE pk > 0) = 1) ORDER BY cid"
    );
    let columns: Vec<_> = strings(connection, &columns)
        .iter()
        .filter_map(|column| column.split_once(' '))
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect();
    let list = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare(&format!("SELECT {list} FROM \"{name}\"")).expect("SQL");
    let rows = statement.query_map([], |row| (0..columns.len()).map(|place| row.get(place)).collect());
    let rows = rows.expect("rows").map(|row| row.expect("a row")).collect();
    Table { name, columns, rows }
}

fn strings(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).expect("SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}
