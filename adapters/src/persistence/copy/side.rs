//! The two sides of a copy. Each is a connection to a database of any kind, within one transaction.

use std::time::Duration;

use diesel::{QueryResult, SqliteConnection, connection::SimpleConnection};
use tokio::sync::mpsc;

use super::table::Copied;
use crate::persistence::{
    database::Database,
    error::store_error,
    open::{OpenError, OpenOptions},
    postgres::{Held, hold},
    sqlite::connection::{self, Role},
    url::DatabaseUrl,
};

/// The time limit of each step of a copy: practically none.
const NO_LIMIT: Duration = Duration::from_secs(7 * 86_400);

/// One side. If it is dropped before the commit, nothing is written.
pub(super) struct Side {
    connection: Connection,
    // Holds the lock of a SQLite file, so no server can start.
    _database: Option<Database>,
}

enum Connection {
    /// `None` while a thread works on it.
    Sqlite(Option<SqliteConnection>),
    Postgres(Box<Held>),
}

impl Side {
    /// Opens the source, to read one state of it.
    pub(super) async fn source(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::open(url, false).await
    }

    /// Opens the target.
    pub(super) async fn target(url: &DatabaseUrl) -> Result<Self, OpenError> {
        Self::open(url, true).await
    }

    async fn open(url: &DatabaseUrl, writes: bool) -> Result<Self, OpenError> {
        let options = OpenOptions { exclusive: true, create: writes, ..OpenOptions::default() };
        match url {
            DatabaseUrl::Sqlite(path) => {
                let database = Database::open(url, options).await?;
                let mut connection = connection::open(path, if writes { Role::Writer } else { Role::Reader })?;
                let begin = if writes { "BEGIN IMMEDIATE" } else { "BEGIN" };
                connection.batch_execute(begin).map_err(|error| OpenError::Store(store_error(&error)))?;
                Ok(Self { connection: Connection::Sqlite(Some(connection)), _database: Some(database) })
            }
            DatabaseUrl::Postgres(url) => {
                let held = hold(url, NO_LIMIT, writes).await?;
                Ok(Self { connection: Connection::Postgres(Box::new(held)), _database: None })
            }
        }
    }

    /// The number of rows of a table.
    pub(super) async fn count<R: Copied>(&mut self) -> Result<i64, OpenError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => on_thread(connection, |connection| R::count_in_sqlite(connection)).await,
            Connection::Postgres(held) => held.answer(R::count_in_postgres(&held.unit())).await,
        }
    }

    /// Reads a table, until its end or until the receiver is dropped.
    pub(super) async fn read<R: Copied>(&mut self, chunks: mpsc::Sender<Vec<R>>) -> Result<(), OpenError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                on_thread(connection, move |connection| R::read_from_sqlite(connection, &chunks)).await
            }
            Connection::Postgres(held) => held.answer(R::read_from_postgres(&held.unit(), &chunks)).await,
        }
    }

    /// Writes the rows of a table as they come.
    pub(super) async fn write<R: Copied>(&mut self, mut chunks: mpsc::Receiver<Vec<R>>) -> Result<(), OpenError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                on_thread(connection, move |connection| {
                    while let Some(rows) = chunks.blocking_recv() {
                        R::write_to_sqlite(&rows, connection)?;
                    }
                    Ok(())
                })
                .await
            }
            Connection::Postgres(held) => {
                while let Some(rows) = chunks.recv().await {
                    held.answer(R::write_to_postgres(&rows, &held.unit())).await?;
                }
                Ok(())
            }
        }
    }

    /// Commits.
    pub(super) async fn commit(mut self) -> Result<(), OpenError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                on_thread(connection, |connection| connection.batch_execute("COMMIT")).await
            }
            Connection::Postgres(held) => held.commit().await,
        }
    }
}

/// Works on a connection on a blocking thread.
async fn on_thread<T: Send + 'static>(
    connection: &mut Option<SqliteConnection>,
    work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
) -> Result<T, OpenError> {
    let broken = || OpenError::Migrate { reason: "the copy was interrupted".to_owned() };
    let mut taken = connection.take().ok_or_else(broken)?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&mut taken);
        (taken, done)
    });
    let (taken, done) = done.await.map_err(|_| broken())?;
    *connection = Some(taken);
    done.map_err(|error| OpenError::Store(store_error(&error)))
}
