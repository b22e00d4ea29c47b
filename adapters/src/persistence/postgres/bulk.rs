//! Statements over many rows at once. Each column is one array, so the statement is the same for any number of rows and
//! is prepared once. Diesel's own multi-row inserts are another statement for each number of rows.
//!
//! If Citus distributes the tables, it would unpack arrays on the coordinator. So there the statement lists the rows,
//! all of one environment, and runs unchanged on the worker that stores the environment. A few sizes keep the number of
//! statements small.

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};

use crate::persistence::value::{Document, DocumentSql, Key, KeySql};

/// The numbers of rows that a statement may list.
pub(crate) const SIZES: [usize; 3] = [64, 8, 1];

/// The largest size that `rows` rows fill.
pub(crate) fn size_for(rows: usize) -> usize {
    SIZES.into_iter().find(|size| *size <= rows).unwrap_or(1)
}

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
            use diesel_async::RunQueryDsl as _;
            use futures_util::future::{BoxFuture, FutureExt as _, try_join_all};
            use $crate::persistence::postgres::{bulk::{Column, DELETE, INSERT, UPSERT, size_for}, unit::PostgresUnit};

            const KEYS: &[&str] = &[$(stringify!($key)),+];
            const COLUMNS: &[&str] = &[$(stringify!($column)),*];

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
                    if KIND == DELETE {
                        out.push_sql(concat!("DELETE FROM ", stringify!($table), " WHERE ("));
                        out.push_sql(&KEYS.join(", "));
                        out.push_sql(") IN (");
                    } else {
                        insert_into(&mut out);
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
                        or_update(&mut out);
                    }
                    Ok(())
                }
            }

            impl<C, const KIND: u8> diesel::RunQueryDsl<C> for Bulk<'_, KIND> {}

            fn insert_into(out: &mut AstPass<'_, '_, Pg>) {
                out.push_sql(concat!("INSERT INTO ", stringify!($table), " ("));
                out.push_sql(&[KEYS, COLUMNS].concat().join(", "));
                out.push_sql(") ");
            }

            fn or_update(out: &mut AstPass<'_, '_, Pg>) {
                out.push_sql(" ON CONFLICT (");
                out.push_sql(&KEYS.join(", "));
                out.push_sql(") DO UPDATE SET ");
                let changes: Vec<_> = COLUMNS.iter().map(|column| format!("{column} = excluded.{column}")).collect();
                out.push_sql(&changes.join(", "));
            }

            /// The statement that lists rows: as many as the size, all of one environment.
            struct Listed<'a, const KIND: u8, const SIZE: usize>(Vec<One<'a>>);

            /// The values of a row as they are bound.
            struct One<'a> {
                $($key: <$key_type as Column>::Bind<'a>,)+
                $($column: <$type as Column>::Bind<'a>,)*
            }

            impl<'a> One<'a> {
                fn of(row: &'a $name) -> Self {
                    Self { $($key: row.$key.bind(),)+ $($column: row.$column.bind(),)* }
                }
            }

            impl<const KIND: u8, const SIZE: usize> QueryId for Listed<'_, KIND, SIZE> {
                type QueryId = Listed<'static, KIND, SIZE>;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl<const KIND: u8, const SIZE: usize> QueryFragment<Pg> for Listed<'_, KIND, SIZE> {
                fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                    if KIND == DELETE {
                        out.push_sql(concat!("DELETE FROM ", stringify!($table), " WHERE "));
                        // The environment is compared by itself, because it determines the worker.
                        let [first, rest @ ..] = KEYS else { return Ok(()) };
                        out.push_sql(first);
                        out.push_sql(" = ");
                        let mut place = 0;
                        for row in self.0.iter().take(1) {
                            $(
                                if place == 0 {
                                    out.push_bind_param::<<$key_type as Column>::Sql, _>(&row.$key)?;
                                }
                                place += 1;
                            )+
                        }
                        if rest.is_empty() {
                            return Ok(());
                        }
                        out.push_sql(" AND (");
                        out.push_sql(&rest.join(", "));
                        out.push_sql(") IN ");
                    } else {
                        insert_into(&mut out);
                        out.push_sql("VALUES ");
                    }
                    let mut row_separator = if KIND == DELETE { "(" } else { "" };
                    for row in &self.0 {
                        out.push_sql(row_separator);
                        let (mut separator, mut place) = ("(", 0);
                        $(
                            if KIND != DELETE || place > 0 {
                                out.push_sql(separator);
                                out.push_bind_param::<<$key_type as Column>::Sql, _>(&row.$key)?;
                                separator = ", ";
                            }
                            place += 1;
                        )+
                        if KIND != DELETE {
                            $(
                                out.push_sql(separator);
                                out.push_bind_param::<<$type as Column>::Sql, _>(&row.$column)?;
                            )*
                        }
                        // Marks both as used, for tables with a single key or without other columns.
                        let _ = (separator, place);
                        out.push_sql(")");
                        row_separator = ", ";
                    }
                    match KIND {
                        DELETE => out.push_sql(")"),
                        UPSERT => or_update(&mut out),
                        _ => {}
                    }
                    Ok(())
                }
            }

            impl<C, const KIND: u8, const SIZE: usize> diesel::RunQueryDsl<C> for Listed<'_, KIND, SIZE> {}

            /// Whether two rows belong to the same environment.
            fn are_together(one: &$name, other: &$name) -> bool {
                let mut together = None;
                $(together = together.or(Some(one.$key == other.$key));)+
                together.unwrap_or(true)
            }

            fn listed<'a, const KIND: u8>(rows: &'a [$name], unit: &'a PostgresUnit<'_>) -> BoxFuture<'a, QueryResult<usize>> {
                let mut pg = unit.pg();
                let values = rows.iter().map(One::of).collect();
                match rows.len() {
                    64 => async move { Listed::<KIND, 64>(values).execute(&mut pg).await }.boxed(),
                    8 => async move { Listed::<KIND, 8>(values).execute(&mut pg).await }.boxed(),
                    _ => async move { Listed::<KIND, 1>(values).execute(&mut pg).await }.boxed(),
                }
            }

            /// Runs the statement that fits the database.
            async fn run<const KIND: u8>(rows: &[$name], unit: &PostgresUnit<'_>) -> QueryResult<usize> {
                if !unit.is_distributed() {
                    return Bulk::<KIND>::new(rows).execute(&mut unit.pg()).await;
                }
                let mut statements = Vec::new();
                for mut together in rows.chunk_by(are_together) {
                    while !together.is_empty() {
                        let (some, rest) = together.split_at(size_for(together.len()));
                        statements.push(listed::<KIND>(some, unit));
                        together = rest;
                    }
                }
                Ok(try_join_all(statements).await?.into_iter().sum())
            }

            #[allow(dead_code, reason = "not every table needs every statement")]
            impl $name {
                pub(crate) async fn insert_all(rows: &[Self], unit: &PostgresUnit<'_>) -> QueryResult<usize> {
                    run::<INSERT>(rows, unit).await
                }

                pub(crate) async fn upsert_all(rows: &[Self], unit: &PostgresUnit<'_>) -> QueryResult<usize> {
                    run::<UPSERT>(rows, unit).await
                }

                pub(crate) async fn delete_all(rows: &[Self], unit: &PostgresUnit<'_>) -> QueryResult<usize> {
                    run::<DELETE>(rows, unit).await
                }
            }
        };
    };
}

pub(crate) use bulk;
