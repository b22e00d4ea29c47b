//! The writing connection, and who holds it: the writer's thread, or, when nobody else writes, whoever brings a job.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::SqliteConnection;
use tokio::{runtime::Handle, sync::mpsc};

use super::{batch::commit, job::Job};
use crate::{
    persistence::{error::store_error, metrics, written},
    share,
};

pub(super) struct Pen {
    connection: Mutex<SqliteConnection>,
    /// Whether jobs came one at a time lately. When they come together, sharing a commit is worth more than haste.
    alone: AtomicBool,
}

impl Pen {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection: Mutex::new(connection), alone: AtomicBool::new(true) }
    }

    /// Does a job on this very thread when nobody else is writing; else gives it back.
    ///
    /// Nothing here waits in between, so a caller that goes away does not interrupt it. One thread at a time stands still so
    /// for as long as one commit takes, and only while little is going on; a runtime that has no other leaves the work to
    /// the writer's thread.
    pub(super) fn write_here(&self, job: Box<dyn Job>) -> Option<Box<dyn Job>> {
        let has_others = || Handle::try_current().is_ok_and(|here| here.metrics().num_workers() > 1);
        if !self.alone.load(Ordering::Relaxed) || !has_others() {
            return Some(job);
        }
        let Ok(mut connection) = self.connection.try_lock() else { return Some(job) };
        write_batch(&mut connection, job, || None);
        None
    }

    /// Waits until nobody writes.
    pub(super) fn wait(&self) {
        drop(self.connection.lock());
    }

    /// Takes jobs until the queue is closed and empty.
    #[expect(clippy::disallowed_methods, reason = "how long a commit took is no fact of the domain")]
    pub(super) fn write(&self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut pace = Pace::default();
        while let Some(first) = jobs.blocking_recv() {
            // Whoever comes now queues, rather than passing this job by.
            self.alone.store(false, Ordering::Relaxed);
            // Whoever panicked with it may have left a transaction open: no write is taken any more.
            let Ok(mut connection) = self.connection.lock() else { return };
            let begun = Instant::now();
            let mut done = 1;
            let count = write_batch(&mut connection, first, || {
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
            pace = Pace::after(count, jobs.len(), begun.elapsed());
            self.alone.store(pace.expected == 0, Ordering::Relaxed);
        }
    }
}

/// Commits a job and those that `more` gives, and answers them. How many they were.
#[expect(clippy::disallowed_methods, reason = "how long a commit took is no fact of the domain")]
fn write_batch(
    connection: &mut SqliteConnection,
    first: Box<dyn Job>,
    more: impl FnMut() -> Option<Box<dyn Job>>,
) -> usize {
    let begun = Instant::now();
    let (batch, outcome) = commit(connection, first, more);
    let count = batch.len();
    metrics::batch("sqlite", count, begun.elapsed());
    let outcome = outcome.map_err(|error| {
        let error = store_error(&error);
        tracing::error!(%error, waiting = count, "a commit failed");
        error
    });
    share::committed(count);
    for job in batch {
        job.answer(&outcome);
    }
    written::tell();
    count
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
