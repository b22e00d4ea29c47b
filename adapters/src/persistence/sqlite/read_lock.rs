//! The file's read lock, held while many look-ups come and nobody writes.
//!
//! SQLite locks a place of its log for each read. Of the connections of one process that read at the same place, the first
//! asks the operating system for the lock and the last gives it back; in between it is counted in memory. So while one
//! connection holds it, a look-up does without the two calls to the system and, what costs more, without waiting for those
//! that others make: SQLite makes them under one mutex.
//!
//! What others see is not changed by it: each look-up reads what is committed when it begins. But as long as the lock is
//! held, the log cannot be taken over into the file and begun anew. So it is held for no longer than [`TICK`] at a time,
//! and left when anybody has written meanwhile, in this process or in another.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection,
    connection::{AnsiTransactionManager, TransactionManager},
    dsl::sql,
    sql_types::Integer,
};
use tokio::{runtime::Handle, time::sleep};

use super::connection::{self, Role};
use crate::persistence::open::OpenError;

/// How long the lock is held before it is asked whether it is worth it and in nobody's way.
const TICK: Duration = Duration::from_millis(10);
/// How many look-ups within a tick make holding it worth it, which costs three statements a tick.
const MANY: u64 = 32;

/// Counts look-ups, and holds the lock for them while they are many.
pub(super) struct ReadLock {
    path: PathBuf,
    look_ups: AtomicU64,
    /// Whether a task looks after the lock.
    watched: AtomicBool,
    /// The connection that holds it, between two such tasks.
    kept: Mutex<Option<Holder>>,
}

impl ReadLock {
    /// For a file. Nothing is opened before there are many look-ups.
    pub(super) fn of(path: &Path) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            look_ups: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            kept: Mutex::new(None),
        })
    }

    /// Notes that somebody looks something up.
    pub(super) fn note(self: &Arc<Self>) {
        let before = self.look_ups.fetch_add(1, Ordering::Relaxed);
        if before % MANY == MANY - 1 && !self.watched.swap(true, Ordering::Relaxed) {
            // Without a runtime, or once the one of the first look-ups is gone, nobody holds the lock: look-ups take longer then.
            let _ = Handle::try_current().map(|runtime| runtime.spawn(self.clone().hold_while_many()));
        }
    }

    /// Holds the lock until look-ups become fewer. What hinders it would hinder look-ups too, and they tell of it.
    async fn hold_while_many(self: Arc<Self>) {
        let kept = self.kept().take();
        if let Ok(mut holder) = kept.map_or_else(|| Holder::open(&self.path), Ok) {
            loop {
                let before = self.look_ups.load(Ordering::Relaxed);
                sleep(TICK).await;
                let came = self.look_ups.load(Ordering::Relaxed).wrapping_sub(before);
                if came < MANY || holder.renew().is_err() {
                    break;
                }
            }
            if holder.leave().is_ok() {
                *self.kept() = Some(holder);
            }
        }
        self.watched.store(false, Ordering::Relaxed);
    }

    fn kept(&self) -> MutexGuard<'_, Option<Holder>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that reads nothing but holds the lock, as an open transaction.
struct Holder {
    connection: SqliteConnection,
    holds: bool,
    /// Changes when another connection has committed (SQLite, "PRAGMA data_version").
    version: Option<i32>,
}

impl Holder {
    fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { connection: connection::open(path, Role::Reader)?, holds: false, version: None })
    }

    /// Leaves the lock, and takes it again at the newest place of the log unless somebody has written since the last time.
    fn renew(&mut self) -> QueryResult<()> {
        self.leave()?;
        AnsiTransactionManager::begin_transaction(&mut self.connection)?;
        self.holds = true;
        // What takes the lock is the first reading.
        let version =
            sql::<Integer>("SELECT data_version FROM pragma_data_version").get_result(&mut self.connection)?;
        if self.version.replace(version) != Some(version) {
            self.leave()?;
        }
        Ok(())
    }

    fn leave(&mut self) -> QueryResult<()> {
        if std::mem::take(&mut self.holds) {
            AnsiTransactionManager::rollback_transaction(&mut self.connection)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::Ordering, time::Duration};

    use diesel::{
        QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query, sql_types::Integer,
    };
    use tempfile::TempDir;

    use super::{Holder, MANY, ReadLock, TICK};
    use crate::persistence::sqlite::connection::{Role, open, prepare_path};

    #[derive(QueryableByName)]
    struct Checkpoint {
        #[diesel(sql_type = Integer)]
        busy: i32,
    }

    /// A file, and the connection that writes it. It does not wait for others.
    fn file() -> (TempDir, SqliteConnection) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = open(&prepare_path(&folder.path().join("t.db")).unwrap(), Role::Writer).unwrap();
        writer.batch_execute("PRAGMA busy_timeout=0; CREATE TABLE t (n INTEGER)").unwrap();
        (folder, writer)
    }

    fn write(writer: &mut SqliteConnection) {
        writer.batch_execute("INSERT INTO t VALUES (1)").unwrap();
    }

    /// Whether somebody's lock is in the way of beginning the log anew. It takes the log over, and who reads afterwards, before
    /// anybody has written, is in nobody's way.
    fn log_is_held(writer: &mut SqliteConnection) -> bool {
        sql_query("PRAGMA wal_checkpoint(RESTART)").get_result::<Checkpoint>(writer).unwrap().busy == 1
    }

    #[test]
    fn the_lock_is_held_only_while_nobody_writes() {
        let (folder, mut writer) = file();
        write(&mut writer);
        let mut holder = Holder::open(&folder.path().join("t.db")).unwrap();
        holder.renew().unwrap();
        assert!(!log_is_held(&mut writer), "who knows nothing yet must not hold it");
        write(&mut writer);
        holder.renew().unwrap();
        assert!(!log_is_held(&mut writer), "somebody has written");
        write(&mut writer);
        holder.renew().unwrap();
        holder.renew().unwrap();
        holder.renew().unwrap();
        assert!(log_is_held(&mut writer), "nobody has written");
        write(&mut writer);
        holder.renew().unwrap();
        assert!(!log_is_held(&mut writer), "somebody has written");
        holder.renew().unwrap();
        holder.leave().unwrap();
        assert!(!log_is_held(&mut writer), "it was left");
    }

    #[tokio::test]
    async fn many_look_ups_hold_the_lock_and_few_do_not() {
        let (folder, mut writer) = file();
        write(&mut writer);
        let lock = ReadLock::of(&folder.path().join("t.db"));
        for _ in 1..MANY {
            lock.note();
        }
        assert!(!lock.watched.load(Ordering::Relaxed));
        let mut held = false;
        for _ in 0..20 {
            write(&mut writer);
            for _ in 0..20 {
                (0..MANY).for_each(|_| lock.note());
                tokio::time::sleep(TICK / 4).await;
            }
            held |= log_is_held(&mut writer);
        }
        assert!(held);
        for _ in 0..100 {
            if lock.watched.load(Ordering::Relaxed) {
                tokio::time::sleep(TICK).await;
            }
        }
        assert!(!lock.watched.load(Ordering::Relaxed));
        assert!(!log_is_held(&mut writer));
        assert!(lock.kept().is_some());
    }

    #[tokio::test]
    async fn writes_go_on_while_look_ups_are_many() {
        let (folder, mut writer) = file();
        let lock = ReadLock::of(&folder.path().join("t.db"));
        let mut begun_anew = 0;
        for _ in 0..50 {
            (0..MANY).for_each(|_| lock.note());
            write(&mut writer);
            begun_anew += i32::from(!log_is_held(&mut writer));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(begun_anew, 50, "nobody holds the log while it is written");
    }
}
