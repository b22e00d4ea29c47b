//! Reads rows directly from a database, with the same values from SQLite and PostgreSQL.

use std::{error::Error, path::Path};

use rusqlite::{Connection, OpenFlags, types::Value};
use tokio_postgres::{
    Client, NoTls,
    types::{FromSql, Type},
};

/// The rows of a query: numbers, texts, JSON as text, and bytes. A UUID is its 16 bytes.
///
/// # Panics
/// When the query fails, or a column has another type.
pub async fn rows(database_url: &str, query: &str) -> Vec<Vec<Value>> {
    match database_url.strip_prefix("sqlite://") {
        Some(path) => of_sqlite(&open(Path::new(path)), query),
        None => of_postgres(&connect(database_url).await, query).await,
    }
}

/// Opens a SQLite file, which must exist.
#[must_use]
pub fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the file")
}

/// The rows of a SQLite file.
#[must_use]
pub fn of_sqlite(connection: &Connection, query: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(query).expect("SQL");
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|place| row.get(place)).collect());
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// A connection to PostgreSQL, which ends when the client is dropped.
pub async fn connect(database_url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// The rows of a PostgreSQL database.
pub async fn of_postgres(client: &Client, query: &str) -> Vec<Vec<Value>> {
    let rows = client.query(query, &[]).await.expect("SQL");
    let values = |row: &tokio_postgres::Row| (0..row.len()).map(|place| row.get::<_, Neutral>(place).0).collect();
    rows.iter().map(values).collect()
}

/// A PostgreSQL value as SQLite would return it.
struct Neutral(Value);

impl<'a> FromSql<'a> for Neutral {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::INT2 => Value::Integer(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(kind, raw)?),
            Type::BYTEA | Type::UUID => Value::Blob(raw.to_vec()),
            // Values of the type `json` are sent as text.
            _ => Value::Text(str::from_utf8(raw)?.to_owned()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    fn accepts(kind: &Type) -> bool {
        let known = [Type::INT2, Type::INT4, Type::INT8, Type::BYTEA, Type::UUID, Type::TEXT, Type::NAME, Type::JSON];
        known.contains(kind)
    }
}

/// A text.
///
/// # Panics
/// When it is something else.
#[must_use]
pub fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        other => panic!("{other:?} is not a text"),
    }
}

/// Bytes.
///
/// # Panics
/// When it is something else.
#[must_use]
pub fn bytes(value: &Value) -> &[u8] {
    match value {
        Value::Blob(bytes) => bytes,
        other => panic!("{other:?} is not bytes"),
    }
}

/// A number.
///
/// # Panics
/// When it is something else.
#[must_use]
pub fn number(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        other => panic!("{other:?} is not a number"),
    }
}
