//! The one writer of a SQLite file: a thread that owns the writing connection, and commits together what arrives together.
//!
//! While one commit waits for the disk, further jobs gather in the queue; the next transaction takes them all, up to
//! 64. An idle system adds no delay: a job that arrives alone is committed alone. A job that the database
//! fails takes nobody else's writes with it: see [`batch`](super::batch).

use std::{
    sync::Mutex,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use diesel::SqliteConnection;
use patron_domain::store::StoreError;
use tokio::sync::{mpsc, oneshot};

use super::{
    batch::{Totals, commit},
    job::{Job, Task},
};
use crate::persistence::{
    error::{Failure, store_error},
    metrics, written,
};

pub(super) struct Writer {
    // Taken away to close the queue.
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection, queue: usize) -> Self {
        let (sender, jobs) = mpsc::channel(queue.max(1));
        let thread = std::thread::Builder::new().name("patron-writer".to_owned());
        // Without a thread the queue is closed at once, and every write and ping says so.
        let thread = thread.spawn(move || work(connection, jobs)).ok();
        Self { jobs: Mutex::new(Some(sender)), thread: Mutex::new(thread) }
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
        let job = Box::new(Task::new(work, answer));
        self.sender()?.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                metrics::refused("sqlite", "write_queue_full");
                unavailable("too many writes are waiting")
            }
            mpsc::error::TrySendError::Closed(_) => closed(),
        })?;
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
        if let Some(thread) = thread {
            // It ends by itself once the queue is empty; a panic in it was reported when it happened.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
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

/// How long a batch is held open for those who are about to come.
///
/// Clients that are answered by one commit send their next request a moment later, when the next commit has already
/// begun with the others: two half batches would take turns for ever, and each pay for a whole commit. So a batch waits,
/// for a fraction of what a commit costs, until as many are there as there were at work a moment ago. One client alone
/// never waits, and neither does the first after a pause.
#[derive(Default)]
struct Pace {
    expected: usize,
    patience: Duration,
}

/// The part of a batch's duration that the next one may wait.
const PATIENCE: u32 = 4;
/// The most a batch waits, however slow the disk is.
const MOST: Duration = Duration::from_millis(2);
/// How often a batch that waits looks for more.
const STEP: Duration = Duration::from_micros(50);

impl Pace {
    /// What to expect after a batch of so many, with so many more waiting already.
    fn after(done: usize, waiting: usize, took: Duration) -> Self {
        let expected = if done > 1 { done + waiting } else { 0 };
        Self { expected, patience: (took / PATIENCE).min(MOST) }
    }
}

/// Takes jobs until the queue is closed and empty.
#[expect(clippy::disallowed_methods, reason = "how long a commit took is no fact of the domain")]
fn work(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    let mut pace = Pace::default();
    while let Some(first) = jobs.blocking_recv() {
        let begun = Instant::now();
        let mut done = 1;
        let (batch, outcome) = commit(&mut connection, first, || {
            loop {
                match jobs.try_recv() {
                    Ok(next) => {
                        done += 1;
                        return Some(next);
                    }
                    Err(mpsc::error::TryRecvError::Empty)
                        if done < pace.expected && begun.elapsed() < pace.patience =>
                    {
                        std::thread::sleep(STEP);
                    }
                    Err(_) => return None,
                }
            }
        });
        metrics::batch("sqlite", batch.len(), begun.elapsed());
        pace = Pace::after(batch.len(), jobs.len(), begun.elapsed());
        let outcome = outcome.map_err(|error| {
            let error = store_error(&error);
            tracing::error!(%error, waiting = batch.len(), "a commit failed");
            error
        });
        for job in batch {
            job.answer(&outcome);
        }
        written::tell();
    }
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
