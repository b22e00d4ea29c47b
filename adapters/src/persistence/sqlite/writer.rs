//! The only writer of a SQLite file: a thread that commits concurrent jobs together.
//!
//! While one commit waits for the disk, further jobs gather in the queue; the next transaction takes up to 64 of them.
//! An idle system adds no delay. A job that the database fails does not affect the others: see [`batch`](super::batch).

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use diesel::SqliteConnection;
use patron_domain::store::StoreError;
use tokio::sync::oneshot;

use super::batch::{Job, commit};
use crate::{
    commits::Commits,
    persistence::{
        author::Ending,
        engine::{Answer, Deciding, Refused},
        error::store_error,
        metrics,
        timeout::within,
    },
};

pub(super) struct Writer {
    // `None` once the queue is closed.
    jobs: Mutex<Option<SyncSender<Job>>>,
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pub(super) commits: Arc<Commits>,
    wait: Duration,
}

impl Writer {
    /// At most `queue` writes wait at a time, and a caller waits for at most `wait`.
    pub(super) fn start(connection: SqliteConnection, queue: usize, wait: Duration) -> Self {
        let (sender, jobs) = sync_channel(queue.max(1));
        let waiting = Arc::new(AtomicUsize::new(0));
        let queue = Queue { jobs, waiting: waiting.clone() };
        let thread = std::thread::Builder::new().name("patron-writer".to_owned());
        // Without a thread the queue is closed at once, and every write and ping reports it.
        let commits = Arc::<Commits>::default();
        let counted = commits.clone();
        let thread = thread.spawn(move || write(connection, &queue, &counted)).ok();
        Self { jobs: Mutex::new(Some(sender)), waiting, thread: Mutex::new(thread), commits, wait }
    }

    /// Runs a transaction, and returns once it is on the disk. The work is finished even if the caller stops waiting.
    /// It may run twice if the first transaction was rolled back.
    pub(super) async fn write(&self, ending: Ending, work: Deciding) -> Result<Answer, Refused> {
        let (answer, answered) = oneshot::channel();
        let jobs = self.sender().map_err(Refused::Store)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = jobs.try_send(Job::new(ending, work, answer)) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Refused::Store(match error {
                TrySendError::Full(_) => {
                    metrics::refused("sqlite", "write_queue_full");
                    StoreError::unavailable("too many writes are waiting")
                }
                TrySendError::Disconnected(_) => closed(),
            }));
        }
        drop(jobs);
        let lost = |_| Refused::Store(StoreError::unavailable("the write was not accepted"));
        within("sqlite", self.wait, async { answered.await.map_err(lost)? }).await
    }

    /// The number of writes in the queue.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether the writer accepts writes.
    pub(super) fn ping(&self) -> Result<(), StoreError> {
        let thread = self.thread.lock();
        let runs = thread.is_ok_and(|thread| thread.as_ref().is_some_and(|thread| !thread.is_finished()));
        if runs { self.sender().map(drop) } else { Err(closed()) }
    }

    /// Accepts no more writes, commits those in the queue, and ends the thread.
    pub(super) async fn close(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        // It ends once the queue is empty. A panic was reported when it happened.
        let _ = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
    }

    fn sender(&self) -> Result<SyncSender<Job>, StoreError> {
        self.jobs.lock().ok().and_then(|jobs| jobs.clone()).ok_or_else(closed)
    }
}

fn closed() -> StoreError {
    StoreError::unavailable("its writer has stopped")
}

/// The waiting jobs.
struct Queue {
    jobs: Receiver<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    fn taken(&self, job: Job) -> Job {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        job
    }

    /// The next job; `None` once the queue is closed and empty.
    fn next(&self) -> Option<Job> {
        self.jobs.recv().ok().map(|job| self.taken(job))
    }

    /// The next job, if one arrives before a time.
    fn next_before(&self, end: Option<Instant>, now: Instant) -> Option<Job> {
        match self.jobs.try_recv() {
            Ok(job) => return Some(self.taken(job)),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        let left = end?.checked_duration_since(now)?;
        match self.jobs.recv_timeout(left) {
            Ok(job) => Some(self.taken(job)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

/// Runs batches until the queue is closed and empty.
#[expect(clippy::disallowed_methods, reason = "the duration of a commit is not part of the domain")]
fn write(mut connection: SqliteConnection, queue: &Queue, commits: &Commits) {
    let mut window = Window::default();
    while let Some(first) = queue.next() {
        let begun = Instant::now();
        let mut count = 1;
        let (batch, outcome) = commit(&mut connection, first, || {
            let end = (count < window.expected).then(|| begun + window.length);
            let next = queue.next_before(end, Instant::now());
            count += usize::from(next.is_some());
            next
        });
        let took = begun.elapsed();
        let writes = batch.iter().filter(|job| job.writes()).count();
        if writes > 0 {
            metrics::batch("sqlite", writes, took);
        }
        let outcome = outcome.map_err(|error| {
            let error = store_error(&error);
            tracing::error!(%error, waiting = batch.len(), "a commit failed");
            error
        });
        window = Window::after(batch.len(), queue.waiting.load(Ordering::Relaxed), took);
        if writes > 0 {
            commits.count(writes);
        }
        batch.into_iter().for_each(|job| job.answer(&outcome));
        if writes > 0 {
            commits.wake();
        }
    }
}

/// How long a batch stays open for writes that are about to arrive.
///
/// Clients whose writes share a commit send their next request a moment later, when the next commit has already begun
/// with the other clients' writes. Two half batches would then alternate, and each would pay for a whole commit. So a
/// batch waits, for a fraction of the cost of a commit, until it has as many jobs as were at work a moment ago. A
/// single client never waits, nor does the first write after a pause.
#[derive(Default)]
struct Window {
    expected: usize,
    length: Duration,
}

/// The divisor of a commit's duration that gives the wait of the next one.
const PART: u32 = 4;
/// The longest wait, however slow the disk is.
const MOST: Duration = Duration::from_millis(2);

impl Window {
    /// The window after a batch of `done` jobs, with `waiting` more in the queue.
    fn after(done: usize, waiting: usize, took: Duration) -> Self {
        let expected = if done > 1 { done + waiting } else { 0 };
        Self { expected, length: (took / PART).min(MOST) }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        sync::{Mutex, mpsc::channel},
        time::Duration,
    };

    use diesel::RunQueryDsl;
    use futures_util::FutureExt;
    use patron_domain::{
        store::StoreError,
        tenancy::Tenant,
        testkit::{a_tenant, an_id},
    };

    use super::Writer;
    use crate::persistence::{
        author::Ending,
        engine::{Answer, Deciding, Decision, Refused},
        error::Failure,
        sqlite::{
            connection::Role,
            testing::{another, migrated},
        },
        tenancy::row::TenantRow,
        timeout::TIMEOUT,
        writes::Writes,
    };

    fn start(folder: &Path, queue: usize) -> Writer {
        Writer::start(migrated(folder), queue, TIMEOUT)
    }

    /// Writes a tenant. A second one with the same number is an error of the database.
    fn insert(number: u32) -> Deciding {
        Box::new(move |_| {
            let tenant = Tenant { id: an_id(number), ..a_tenant() };
            let writes = Writes { new_tenants: vec![TenantRow::from(&tenant)], ..Writes::default() };
            async move { Ok(Decision { answer: Box::new(()) as Answer, writes }) }.boxed()
        })
    }

    fn count(folder: &Path) -> i64 {
        let mut connection = another(folder, Role::Reader);
        diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT count(*) FROM tenants")
            .get_result(&mut connection)
            .unwrap()
    }

    /// A job that keeps the writer busy until the sender sends or is dropped.
    fn blocker() -> (std::sync::mpsc::Sender<()>, Deciding) {
        let (release, wait) = channel::<()>();
        let wait = Mutex::new(wait);
        let block: Deciding = Box::new(move |_| {
            // At the second run the sender is gone, and this returns at once.
            let _ = wait.lock().unwrap().recv_timeout(Duration::from_secs(60));
            async { Ok(Decision::nothing(Box::new(()) as Answer)) }.boxed()
        });
        (release, block)
    }

    fn is_failure(outcome: &Result<Answer, Refused>) -> bool {
        matches!(outcome, Err(Refused::Store(StoreError::Failed { .. })))
    }

    #[tokio::test]
    async fn a_failed_job_loses_only_its_own_writes() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(folder.path(), 100);
        let (release, block) = blocker();
        let refused: Deciding = Box::new(|_| async { Err(Failure::Refused(Box::new(7_u8) as Answer)) }.boxed());
        let twice: Deciding = Box::new(|_| {
            let row = |number| TenantRow::from(&Tenant { id: an_id(number), ..a_tenant() });
            let writes = Writes { new_tenants: vec![row(2), row(2)], ..Writes::default() };
            async move { Ok(Decision { answer: Box::new(()) as Answer, writes }) }.boxed()
        });
        let all = async {
            tokio::join!(
                writer.write(Ending::Commit, block),
                writer.write(Ending::Commit, insert(1)),
                writer.write(Ending::Commit, refused),
                writer.write(Ending::Commit, twice),
                writer.write(Ending::Commit, insert(1)),
                writer.write(Ending::Commit, insert(3)),
                async { drop(release) }
            )
        };
        let (_, one, refused, failing, again, three, ()) = all.await;
        assert!(one.is_ok() && three.is_ok());
        assert!(is_failure(&failing) && is_failure(&again));
        assert!(matches!(refused, Err(Refused::Refused(refusal)) if refusal.downcast_ref() == Some(&7_u8)));
        assert_eq!(count(folder.path()), 2);
    }

    #[tokio::test]
    async fn a_caller_that_stops_waiting_loses_nothing_and_closing_drains_the_queue() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(folder.path(), 100);
        let (release, block) = blocker();
        assert!(tokio::time::timeout(Duration::from_millis(20), writer.write(Ending::Commit, block)).await.is_err());
        for number in 0..10 {
            assert!(tokio::time::timeout(Duration::ZERO, writer.write(Ending::Commit, insert(number))).await.is_err());
        }
        drop(release);
        writer.close().await;
        assert_eq!(count(folder.path()), 10);
        assert!(matches!(
            writer.write(Ending::Commit, insert(99)).await,
            Err(Refused::Store(StoreError::Unavailable { .. }))
        ));
        assert!(writer.ping().is_err());
    }

    #[tokio::test]
    async fn a_full_queue_rejects_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(folder.path(), 1);
        let (release, block) = blocker();
        let _ = tokio::time::timeout(Duration::from_millis(50), writer.write(Ending::Commit, block)).await;
        let _ = tokio::time::timeout(Duration::ZERO, writer.write(Ending::Commit, insert(1))).await;
        // The writer takes waiting jobs only between jobs, so the queue is full now.
        let refused = writer.write(Ending::Commit, insert(2)).await;
        assert!(
            matches!(refused, Err(Refused::Store(StoreError::Unavailable { reason })) if reason.contains("too many"))
        );
        drop(release);
        writer.close().await;
        assert_eq!(count(folder.path()), 1);
    }

    #[tokio::test]
    async fn a_dry_run_leaves_nothing_sees_the_jobs_before_it_and_counts_as_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(folder.path(), 100);
        let mut commits = writer.commits.listen();
        assert!(writer.write(Ending::DryRun, insert(1)).await.is_ok());
        assert!(tokio::time::timeout(Duration::from_millis(20), commits.next()).await.is_err(), "no listener is woken");
        let (release, block) = blocker();
        let all = async {
            tokio::join!(
                writer.write(Ending::Commit, block),
                writer.write(Ending::DryRun, insert(1)),
                writer.write(Ending::Commit, insert(1)),
                writer.write(Ending::DryRun, insert(1)),
                writer.write(Ending::Commit, insert(2)),
                async { drop(release) }
            )
        };
        let (_, before, one, again, two, ()) = all.await;
        assert!(before.is_ok() && one.is_ok() && two.is_ok());
        assert!(is_failure(&again), "the tenant was inserted before");
        assert_eq!(count(folder.path()), 2);
        commits.next().await;
    }
}
