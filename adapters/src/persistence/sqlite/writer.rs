//! The one writer of a SQLite file: a thread that commits together what arrives together.
//!
//! While one commit waits for the disk, further jobs gather in the queue; the next transaction takes them all, up to
//! 64. An idle system adds no delay: a job that arrives alone is committed alone, by whoever brings it ([`Pen`]), because
//! waking the thread for it and being woken again would take a good part of what the commit takes. A job that the database
//! fails takes nobody else's writes with it: see [`batch`](super::batch).

use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use diesel::SqliteConnection;
use patron_domain::store::StoreError;
use tokio::sync::{mpsc, oneshot};

use super::{
    batch::Totals,
    job::{Job, Task},
    pen::Pen,
};
use crate::persistence::{error::Failure, metrics};

pub(super) struct Writer {
    // Taken away to close the queue.
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    pen: Arc<Pen>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection, queue: usize) -> Self {
        let (sender, jobs) = mpsc::channel(queue.max(1));
        let pen = Arc::new(Pen::new(connection));
        let thread = std::thread::Builder::new().name("patron-writer".to_owned());
        // Without a thread the queue is closed at once, and every write and ping says so.
        let of_thread = pen.clone();
        let thread = thread.spawn(move || of_thread.write(jobs)).ok();
        Self { jobs: Mutex::new(Some(sender)), pen, thread: Mutex::new(thread) }
    }

    /// Does a piece of work in a transaction and answers when it is on the disk. The work is done even when the caller
    /// goes away meanwhile. It may be done twice, when the first transaction was taken back. A refusal has to come before
    /// the first write.
    pub(super) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut SqliteConnection) -> Result<T, Failure<E>> + Send + 'static,
    {
        self.write_logged(move |connection, _| work(connection)).await
    }

    /// The same for work that writes events, and may change how many customers there are: the last position in the log and
    /// the counts are written once for the whole commit.
    pub(super) async fn write_logged<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut SqliteConnection, &mut Totals) -> Result<T, Failure<E>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let jobs = self.sender()?;
        let is_idle = jobs.capacity() == jobs.max_capacity() && !jobs.is_closed();
        let job: Box<dyn Job> = Box::new(Task::new(work, answer));
        let job = if is_idle { self.pen.write_here(job) } else { Some(job) };
        if let Some(job) = job {
            jobs.try_send(job).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    metrics::refused("sqlite", "write_queue_full");
                    unavailable("too many writes are waiting")
                }
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?;
        }
        drop(jobs);
        answered.await.map_err(|_| unavailable("the write was not taken"))?
    }

    /// How many writes wait for the transaction that takes them.
    pub(super) fn waiting(&self) -> usize {
        self.sender().map_or(0, |jobs| jobs.max_capacity() - jobs.capacity())
    }

    /// Whether writes are taken.
    pub(super) fn ping(&self) -> Result<(), StoreError> {
        if self.sender()?.is_closed() { Err(closed()) } else { Ok(()) }
    }

    /// Takes no more, commits what was taken, and ends the thread.
    pub(super) async fn close(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        let pen = self.pen.clone();
        let wait = move || {
            // It ends by itself once the queue is empty; a panic in it was reported when it happened.
            let _ = thread.map(JoinHandle::join);
            pen.wait();
        };
        let _ = tokio::task::spawn_blocking(wait).await;
    }

    fn sender(&self) -> Result<mpsc::Sender<Box<dyn Job>>, StoreError> {
        self.jobs.lock().ok().and_then(|jobs| jobs.clone()).ok_or_else(closed)
    }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { reason: reason.to_owned() }
}

fn closed() -> StoreError {
    unavailable("its writer has stopped")
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::mpsc::channel, time::Duration};

    use diesel::{RunQueryDsl, SqliteConnection, connection::SimpleConnection};
    use patron_domain::store::StoreError;

    use super::Writer;
    use crate::persistence::{
        error::Failure,
        sqlite::connection::{Role, open, prepare_path},
    };

    fn start(folder: &Path, queue: usize) -> Writer {
        let mut connection = open(&prepare_path(&folder.join("t.db")).unwrap(), Role::Writer).unwrap();
        connection.batch_execute("CREATE TABLE t (n INTEGER PRIMARY KEY)").unwrap();
        Writer::start(connection, queue)
    }

    fn insert(number: i32) -> impl Fn(&mut SqliteConnection) -> Result<(), Failure<StoreError>> {
        move |connection| Ok(connection.batch_execute(&format!("INSERT INTO t VALUES ({number})"))?)
    }

    fn count(folder: &Path) -> i32 {
        let mut connection = open(&folder.join("t.db"), Role::Reader).unwrap();
        diesel::dsl::sql::<diesel::sql_types::Integer>("SELECT count(*) FROM t").get_result(&mut connection).unwrap()
    }

    /// A job that keeps the writer busy until something is sent.
    fn blocker() -> (std::sync::mpsc::Sender<()>, impl Fn(&mut SqliteConnection) -> Result<(), Failure<StoreError>>) {
        let (release, wait) = channel::<()>();
        (release, move |_: &mut SqliteConnection| {
            // A second time the sender is gone, and this returns at once.
            let _ = wait.recv_timeout(Duration::from_secs(10));
            Ok(())
        })
    }

    #[tokio::test]
    async fn one_that_fails_takes_back_its_own_writes_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(folder.path(), 100);
        let (release, block) = blocker();
        let refused = |_: &mut SqliteConnection| {
            Err::<(), _>(Failure::Refused(StoreError::Failed { reason: "refused".to_owned() }))
        };
        let failing = |connection: &mut SqliteConnection| {
            connection.batch_execute("INSERT INTO t VALUES (2)")?;
            Ok(connection.batch_execute("INSERT INTO t VALUES ('no number')")?)
        };
        let all = async {
            tokio::join!(
                writer.write(block),
                writer.write(insert(1)),
                writer.write(refused),
                writer.write(failing),
                writer.write(insert(1)),
                writer.write(insert(3)),
                async { drop(release) }
            )
        };
        let (_, one, refused, failing, again, three, ()) = all.await;
        assert_eq!((one, three), (Ok(()), Ok(())));
        assert!(matches!(failing, Err(StoreError::Failed { .. })));
        assert_eq!(refused, Err(StoreError::Failed { reason: "refused".to_owned() }));
        assert!(matches!(again, Err(StoreError::Failed { .. })));
        assert_eq!(count(folder.path()), 2);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_loses_nothing_and_closing_drains_the_queue() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(folder.path(), 100);
        let (release, block) = blocker();
        let given_up = tokio::time::timeout(Duration::from_millis(20), writer.write(block)).await;
        assert!(given_up.is_err());
        for number in 0..10 {
            assert!(tokio::time::timeout(Duration::ZERO, writer.write(insert(number))).await.is_err());
        }
        drop(release);
        writer.close().await;
        assert_eq!(count(folder.path()), 10);
        assert!(matches!(writer.write(insert(99)).await, Err(StoreError::Unavailable { .. })));
        assert!(writer.ping().is_err());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(folder.path(), 1);
        let (release, block) = blocker();
        let _ = tokio::time::timeout(Duration::from_millis(50), writer.write(block)).await;
        let _ = tokio::time::timeout(Duration::ZERO, writer.write(insert(1))).await;
        // The writer takes what waits into its batch only between jobs, so the queue is full now.
        let refused = writer.write(insert(2)).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { reason }) if reason.contains("too many")));
        drop(release);
        writer.close().await;
        assert_eq!(count(folder.path()), 1);
    }
}
