//! The reading connections of a SQLite file.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use diesel::{QueryResult, SqliteConnection};
use patron_domain::store::StoreError;
use tokio::sync::Semaphore;

use super::connection::{self, Role};
use crate::persistence::{error::store_error, metrics, open::OpenError};

/// How long a read waits for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
    // One permit for each connection in `idle`.
    free: Arc<Semaphore>,
    count: usize,
}

impl Readers {
    pub(super) fn open(path: &Path, count: usize) -> Result<Self, OpenError> {
        let idle: Vec<_> = (0..count).map(|_| connection::open(path, Role::Reader)).collect::<Result<_, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), free: Arc::new(Semaphore::new(count)), count })
    }

    /// How many connections there are, and how many of them are in use.
    pub(super) fn use_of(&self) -> (usize, usize) {
        (self.count, self.count - self.free.available_permits())
    }

    /// Reads a few rows by key, right here: handing so little work to another thread costs more than doing it. Mostly the
    /// pages are in memory; where one is not, this thread waits for the disk. When no connection is free, it queues.
    pub(super) async fn look_up<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    {
        let Ok(_permit) = self.free.clone().try_acquire_owned() else { return self.read(work).await };
        let Some(mut connection) = self.idle.lock().ok().and_then(|mut idle| idle.pop()) else {
            return self.read(work).await;
        };
        let outcome = work(&mut connection);
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(connection);
        }
        outcome.map_err(|error| store_error(&error))
    }

    /// Reads, on a thread where it may block.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    {
        let unavailable = |reason: &str| StoreError::Unavailable { reason: reason.to_owned() };
        let permit = tokio::time::timeout(PATIENCE, self.free.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| {
            metrics::refused("sqlite", "no_free_connection");
            unavailable("too many reads are waiting")
        })?;
        let permit = permit.map_err(|_| unavailable("it was closed"))?;
        let idle = self.idle.clone();
        let read = move || {
            let _permit = permit;
            let connection = idle.lock().ok().and_then(|mut idle| idle.pop());
            let mut connection = connection.ok_or_else(|| unavailable("no connection is left"))?;
            let outcome = work(&mut connection);
            if let Ok(mut idle) = idle.lock() {
                idle.push(connection);
            }
            outcome.map_err(|error| store_error(&error))
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| unavailable("the read was interrupted"))?
    }
}
