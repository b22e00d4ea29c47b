//! The tables of a database, whole. It should be small.

use patron_tests::{
    patron::Backend,
    rows::{rows, text},
};
use rusqlite::types::Value;

/// A table as it was at some time.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// Names and types of the columns that an insert has to fill.
    pub(crate) columns: Vec<(String, String)>,
    /// The rows.
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Table {
    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(column, _)| column == name)
    }
}

/// All tables but the migrations', in the order in which they were made. What a database numbers or computes by itself is
/// nothing to insert, and left out.
pub(crate) async fn dump(backend: Backend, url: &str) -> Vec<Table> {
    let columns = match backend {
        Backend::Sqlite => {
            "SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' \
             AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND c.hidden = 0 AND NOT \
             (c.pk = 1 AND c.type = 'INTEGER' AND (SELECT count(*) FROM pragma_table_xinfo(t.name) WHERE pk > 0) = 1 \
             AND t.sql LIKE '%AUTOINCREMENT%') ORDER BY t.rowid, c.cid"
        }
        Backend::Postgres => {
            "SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid \
             AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = '' WHERE relkind IN ('r', 'p') \
             AND relnamespace = 'public'::regnamespace AND NOT starts_with(relname, '__') ORDER BY pg_class.oid, attnum"
        }
    };
    let mut tables: Vec<Table> = Vec::new();
    for column in rows(url, columns).await {
        let [name, column, kind] = [0, 1, 2].map(|place| text(&column[place]).to_owned());
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push((column, kind)),
            None => tables.push(Table { name, columns: vec![(column, kind)], rows: Vec::new() }),
        }
    }
    for table in &mut tables {
        let list = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        table.rows = rows(url, &format!("SELECT {list} FROM \"{}\"", table.name)).await;
    }
    tables
}
