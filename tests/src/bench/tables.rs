//! Reads all tables of a small database.

use patron_tests::{
    patron::Backend,
    rows::{rows, text},
};
use rusqlite::types::Value;

/// A snapshot of a table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// Names and types of the columns that an insert must fill.
    pub(crate) columns: Vec<(String, String)>,
    /// The rows.
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Table {
    /// The position of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(column, _)| column == name)
    }
}

/// All tables except the migrations' and the index by which customers are found, in the order of their creation. Columns that the database generates are left out,
/// because they are not inserted.
pub(crate) async fn dump(backend: Backend, url: &str) -> Vec<Table> {
    let columns = match backend {
        Backend::Sqlite => {
            "SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' \
             AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' \
             AND t.name NOT LIKE 'customer_tokens%' AND NOT (t.name = 'customers' AND c.name = 'number') AND c.hidden = 0 AND NOT \
             (c.pk = 1 AND c.type = 'INTEGER' AND (SELECT count(*) FROM pragma_table_xinfo(t.name) WHERE pk > 0) = 1 \
             AND t.sql LIKE '%AUTOINCREMENT%') ORDER BY t.rowid, c.cid"
        }
        Backend::Postgres => {
            "SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid \
             AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = '' WHERE relkind IN ('r', 'p') \
             AND relnamespace = 'public'::regnamespace AND NOT starts_with(relname, '__') AND relname <> 'customer_tokens' \
             ORDER BY pg_class.oid, attnum"
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
