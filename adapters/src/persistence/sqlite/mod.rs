//! The ports over SQLite: one file, one writer, several readers.

mod batch;
mod cached;
mod change;
mod connection;
mod customers;
mod events;
mod housekeeping;
mod idempotency;
mod job;
mod keys;
mod lists;
mod lock;
mod onboarding;
mod pen;
mod positions;
mod read_lock;
mod readers;
mod taxes;
mod tenancy;
mod webhooks;
mod within;
mod writer;

use std::path::PathBuf;

use patron_domain::store::StoreError;

use self::{connection::Role, lock::ServerLock, readers::Readers, writer::Writer};
use super::{
    metrics,
    open::{OpenError, OpenOptions},
};

/// A SQLite file, open.
///
/// Write-ahead logging with `synchronous=FULL`: an acknowledged write survives a crash of the process and of the machine.
/// Writes that arrive together share one commit; reads never wait for writes.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    // Held for as long as the store lives.
    _lock: Option<ServerLock>,
}

impl SqliteStore {
    /// Opens a file, makes it if it does not exist (unless the options say otherwise), and brings its tables up to date.
    ///
    /// # Errors
    /// [`OpenError`] when the file cannot be opened, is in use by another server, or belongs to a newer Patron.
    pub async fn open(path: PathBuf, options: OpenOptions) -> Result<Self, OpenError> {
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
        let readers = Readers::open(&path, options.connections.max(1))?;
        Ok(Self { writer: Writer::start(connection, options.write_queue), readers, _lock: lock })
    }

    /// Asks the file and the writer whether they answer.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.writer.ping()?;
        self.readers.read(connection::ping).await
    }

    /// Sets the figures that are read rather than counted.
    pub(crate) fn observe(&self) {
        let (most, used) = self.readers.use_of();
        metrics::pool("sqlite", most, used);
        metrics::queue_depth("sqlite", self.writer.waiting());
    }

    /// Commits the writes that were taken, and ends the writer.
    pub(crate) async fn close(&self) {
        self.writer.close().await;
    }
}
