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
    deadline::Deadline,
    unit::{Logs, SqliteUnit},
};
use crate::{
    persistence::{
        error::store_error,
        metrics,
        open::{OpenError, OpenOptions},
        party::Party,
        unit::Reads,
    },
    slices::Slices,
    turns::Turns,
};

/// How long a read waits for a free connection.
const WAIT: Duration = Duration::from_secs(5);
/// The most look-ups by key at once. They do not wait for lists.
const LOOK_UPS: usize = 4;

pub(super) struct Readers {
    idle: Arc<Idle>,
    /// One turn for each connection for lists and searches.
    lists: Turns<Party>,
    look_ups: Semaphore,
    count: usize,
    time: Duration,
}

/// The open connections that are not in use.
struct Idle {
    path: PathBuf,
    connections: Mutex<Vec<Reader>>,
    /// The slices of long lists and searches.
    slices: Arc<Slices>,
}

struct Reader {
    connection: SqliteConnection,
    deadline: Deadline,
}

impl Reader {
    fn open(path: &Path, slices: Arc<Slices>) -> Result<Self, OpenError> {
        let connection = connection::open(path, Role::Reader)?;
        let failed = |error| OpenError::Store(store_error(&error));
        let deadline = Deadline::on(&connection, slices).map_err(failed)?;
        Ok(Self { connection, deadline })
    }
}

impl Idle {
    /// Takes an idle connection or opens one. The caller holds a permit or a turn.
    fn take(&self) -> Result<Reader, StoreError> {
        let idle = self.connections.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let open = || Reader::open(&self.path, self.slices.clone());
        // A connection was opened at the start, so the cause may be temporary.
        idle.map_or_else(open, Ok).map_err(|error| StoreError::Unavailable { reason: error.to_string() })
    }

    fn give_back(&self, reader: Reader) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
    }

    /// Reads on an idle connection, from one state of the file, within a time limit.
    fn snapshot<T>(
        &self,
        time: Duration,
        work: impl FnOnce(&(dyn Reads + '_)) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let mut reader = self.take()?;
        let Reader { connection, deadline } = &mut reader;
        let timed = deadline.give(time);
        let read = |connection: &mut SqliteConnection| work(&SqliteUnit::new(connection, &mut Logs::default()));
        let outcome = connection.transaction(read);
        drop(timed);
        self.give_back(reader);
        outcome.map_err(|error| store_error(&error))
    }

    /// Reads on an idle connection.
    fn read<T>(&self, work: impl FnOnce(&(dyn Reads + '_)) -> QueryResult<T>) -> Result<T, StoreError> {
        let mut reader = self.take()?;
        let outcome = work(&SqliteUnit::new(&mut reader.connection, &mut Logs::default()));
        self.give_back(reader);
        outcome.map_err(|error| store_error(&error))
    }
}

impl Readers {
    /// Allows as many connections as the options say, and some for look-ups. Opens the first one now.
    pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let count = options.connections.max(1);
        let slices = Arc::new(Slices::of_half_the_processors());
        let first = Reader::open(path, slices.clone())?;
        let idle = Idle { path: path.to_owned(), connections: Mutex::new(vec![first]), slices };
        Ok(Self {
            idle: Arc::new(idle),
            lists: Turns::new(count),
            look_ups: Semaphore::new(LOOK_UPS),
            count,
            // The same share of a caller's time as on PostgreSQL.
            time: options.timeout * 4 / 5,
        })
    }

    /// The most connections for lists and searches, and the number in use.
    pub(super) fn use_of(&self) -> (usize, usize) {
        (self.count, self.lists.used())
    }

    /// Reads a few rows by key on this thread, because handing so little work to another thread costs more than doing
    /// it. The pages are usually in memory; otherwise this thread waits for the disk. It waits only for other look-ups.
    pub(super) async fn look_up<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&(dyn Reads + '_)) -> QueryResult<T> + Send + 'static,
    {
        // It is never closed.
        let _permit = self.look_ups.acquire().await.map_err(|_| StoreError::unavailable("it was closed"))?;
        self.idle.read(work)
    }

    /// Reads from one state of the file, in the turn of a party, on a blocking thread.
    pub(super) async fn read<T, F>(&self, party: Party, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&(dyn Reads + '_)) -> QueryResult<T> + Send + 'static,
    {
        let turn = tokio::time::timeout(WAIT, self.lists.take(party)).await.map_err(|_| {
            metrics::refused("sqlite", "no_free_connection");
            StoreError::unavailable("too many reads are waiting")
        })?;
        let (idle, time) = (self.idle.clone(), self.time);
        let read = move || {
            let _turn = turn;
            idle.snapshot(time, work)
        };
        let read = tokio::task::spawn_blocking(read).await;
        read.map_err(|_| StoreError::unavailable("the read was interrupted"))?
    }
}
