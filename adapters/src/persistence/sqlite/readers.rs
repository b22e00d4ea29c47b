//! The reading connections of a SQLite file. Each is opened when first needed, because one takes about 300 KiB.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use diesel::{Connection, QueryResult, SqliteConnection};
use patron_domain::store::StoreError;
use tokio::sync::Semaphore;

use super::{
    connection::{self, Role},
    unit::{Logs, SqliteUnit},
};
use crate::persistence::{error::store_error, metrics, open::OpenError, unit::Reads};

/// How long a read waits for a free connection.
const WAIT: Duration = Duration::from_secs(5);

pub(super) struct Readers {
    idle: Arc<Idle>,
    // One permit for each connection that may be open.
    free: Arc<Semaphore>,
    count: usize,
}

/// The open connections that are not in use.
struct Idle {
    path: PathBuf,
    connections: Mutex<Vec<SqliteConnection>>,
}

impl Idle {
    /// Takes an idle connection or opens one. The caller holds a permit.
    fn take(&self) -> Result<SqliteConnection, StoreError> {
        let idle = self.connections.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let open = || connection::open(&self.path, Role::Reader);
        // A connection was opened at the start, so the cause may be temporary.
        idle.map_or_else(open, Ok).map_err(|error| StoreError::Unavailable { reason: error.to_string() })
    }

    fn give_back(&self, connection: SqliteConnection) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Reads on an idle connection, from one state of the file.
    fn snapshot<T>(&self, work: impl FnOnce(&(dyn Reads + '_)) -> QueryResult<T>) -> Result<T, StoreError> {
        let mut connection = self.take()?;
        let read = |connection: &mut SqliteConnection| work(&SqliteUnit::new(connection, &mut Logs::default()));
        let outcome = connection.transaction(read);
        self.give_back(connection);
        outcome.map_err(|error| store_error(&error))
    }

    /// Reads on an idle connection.
    fn read<T>(&self, work: impl FnOnce(&(dyn Reads + '_)) -> QueryResult<T>) -> Result<T, StoreError> {
        let mut connection = self.take()?;
        let outcome = work(&SqliteUnit::new(&mut connection, &mut Logs::default()));
        self.give_back(connection);
        outcome.map_err(|error| store_error(&error))
    }
}

impl Readers {
    /// Allows at most `count` connections, and opens the first one now.
    pub(super) fn open(path: &Path, count: usize) -> Result<Self, OpenError> {
        let first = connection::open(path, Role::Reader)?;
        let idle = Idle { path: path.to_owned(), connections: Mutex::new(vec![first]) };
        Ok(Self { idle: Arc::new(idle), free: Arc::new(Semaphore::new(count)), count })
    }

    /// The most connections, and the number in use.
    pub(super) fn use_of(&self) -> (usize, usize) {
        (self.count, self.count - self.free.available_permits())
    }

    /// Reads a few rows by key on this thread, because handing so little work to another thread costs more than doing
    /// it. The pages are usually in memory; otherwise this thread waits for the disk. Without a free connection the
    /// work is queued.
    pub(super) async fn look_up<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&(dyn Reads + '_)) -> QueryResult<T> + Send + 'static,
    {
        let Ok(_permit) = self.free.try_acquire() else { return self.read(work).await };
        self.idle.read(work)
    }

    /// Reads from one state of the file, on a blocking thread.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&(dyn Reads + '_)) -> QueryResult<T> + Send + 'static,
    {
        let unavailable = |reason: &str| StoreError::Unavailable { reason: reason.to_owned() };
        let permit = tokio::time::timeout(WAIT, self.free.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| {
            metrics::refused("sqlite", "no_free_connection");
            unavailable("too many reads are waiting")
        })?;
        let permit = permit.map_err(|_| unavailable("it was closed"))?;
        let idle = self.idle.clone();
        let read = move || {
            let _permit = permit;
            idle.snapshot(work)
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| unavailable("the read was interrupted"))?
    }
}
