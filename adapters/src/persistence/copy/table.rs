//! Copying of one table: read in the order of its keys, written, and hashed.

use diesel::{QueryResult, SqliteConnection};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::side::Side;
use crate::persistence::{open::OpenError, postgres::unit::PostgresUnit};

/// The number of rows in a chunk.
const CHUNK: usize = 500;
/// The most chunks that wait for the target.
const WAITING: usize = 4;

/// Rows that are copied.
pub(crate) trait Copied: Sized + Send + Sync + 'static {
    /// Adds all values of the row.
    fn add_to(&self, sum: &mut Sha256);

    /// The number of rows.
    fn count_in_sqlite(connection: &mut SqliteConnection) -> QueryResult<i64>;
    fn count_in_postgres(unit: &PostgresUnit<'_>) -> impl Future<Output = QueryResult<i64>> + Send;

    /// Reads all rows in the order of their keys, until the receiver is dropped.
    fn read_from_sqlite(connection: &mut SqliteConnection, chunks: &mpsc::Sender<Vec<Self>>) -> QueryResult<()>;
    fn read_from_postgres(
        unit: &PostgresUnit<'_>,
        chunks: &mpsc::Sender<Vec<Self>>,
    ) -> impl Future<Output = QueryResult<()>> + Send;

    /// Inserts rows.
    fn write_to_sqlite(rows: &[Self], connection: &mut SqliteConnection) -> QueryResult<()>;
    fn write_to_postgres(rows: &[Self], unit: &PostgresUnit<'_>) -> impl Future<Output = QueryResult<()>> + Send;
}

/// The number and the hash of a table's rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    hash: Vec<u8>,
}

/// Counts and hashes rows.
#[derive(Default)]
struct Summing {
    rows: u64,
    sum: Sha256,
}

impl Summing {
    fn add<R: Copied>(&mut self, rows: &[R]) {
        self.rows += rows.len() as u64;
        rows.iter().for_each(|row| row.add_to(&mut self.sum));
    }

    fn sum(self) -> Sum {
        Sum { rows: self.rows, hash: self.sum.finalize().to_vec() }
    }
}

/// Adds a row to a chunk. Returns whether the chunk is full.
pub(crate) fn gather<R>(chunk: &mut Vec<R>, row: R) -> bool {
    chunk.push(row);
    chunk.len() >= CHUNK
}

/// Copies a table.
pub(super) async fn copy<R: Copied>(source: &mut Side, target: &mut Side) -> Result<Sum, Failed> {
    let (full, mut chunks) = mpsc::channel::<Vec<R>>(WAITING);
    let (passed_on, passing) = mpsc::channel::<Vec<R>>(WAITING);
    let read = async { source.read(full).await.map_err(Failed::Source) };
    let write = async { target.write(passing).await.map_err(Failed::Target) };
    let sum = async {
        let mut sum = Summing::default();
        while let Some(chunk) = chunks.recv().await {
            sum.add(&chunk);
            if passed_on.send(chunk).await.is_err() {
                break;
            }
        }
        // This ends the reader and the writer.
        drop((passed_on, chunks));
        Ok(sum.sum())
    };
    // An error of the target comes first: it ends the source too.
    let (write, read, sum) = tokio::join!(write, read, sum);
    write.and(read).and(sum)
}

/// Counts and hashes the rows of a table.
pub(super) async fn sum<R: Copied>(side: &mut Side) -> Result<Sum, OpenError> {
    let (full, mut chunks) = mpsc::channel::<Vec<R>>(WAITING);
    let sum = async {
        let mut sum = Summing::default();
        while let Some(chunk) = chunks.recv().await {
            sum.add(&chunk);
        }
        sum.sum()
    };
    let (read, sum) = tokio::join!(side.read(full), sum);
    read.map(|()| sum)
}

/// The side that failed.
pub(super) enum Failed {
    Source(OpenError),
    Target(OpenError),
}

impl From<Failed> for super::CopyError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Source(error) => Self::From(error),
            Failed::Target(error) => Self::To(error),
        }
    }
}

/// Lists the tables of a database, and implements reading and writing for each of them.
macro_rules! tables {
    (copied { $($row:ident: $table:ident ($($key:ident),+);)+ } made { $($made:ident: $made_table:ident;)+ }) => {
        $(impl Copied for $row {
            fn add_to(&self, sum: &mut sha2::Sha256) {
                self.digest(sum);
            }

            fn count_in_sqlite(connection: &mut diesel::SqliteConnection) -> diesel::QueryResult<i64> {
                use diesel::{QueryDsl as _, RunQueryDsl as _};
                $crate::persistence::schema::$table::table.count().get_result(connection)
            }

            async fn count_in_postgres(
                unit: &$crate::persistence::postgres::unit::PostgresUnit<'_>,
            ) -> diesel::QueryResult<i64> {
                use diesel::QueryDsl as _;
                let count = $crate::persistence::schema::$table::table.count();
                diesel_async::RunQueryDsl::get_result(count, &mut unit.pg()).await
            }

            fn read_from_sqlite(
                connection: &mut diesel::SqliteConnection,
                chunks: &tokio::sync::mpsc::Sender<Vec<Self>>,
            ) -> diesel::QueryResult<()> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
                use $crate::persistence::schema::$table;
                let all = $table::table.select(Self::as_select()).order(($($table::$key.asc(),)+));
                let mut chunk = Vec::new();
                for row in all.load_iter::<Self, diesel::connection::DefaultLoadingMode>(connection)? {
                    if table::gather(&mut chunk, row?) && chunks.blocking_send(std::mem::take(&mut chunk)).is_err() {
                        return Ok(());
                    }
                }
                // The receiver may have been dropped.
                let _ = chunks.blocking_send(chunk);
                Ok(())
            }

            async fn read_from_postgres(
                unit: &$crate::persistence::postgres::unit::PostgresUnit<'_>,
                chunks: &tokio::sync::mpsc::Sender<Vec<Self>>,
            ) -> diesel::QueryResult<()> {
                use diesel::{ExpressionMethods as _, QueryDsl as _, SelectableHelper as _};
                use futures_util::TryStreamExt as _;
                use $crate::persistence::schema::$table;
                let all = $table::table.select(Self::as_select()).order(($($table::$key.asc(),)+));
                let mut pg = unit.pg();
                let mut rows = std::pin::pin!(diesel_async::RunQueryDsl::load_stream::<Self>(all, &mut pg).await?);
                let mut chunk = Vec::new();
                while let Some(row) = rows.try_next().await? {
                    if table::gather(&mut chunk, row) && chunks.send(std::mem::take(&mut chunk)).await.is_err() {
                        return Ok(());
                    }
                }
                let _ = chunks.send(chunk).await;
                Ok(())
            }

            fn write_to_sqlite(rows: &[Self], connection: &mut diesel::SqliteConnection) -> diesel::QueryResult<()> {
                rows.iter().try_for_each(|row| row.insert(connection).map(drop))
            }

            async fn write_to_postgres(
                rows: &[Self],
                unit: &$crate::persistence::postgres::unit::PostgresUnit<'_>,
            ) -> diesel::QueryResult<()> {
                if rows.is_empty() { Ok(()) } else { Self::insert_all(rows, unit).await.map(drop) }
            }
        })+

        /// The first table with rows.
        async fn first_with_rows(side: &mut Side) -> Result<Option<&'static str>, CopyError> {
            $(if side.count::<$row>().await.map_err(CopyError::To)? > 0 {
                return Ok(Some(stringify!($table)));
            })+
            $(if side.count::<$made>().await.map_err(CopyError::To)? > 0 {
                return Ok(Some(stringify!($made_table)));
            })+
            Ok(None)
        }

        /// Copies all tables, and returns their numbers and hashes.
        async fn copy_tables(
            source: &mut Side,
            target: &mut Side,
            copied: &mut (dyn FnMut(&'static str, u64) + Send),
        ) -> Result<Vec<(&'static str, Sum)>, CopyError> {
            let mut sums = Vec::new();
            $(
                let sum = table::copy::<$row>(source, target).await?;
                copied(stringify!($table), sum.rows);
                sums.push((stringify!($table), sum));
            )+
            $(
                let sum = table::copy::<$made>(source, target).await?;
                copied(stringify!($made_table), sum.rows);
                sums.push((stringify!($made_table), sum));
            )+
            Ok(sums)
        }

        /// The numbers and hashes of all tables.
        async fn sums(side: &mut Side) -> Result<Vec<(&'static str, Sum)>, CopyError> {
            Ok(vec![
                $((stringify!($table), table::sum::<$row>(side).await.map_err(CopyError::To)?),)+
                $((stringify!($made_table), table::sum::<$made>(side).await.map_err(CopyError::To)?),)+
            ])
        }

        #[cfg(test)]
        mod tests {
            /// A table that is missing in the list would not be copied.
            #[test]
            fn every_table_is_copied() {
                let migration = include_str!("../../../migrations/postgres/2026-11-30-000001_registry/up.sql");
                let tables = migration.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" ("));
                let mut tables: Vec<_> = tables.collect();
                let mut known = vec![$(stringify!($table),)+ $(stringify!($made_table)),+];
                tables.sort_unstable();
                known.sort_unstable();
                assert_eq!(known, tables);
            }
        }
    };
}

pub(super) use tables;
