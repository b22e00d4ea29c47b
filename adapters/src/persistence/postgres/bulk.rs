//! Statements over many rows at once. Each column is one array, so the statement is the same for any number of rows and
//! is prepared once. Diesel's own multi-row inserts are another statement for each number of rows.

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};

use crate::persistence::value::{Document, DocumentSql, Key, KeySql};

/// Inserts rows.
pub(crate) const INSERT: u8 = 0;
/// Updates existing rows and inserts missing ones.
pub(crate) const UPSERT: u8 = 1;
/// Deletes rows by key.
pub(crate) const DELETE: u8 = 2;

/// Conversion of a column of many rows to one parameter.
pub(crate) trait Column {
    /// The SQL type of one value.
    type Sql;
    /// The form in which one value is bound.
    type Bind<'a>
    where
        Self: 'a;

    fn bind(&self) -> Self::Bind<'_>;
}

macro_rules! columns {
    ($($rust:ty => $sql:ty, $bind:ty, |$value:ident| $expression:expr;)*) => {
        $(
            impl Column for $rust {
                type Sql = $sql;
                type Bind<'a> = $bind;

                fn bind(&self) -> Self::Bind<'_> {
                    let $value = self;
                    $expression
                }
            }
        )*
    };
}

columns! {
    String => Text, &'a str, |value| value.as_str();
    Option<String> => Nullable<Text>, Option<&'a str>, |value| value.as_deref();
    i64 => BigInt, i64, |value| *value;
    Option<i64> => Nullable<BigInt>, Option<i64>, |value| *value;
    i32 => Integer, i32, |value| *value;
    Option<i32> => Nullable<Integer>, Option<i32>, |value| *value;
    i16 => SmallInt, i16, |value| *value;
    Option<i16> => Nullable<SmallInt>, Option<i16>, |value| *value;
    Key => KeySql, Key, |value| *value;
    Option<Key> => Nullable<KeySql>, Option<Key>, |value| *value;
    Document => DocumentSql, &'a Document, |value| value;
    Option<Document> => Nullable<DocumentSql>, Option<&'a Document>, |value| value.as_ref();
    Vec<u8> => Binary, &'a [u8], |value| value.as_slice();
    Option<Vec<u8>> => Nullable<Binary>, Option<&'a [u8]>, |value| value.as_deref();
}

/// Declares the statements over many rows: `insert_all`, `upsert_all` and `delete_all`.
macro_rules! bulk {
    ($name:ident: $table:ident { $($key:ident: $key_type:ty),+; $($column:ident: $type:ty),* }) => {
        const _: () = {
            use diesel::{QueryResult, pg::Pg, query_builder::{AstPass, QueryFragment, QueryId}, sql_types::Array};
            use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
            use $crate::persistence::postgres::bulk::{Column, DELETE, INSERT, UPSERT};

            struct Bulk<'a, const KIND: u8> {
                $($key: Vec<<$key_type as Column>::Bind<'a>>,)+
                $($column: Vec<<$type as Column>::Bind<'a>>,)*
            }

            impl<'a, const KIND: u8> Bulk<'a, KIND> {
                fn new(rows: &'a [$name]) -> Self {
                    Self {
                        $($key: rows.iter().map(|row| row.$key.bind()).collect(),)+
                        $($column: if KIND == DELETE { Vec::new() } else { rows.iter().map(|row| row.$column.bind()).collect() },)*
                    }
                }
            }

            impl<const KIND: u8> QueryId for Bulk<'_, KIND> {
                type QueryId = Bulk<'static, KIND>;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl<const KIND: u8> QueryFragment<Pg> for Bulk<'_, KIND> {
                fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                    let keys = [$(stringify!($key)),+].join(", ");
                    if KIND == DELETE {
                        out.push_sql(concat!("DELETE FROM ", stringify!($table), " WHERE ("));
                        out.push_sql(&keys);
                        out.push_sql(") IN (");
                    } else {
                        out.push_sql(concat!("INSERT INTO ", stringify!($table), " ("));
                        out.push_sql(&keys);
                        $(out.push_sql(concat!(", ", stringify!($column)));)*
                        out.push_sql(") ");
                    }
                    // Not `FROM unnest(…, …)`, which materialises each column before the first row is produced.
                    let mut separator = "SELECT unnest(";
                    $(
                        out.push_sql(separator);
                        out.push_bind_param::<Array<<$key_type as Column>::Sql>, _>(&self.$key)?;
                        separator = "), unnest(";
                    )+
                    if KIND != DELETE {
                        $(
                            out.push_sql(separator);
                            out.push_bind_param::<Array<<$type as Column>::Sql>, _>(&self.$column)?;
                        )*
                    }
                    out.push_sql(if KIND == DELETE { "))" } else { ")" });
                    if KIND == UPSERT {
                        out.push_sql(" ON CONFLICT (");
                        out.push_sql(&keys);
                        out.push_sql(") DO UPDATE");
                        let changes: &[&str] = &[$(concat!(stringify!($column), " = excluded.", stringify!($column))),*];
                        out.push_sql(" SET ");
                        out.push_sql(&changes.join(", "));
                    }
                    Ok(())
                }
            }

            impl<C, const KIND: u8> diesel::RunQueryDsl<C> for Bulk<'_, KIND> {}

            #[allow(dead_code, reason = "not every table needs every statement")]
            impl $name {
                pub(crate) async fn insert_all(rows: &[Self], mut pg: &AsyncPgConnection) -> QueryResult<usize> {
                    Bulk::<INSERT>::new(rows).execute(&mut pg).await
                }

                pub(crate) async fn upsert_all(rows: &[Self], mut pg: &AsyncPgConnection) -> QueryResult<usize> {
                    Bulk::<UPSERT>::new(rows).execute(&mut pg).await
                }

                pub(crate) async fn delete_all(rows: &[Self], mut pg: &AsyncPgConnection) -> QueryResult<usize> {
                    Bulk::<DELETE>::new(rows).execute(&mut pg).await
                }
            }
        };
    };
}

pub(crate) use bulk;
