//! Changes of customers share transactions: changes that arrive during a commit are written together.
//!
//! Two workers have a transaction each, so that one decides while the other waits for the disk. A worker takes all
//! waiting changes, up to [`MAX_BATCH`]; an idle system adds no delay. A refused change does not affect the others. If
//! the database fails one, each change runs again in a transaction of its own.
//!
//! A worker takes changes only when the other one has locked its environments' logs, see [`Turn`]. So of each server at
//! most one transaction waits for a log, while further changes gather for the next: several servers on one environment
//! make fewer and larger commits, instead of many small ones in a row.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::join_all};
use patron_domain::{
    customer::{ChangeCustomerError, CustomerChanged},
    store::StoreError,
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    pool::Pool,
    problem::{Kind, unavailable},
    session::{Ended, Purpose},
    unit::PostgresUnit,
    write::{PAUSE, TRIES, ask, unknown},
};
use crate::persistence::{
    customer::change::{Answers, Job, decide},
    error::Failure,
    metrics,
    party::Party,
    timeout,
    writes::Sign,
};

/// The most changes in one transaction: enough to share the cost of the commit, few enough to keep it short.
const MAX_BATCH: usize = 128;
/// The number of concurrent transactions.
const WORKERS: usize = 2;
/// The longest turn. A log that stays locked, for example by another program, must not delay other environments'
/// changes.
const LONGEST_TURN: Duration = Duration::from_millis(50);

/// One change whose caller waits.
struct Waiting {
    job: Job,
    answer: oneshot::Sender<Result<CustomerChanged, ChangeCustomerError>>,
}

type Queue = Arc<Mutex<mpsc::Receiver<Waiting>>>;

/// The right to take changes from the queue. It is given up when the logs are locked, or after [`LONGEST_TURN`].
struct Turn(std::sync::Mutex<Option<OwnedMutexGuard<mpsc::Receiver<Waiting>>>>);

impl Turn {
    fn give_up(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The queue of changes, and the workers behind it.
pub(super) struct BatchWriter {
    // `None` once the queue is closed.
    queue: std::sync::Mutex<Option<mpsc::Sender<Waiting>>>,
    workers: std::sync::Mutex<Vec<JoinHandle<()>>>,
    wait: Duration,
}

impl BatchWriter {
    /// Starts the workers. At most `queue` changes wait at a time, and a caller waits for at most `wait`. With `apart`,
    /// each transaction contains changes of one environment only.
    pub(super) fn start(pool: &Pool, queue: usize, wait: Duration, apart: bool) -> Self {
        let (sender, waiting) = mpsc::channel(queue.max(1));
        let waiting: Queue = Arc::new(Mutex::new(waiting));
        let workers = (0..WORKERS).map(|_| tokio::spawn(work(pool.clone(), waiting.clone(), apart))).collect();
        Self { queue: std::sync::Mutex::new(Some(sender)), workers: std::sync::Mutex::new(workers), wait }
    }

    /// Makes a change, and returns once it is durable. It is finished even if the caller stops waiting.
    pub(super) async fn change(&self, job: Job) -> Result<CustomerChanged, ChangeCustomerError> {
        let (answer, answered) = oneshot::channel();
        let sender = self.queue.lock().ok().and_then(|queue| queue.clone()).ok_or_else(closed)?;
        sender.try_send(Waiting { job, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                metrics::refused("postgres", "write_queue_full");
                unavailable("too many writes are waiting")
            }
            mpsc::error::TrySendError::Closed(_) => closed(),
        })?;
        drop(sender);
        timeout::within("postgres", self.wait, async { answered.await.unwrap_or_else(|_| Err(unknown().into())) }).await
    }

    /// The number of changes in the queue.
    pub(super) fn waiting(&self) -> usize {
        let queue = self.queue.lock().ok();
        let queue = queue.as_deref().and_then(Option::as_ref);
        queue.map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }

    /// Accepts no more changes, and finishes those in the queue.
    pub(super) async fn close(&self) {
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
        let workers = self.workers.lock().map(|mut workers| std::mem::take(&mut *workers)).unwrap_or_default();
        for worker in workers {
            // A panic was reported when it happened.
            let _ = worker.await;
        }
    }
}

fn closed() -> StoreError {
    unavailable("its writer has stopped")
}

/// Runs batches until the queue is closed and empty.
async fn work(pool: Pool, queue: Queue, apart: bool) {
    loop {
        let mut batch = Vec::new();
        let mut waiting = queue.clone().lock_owned().await;
        if waiting.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return;
        }
        let turn = Turn(std::sync::Mutex::new(Some(waiting)));
        let (jobs, answers): (Vec<Job>, Vec<_>) = batch.into_iter().map(|one| (one.job, one.answer)).unzip();
        let jobs: Arc<[Job]> = jobs.into();
        // A panic fails this batch but not the worker. It leaves a connection within a transaction, which the pool
        // discards.
        let outcome =
            async { if apart { by_environment(&pool, &jobs, &turn).await } else { run(&pool, &jobs, &turn).await } };
        let outcome = AssertUnwindSafe(outcome).catch_unwind();
        let late = async {
            tokio::time::sleep(LONGEST_TURN).await;
            turn.give_up();
            std::future::pending::<()>().await;
        };
        let outcome = tokio::select! { outcome = outcome => outcome, () = late => Ok(fail(&jobs, &unknown())) };
        turn.give_up();
        let outcome = outcome.unwrap_or_else(|_| fail(&jobs, &unknown()));
        for (answer, outcome) in answers.into_iter().zip(outcome) {
            // The caller may have stopped waiting. The change is not undone.
            let _ = answer.send(outcome);
        }
    }
}

/// Makes changes in concurrent transactions, one for each environment. The answers have the order of the changes.
async fn by_environment(pool: &Pool, jobs: &[Job], turn: &Turn) -> Answers {
    let mut groups: BTreeMap<i32, (Vec<usize>, Vec<Job>)> = BTreeMap::new();
    for (place, job) in jobs.iter().enumerate() {
        let (places, group) = groups.entry(job.environment).or_default();
        places.push(place);
        group.push(job.clone());
    }
    let made = groups.into_values().map(|(places, group)| async move { (places, run(pool, &group, turn).await) });
    let mut answers: BTreeMap<usize, _> = BTreeMap::new();
    for (places, made) in join_all(made).await {
        answers.extend(places.into_iter().zip(made));
    }
    answers.into_values().collect()
}

/// Makes changes together. Tries again if that may help, and runs them one by one if one of them fails the others.
#[expect(clippy::disallowed_methods, reason = "the duration of a commit is not part of the domain")]
async fn run(pool: &Pool, jobs: &[Job], turn: &Turn) -> Answers {
    let alone = jobs.len() == 1;
    let mut tries = 1;
    loop {
        let session = match pool.session(Party::System).await {
            Ok(session) => session,
            Err(error) => return fail(jobs, &error),
        };
        let begun = Instant::now();
        let unit = session.unit();
        let ended = session.transaction(Purpose::Write, attempt(&unit, jobs, turn)).await;
        metrics::batch("postgres", jobs.len(), begun.elapsed());
        let problem = match ended {
            Ok((answers, _)) => return committed(pool, answers),
            Err(Ended::Unknown((answers, None))) => return answers,
            Err(Ended::Unknown((answers, sign))) => {
                drop(session);
                match ask(pool, Party::System, sign).await {
                    Ok(true) => return committed(pool, answers),
                    Ok(false) if tries < TRIES => {
                        tries += 1;
                        continue;
                    }
                    Ok(false) => return fail(jobs, &unavailable("the connection was lost during a commit")),
                    Err(error) => return fail(jobs, &error),
                }
            }
            Err(Ended::Refused(error)) if alone => return fail(jobs, &error),
            Err(Ended::Refused(_)) => return one_by_one(pool, jobs, turn).await,
            Err(Ended::Failed(problem)) => problem,
        };
        drop(session);
        match problem.kind {
            Kind::Conflict | Kind::Lost | Kind::Standby | Kind::Unique if tries < TRIES => {}
            // One of them is the cause. The others must not fail with it.
            _ if !alone && !matches!(problem.error, StoreError::Unavailable { .. } | StoreError::TooSlow) => {
                return one_by_one(pool, jobs, turn).await;
            }
            _ => return fail(jobs, &problem.error),
        }
        if problem.kind == Kind::Unique && !alone {
            return one_by_one(pool, jobs, turn).await;
        }
        tokio::time::sleep(PAUSE * tries).await;
        tries += 1;
    }
}

/// Runs the work within the transaction: returns the answers, and the sign by which to find out whether it was
/// committed.
async fn attempt(
    unit: &PostgresUnit<'_>,
    jobs: &[Job],
    turn: &Turn,
) -> Result<(Answers, Option<Sign>), Failure<StoreError>> {
    let (answers, writes) = decide(unit, jobs).await?;
    let sign = writes.sign();
    writes.apply_and(unit, || turn.give_up()).await?;
    Ok((answers, sign))
}

async fn one_by_one(pool: &Pool, jobs: &[Job], turn: &Turn) -> Answers {
    turn.give_up();
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs.chunks(1) {
        answers.extend(Box::pin(run(pool, job, turn)).await);
    }
    answers
}

fn committed(pool: &Pool, answers: Answers) -> Answers {
    pool.commits().count(answers.len());
    pool.commits().wake();
    answers
}

fn fail(jobs: &[Job], error: &StoreError) -> Answers {
    jobs.iter().map(|_| Err(error.clone().into())).collect()
}
