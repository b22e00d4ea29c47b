//! Changes of customers share transactions: those that wait while others are being committed are taken together.
//!
//! Two workers, each with a transaction of its own, so that one prepares while the other waits for the disk. Each takes
//! what is waiting, up to [`MAX_BATCH`]; an idle system adds no delay. Per batch: what all changes need is looked up and
//! locked (`facts`), each is decided in turn on what the one before it left (`plan`), and everything is written by a
//! constant number of statements (`write`). The server is waited for three times: for the facts, for what is written, and
//! for the commit; with more care (`courage`) once more. One that is refused costs the others nothing.

mod courage;
mod facts;
mod plan;
mod run;
mod within;
mod write;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged},
    store::StoreError,
    tenancy::EnvironmentScope,
};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use self::courage::Courage;
use super::{pool::Pool, problem::unavailable, write::unknown};
use crate::persistence::{metrics, patience};

/// The most changes of one transaction: enough to make the commit's share of each small, few enough to keep it short.
const MAX_BATCH: usize = 128;
/// How many transactions are under way at once.
const WORKERS: usize = 2;
/// How often a change is put off for a later transaction, because another one of its own has to come first.
const MAX_TURNS: u8 = 50;

/// One change that somebody waits for.
struct Job {
    scope: EnvironmentScope,
    command: ChangeCustomer,
    turns: u8,
    answer: oneshot::Sender<Result<CustomerChanged, ChangeCustomerError>>,
}

impl Job {
    /// Answers. Whoever asked may have gone away; what was written stands all the same.
    fn answer(self, outcome: Result<CustomerChanged, ChangeCustomerError>) {
        let _ = self.answer.send(outcome);
    }
}

type Queue = Arc<Mutex<mpsc::Receiver<Job>>>;

/// The queue of changes, and the workers behind it.
pub(super) struct BatchWriter {
    // Taken away to close the queue.
    jobs: std::sync::Mutex<Option<mpsc::Sender<Job>>>,
    workers: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl BatchWriter {
    /// Starts the workers. At most `queue` changes wait.
    pub(super) fn start(pool: &Pool, queue: usize) -> Self {
        let (sender, jobs) = mpsc::channel(queue.max(1));
        let queue: Queue = Arc::new(Mutex::new(jobs));
        let courage = Arc::new(Courage::default());
        let worker = |_| tokio::spawn(work(pool.clone(), queue.clone(), slot(), courage.clone()));
        let workers = (0..WORKERS).map(worker).collect();
        Self { jobs: std::sync::Mutex::new(Some(sender)), workers: std::sync::Mutex::new(workers) }
    }

    /// Makes a change, and answers when it is durable. It is finished even when the caller goes away meanwhile.
    pub(super) async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let (answer, answered) = oneshot::channel();
        let job = Job { scope: scope.clone(), command, turns: 0, answer };
        let sender = self.jobs.lock().ok().and_then(|jobs| jobs.clone()).ok_or_else(closed)?;
        sender.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                metrics::refused("postgres", "write_queue_full");
                unavailable("too many writes are waiting")
            }
            mpsc::error::TrySendError::Closed(_) => closed(),
        })?;
        drop(sender);
        patience::within("postgres", async { answered.await.unwrap_or_else(|_| Err(unknown().into())) }).await
    }

    /// How many changes wait to be taken.
    pub(super) fn waiting(&self) -> usize {
        let jobs = self.jobs.lock().ok();
        let jobs = jobs.as_deref().and_then(Option::as_ref);
        jobs.map_or(0, |jobs| jobs.max_capacity() - jobs.capacity())
    }

    /// Takes no more, and finishes what was taken.
    pub(super) async fn close(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        let workers = self.workers.lock().map(|mut workers| std::mem::take(&mut *workers)).unwrap_or_default();
        for worker in workers {
            // A panic in it was reported when it happened.
            let _ = worker.await;
        }
    }
}

fn closed() -> StoreError {
    unavailable("its writer has stopped")
}

/// A worker's own slot of the counts. Two that share one only wait for each other.
#[expect(clippy::disallowed_methods, reason = "which slot a worker has is no fact of the domain")]
fn slot() -> i32 {
    i32::from(rand::random::<u8>())
}

/// Takes jobs until the queue is closed and empty.
async fn work(pool: Pool, queue: Queue, slot: i32, courage: Arc<Courage>) {
    let mut batch: Vec<Job> = Vec::new();
    loop {
        if batch.is_empty() {
            let mut jobs = queue.lock().await;
            let Some(first) = jobs.recv().await else { return };
            batch.push(first);
            fill(&mut batch, &mut jobs);
        } else if let Ok(mut jobs) = queue.try_lock() {
            fill(&mut batch, &mut jobs);
        }
        // A panic fails this batch and not the worker. What it leaves behind is a connection within a transaction, which the
        // pool throws away.
        let run = AssertUnwindSafe(run::run(&pool, slot, &courage, batch));
        batch = run.catch_unwind().await.unwrap_or_default();
    }
}

fn fill(batch: &mut Vec<Job>, jobs: &mut mpsc::Receiver<Job>) {
    while batch.len() < MAX_BATCH {
        let Ok(next) = jobs.try_recv() else { break };
        batch.push(next);
    }
}
