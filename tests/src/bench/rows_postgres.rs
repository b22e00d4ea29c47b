//! The tables of a PostgreSQL database.

use rusqlite::types::Value;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::{rows::Table, template::Known};

/// All tables but the migrations', in the order in which they were made. The database should be small.
pub(crate) async fn dump(url: &str) -> Vec<Table> {
    let client = connect(url).await;
    let names = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace \
                 AND NOT starts_with(relname, '__') ORDER BY oid";
    let mut tables = Vec::new();
    for name in texts(&client, names).await {
        tables.push(table(&client, name.into_iter().flatten().next().unwrap_or_default()).await);
    }
    tables
}

/// Up to so many customers, drawn at random.
pub(crate) async fn known(url: &str, limit: u64) -> Vec<Known> {
    let sql = format!("SELECT id, external_id FROM customers ORDER BY random() LIMIT {limit}");
    let rows = texts(&connect(url).await, &sql).await;
    let pair = |row: Vec<Option<String>>| {
        let mut columns = row.into_iter().flatten();
        Known::of((columns.next()?, columns.next()?))
    };
    rows.into_iter().filter_map(pair).collect()
}

/// The list of the environment with the most customers.
#[derive(Debug)]
pub(crate) struct Span {
    /// Its tenant.
    pub(crate) tenant: String,
    /// The environment.
    pub(crate) environment: String,
    /// When its first customer was created, and its last, in microseconds.
    pub(crate) created: (i64, i64),
}

/// Where it begins and ends.
pub(crate) async fn span(url: &str) -> Span {
    let sql = "SELECT tenant_id, environment_id, min(created_at), max(created_at) FROM customers \
               GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1";
    let rows = texts(&connect(url).await, sql).await;
    let mut columns = rows.into_iter().flatten().flatten();
    let mut text = || columns.next().expect("a customer");
    let (tenant, environment) = (text(), text());
    let mut time = || text().parse().expect("microseconds");
    Span { tenant, environment, created: (time(), time()) }
}

/// How many customers there are.
pub(crate) async fn count(url: &str) -> u64 {
    let rows = texts(&connect(url).await, "SELECT count(*) FROM customers").await;
    rows.into_iter().flatten().flatten().next().and_then(|count| count.parse().ok()).unwrap_or_default()
}

/// Runs statements.
pub(crate) async fn execute(url: &str, sql: &str) {
    connect(url).await.batch_execute(sql).await.expect("SQL");
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn table(client: &Client, name: String) -> Table {
    // What PostgreSQL numbers or computes by itself is nothing to insert.
    let columns = format!(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid \
         AND adnum = attnum WHERE attrelid = 'public.\"{name}\"'::regclass AND attnum > 0 AND NOT attisdropped AND \
         attidentity = '' AND attgenerated = '' AND coalesce(pg_get_expr(adbin, adrelid), '') NOT LIKE 'nextval(%' \
         ORDER BY attnum"
    );
    let columns: Vec<_> = texts(client, &columns).await;
    let columns: Vec<(String, String)> = columns
        .into_iter()
        .filter_map(|row| {
            let mut parts = row.into_iter().flatten();
            Some((parts.next()?, parts.next()?))
        })
        .collect();
    let list = columns.iter().map(|(name, _)| format!("\"{name}\"::text")).collect::<Vec<_>>().join(", ");
    let rows = texts(client, &format!("SELECT {list} FROM \"{name}\"")).await;
    let values =
        |row: Vec<Option<String>>| row.into_iter().map(|value| value.map_or(Value::Null, Value::Text)).collect();
    Table { name, columns, rows: rows.into_iter().map(values).collect() }
}

async fn texts(client: &Client, sql: &str) -> Vec<Vec<Option<String>>> {
    let messages = client.simple_query(sql).await.expect("SQL");
    let row = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|place| row.get(place).map(str::to_owned)).collect()),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}
