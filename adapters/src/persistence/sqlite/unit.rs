//! Statements on a connection to SQLite. Each runs when its future is first polled, and never waits.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use diesel::{QueryResult, SqliteConnection, query_dsl::methods::LoadQuery};

use patron_domain::page::PageBytes;

use crate::persistence::{event::log_row::LogRow, page::Weighed};

/// A connection, for the statements of a read or of a transaction.
pub(crate) struct SqliteUnit<'c>(Mutex<Inner<'c>>);

struct Inner<'c> {
    connection: &'c mut SqliteConnection,
    logs: &'c mut Logs,
}

/// The rows of `logs` that a transaction has changed. They are written once, at its end, for all its jobs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs(pub(super) BTreeMap<i32, LogRow>);

impl Logs {
    /// Writes the rows.
    pub(super) fn write(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        self.0.values().try_for_each(|row| row.update(connection).map(drop))
    }
}

impl<'c> SqliteUnit<'c> {
    pub(super) fn new(connection: &'c mut SqliteConnection, logs: &'c mut Logs) -> Self {
        Self(Mutex::new(Inner { connection, logs }))
    }

    pub(crate) fn db(&self) -> Db<'_, 'c> {
        Db(self)
    }

    fn inner(&self) -> MutexGuard<'_, Inner<'c>> {
        // Only one thread uses it at a time, so locking never waits.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a statement on the connection.
    pub(crate) fn with<T>(&self, run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>) -> QueryResult<T> {
        run(self.inner().connection)
    }

    /// The row of an environment's log if this transaction has changed it.
    pub(crate) fn changed_log(&self, environment: i32) -> Option<LogRow> {
        self.inner().logs.0.get(&environment).cloned()
    }

    /// Keeps the changed row of an environment's log for the end of the transaction.
    pub(crate) fn change_log(&self, row: LogRow) {
        self.inner().logs.0.insert(row.environment, row);
    }
}

/// Runs queries; see [`statements`](crate::persistence::statements::statements).
#[derive(Clone, Copy)]
pub(crate) struct Db<'a, 'c>(&'a SqliteUnit<'c>);

impl Db<'_, '_> {
    pub(crate) async fn rows<'q, Q, R>(self, query: Q) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        self.0.with(|connection| query.load(connection))
    }

    /// The rows that fit on a page by their bytes, and one more if there is a next page. The rest is not read.
    pub(crate) async fn rows_within<'q, Q, R>(self, query: Q, bytes: PageBytes) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
        R: Weighed,
    {
        self.0.with(|connection| {
            let (mut rows, mut before) = (Vec::new(), 0_usize);
            for row in query.load_iter(connection)? {
                let row: R = row?;
                let is_more = before >= bytes.get();
                before = before.saturating_add(row.bytes());
                rows.push(row);
                if is_more {
                    break;
                }
            }
            Ok(rows)
        })
    }

    pub(crate) async fn one<'q, Q, R>(self, query: Q) -> QueryResult<Option<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        use diesel::OptionalExtension as _;
        self.0.with(|connection| query.get_result(connection).optional())
    }

    /// The same as [`Self::one`], because there is only one writer.
    pub(crate) async fn locked<'q, Q, R>(self, query: Q) -> QueryResult<Option<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        self.one(query).await
    }

    /// Reads rows. They need no lock, because there is only one writer.
    pub(crate) async fn locked_rows<'q, Q, R>(self, query: Q) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        self.rows(query).await
    }

    /// The same as [`Self::locked_rows`], because there is only one writer.
    pub(crate) async fn shared_rows<'q, Q, R>(self, query: Q) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        self.rows(query).await
    }

    /// Reads the rows of many keys, with one look-up for each, compiled once. A list of keys would be another statement
    /// for each length.
    pub(crate) async fn each<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        one: impl Fn(&'q K) -> Q,
        _any: impl FnOnce(&'q [K]) -> A,
    ) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        let mut rows = Vec::new();
        for key in keys {
            rows.extend(self.0.with(|connection| one(key).load(connection))?);
        }
        Ok(rows)
    }

    /// The same, because there is only one writer.
    pub(crate) async fn each_shared<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        self.each(keys, one, any).await
    }

    /// The same, because there is only one writer.
    pub(crate) async fn each_locked<'q, K, Q, A, R>(
        self,
        keys: &'q [K],
        one: impl Fn(&'q K) -> Q,
        any: impl FnOnce(&'q [K]) -> A,
    ) -> QueryResult<Vec<R>>
    where
        Q: LoadQuery<'q, SqliteConnection, R>,
    {
        self.each(keys, one, any).await
    }
}
