//! SQLite: one file, one writer, several readers.

mod batch;
pub(crate) mod connection;
pub(crate) mod deadline;
mod lock;
mod readers;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests_of_turns;
pub(crate) mod unit;
pub(crate) mod update;
mod within;
mod writer;

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use diesel::{QueryResult, result::Error};
use futures_util::future::{BoxFuture, FutureExt};
use patron_domain::{
    customer::{ChangeCustomerError, CustomerChanged},
    privacy::StorageKind,
    store::StoreError,
};

use crate::commits::Commits;

use self::{connection::Role, lock::ServerLock, readers::Readers, writer::Writer};
use super::{
    author::Ending,
    customer::change::{Job, one},
    engine::{Answer, CustomerKey, Deciding, Engine, Pace, Reading, Refused, erase_decision, typed},
    metrics,
    open::{OpenError, OpenOptions},
    party::Party,
    unit::Reads,
    value::Document,
};

/// An open SQLite file.
///
/// Write-ahead logging with `synchronous=FULL`: an acknowledged write survives a crash of the process and of the
/// machine. Writes that arrive together share one commit; reads never wait for writes.
pub(crate) struct SqliteEngine {
    writer: Writer,
    readers: Readers,
    path: PathBuf,
    timeout: Duration,
    // Held until the engine is dropped.
    _lock: Option<ServerLock>,
}

/// Changing customers within a transaction of an embedding application: see [`SqliteStore::change_within`].
#[derive(Debug, Clone, Copy)]
pub struct SqliteStore;

impl SqliteEngine {
    /// Opens a file, creates it if it is missing and the options allow it, and migrates its tables.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be opened, is in use by another server, or was migrated by a newer Patron.
    pub(crate) async fn open(path: PathBuf, options: OpenOptions) -> Result<Self, OpenError> {
        let file = path.clone();
        let open = move || Self::open_blocking(path, options);
        let stopped = |_| OpenError::File { path: file, reason: "opening it was interrupted".to_owned() };
        tokio::task::spawn_blocking(open).await.map_err(stopped)?
    }

    fn open_blocking(path: PathBuf, options: OpenOptions) -> Result<Self, OpenError> {
        let find = if options.create { connection::prepare_path } else { connection::existing_path };
        let path = find(&path)?;
        let lock = if options.exclusive { Some(ServerLock::take(&path)?) } else { None };
        let mut connection = connection::open(&path, Role::Writer)?;
        connection::migrate(&mut connection)?;
        let readers = Readers::open(&path, &options)?;
        let writer = Writer::start(connection, options.write_queue, options.timeout);
        Ok(Self { writer, readers, path, timeout: options.timeout, _lock: lock })
    }
}

/// Runs a future of the gateway's statements. On SQLite none of them waits.
fn at_once<T>(work: BoxFuture<'_, QueryResult<T>>) -> QueryResult<T> {
    work.now_or_never().unwrap_or(Err(Error::NotInTransaction))
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn read(&self, pace: Pace, work: Reading) -> Result<Answer, StoreError> {
        match pace {
            Pace::LookUp => self.readers.look_up(move |unit| at_once(work(unit))).await,
            Pace::List(party) | Pace::Snapshot(party) => {
                self.readers.read(party, move |unit| at_once(work(unit))).await
            }
        }
    }

    async fn customer(&self, environment: i32, key: CustomerKey) -> Result<Option<Document>, StoreError> {
        let find = move |unit: &(dyn Reads + '_)| match &key {
            CustomerKey::Id(id) => at_once(unit.document(environment, *id)),
            CustomerKey::ExternalId(id) => at_once(unit.document_of_external_id(environment, id)),
        };
        self.readers.look_up(find).await
    }

    async fn write(&self, _: Party, ending: Ending, work: Deciding) -> Result<Answer, Refused> {
        self.writer.write(ending, work).await
    }

    async fn change(&self, job: Job) -> Result<CustomerChanged, ChangeCustomerError> {
        let change: Deciding = Box::new(move |unit| erase_decision(one(unit, job.clone()).boxed()));
        typed(self.writer.write(Ending::Commit, change).await)
    }

    fn commits(&self) -> Arc<Commits> {
        self.writer.commits.clone()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer.ping()?;
        self.readers.look_up(|unit| at_once(unit.environments_known())).await.map(drop)
    }

    /// Moves everything from the write-ahead log to the file and truncates the log, which may hold old pages.
    async fn forget(&self) -> Result<(), StoreError> {
        let (path, timeout) = (self.path.clone(), self.timeout);
        let work = move || connection::truncate_log(&path, timeout);
        let stopped = |_| StoreError::unavailable("truncating the log was interrupted");
        tokio::task::spawn_blocking(work).await.map_err(stopped)?
    }

    fn storage(&self) -> StorageKind {
        StorageKind::Sqlite
    }

    fn observe(&self) {
        let (most, used) = self.readers.use_of();
        metrics::pool("sqlite", most, used);
        metrics::queue_depth("sqlite", self.writer.waiting());
    }

    async fn close(&self) {
        self.writer.close().await;
    }
}
