//! One commit for many jobs.
//!
//! Jobs run one after another without savepoints, which cost more than the writes of most jobs. If the database fails a
//! job, the whole transaction is rolled back and run again with a savepoint around each job, so that only the failing
//! one is lost. That is rare: refusals are found before the first write.

use diesel::{Connection, QueryResult, SqliteConnection, result::Error};
use futures_util::FutureExt;
use patron_domain::store::StoreError;
use tokio::sync::oneshot;

use super::unit::{Logs, SqliteUnit};
use crate::persistence::{
    author::Ending,
    engine::{Answer, Deciding, Refused},
    error::{Failure, store_error},
};

/// The most jobs of one commit: enough to share the cost of the disk, few enough to keep the wait short.
pub(super) const MAX_BATCH: usize = 64;

/// The work of a transaction, with the channel for its outcome.
pub(super) struct Job {
    work: Deciding,
    ending: Ending,
    outcome: Option<Result<Answer, Refused>>,
    answer: oneshot::Sender<Result<Answer, Refused>>,
}

impl Job {
    pub(super) fn new(ending: Ending, work: Deciding, answer: oneshot::Sender<Result<Answer, Refused>>) -> Self {
        Self { work, ending, outcome: None, answer }
    }

    /// Whether it may change the database.
    pub(super) fn writes(&self) -> bool {
        self.ending == Ending::Commit
    }

    /// Decides and writes. After an error of the database, the caller must roll back.
    fn run(&mut self, connection: &mut SqliteConnection, logs: &mut Logs) -> QueryResult<()> {
        match self.ending {
            Ending::Commit => self.attempt(connection, logs),
            Ending::DryRun => {
                // In a savepoint, which is then rolled back.
                let taken_back = connection.transaction(|connection| {
                    // An error of the database is part of the outcome, and is gone with the savepoint.
                    let _ = self.attempt(connection, logs);
                    Err::<(), _>(Error::RollbackTransaction)
                });
                match taken_back {
                    Err(Error::RollbackTransaction) => Ok(()),
                    other => other,
                }
            }
        }
    }

    fn attempt(&mut self, connection: &mut SqliteConnection, logs: &mut Logs) -> QueryResult<()> {
        let unit = SqliteUnit::new(connection, logs);
        let work = async {
            let decision = (self.work)(&unit).await?;
            match self.ending {
                Ending::Commit => decision.writes.apply(&unit).await?,
                Ending::DryRun => decision.writes.try_out(&unit).await?,
            }
            Ok(decision.answer)
        };
        // SQLite's statements never wait.
        match work.now_or_never().unwrap_or(Err(Failure::Database(Error::NotInTransaction))) {
            Ok(answer) => self.outcome = Some(Ok(answer)),
            Err(Failure::Refused(refusal)) => self.outcome = Some(Err(Refused::Refused(refusal))),
            Err(Failure::Database(error)) => {
                self.outcome = Some(Err(Refused::Store(store_error(&error))));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends the outcome, once the commit has succeeded or failed.
    pub(super) fn answer(self, commit: &Result<(), StoreError>) {
        let outcome = match (commit, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Err(error), Some(Ok(_)) | None) => Err(Refused::Store(error.clone())),
            (Err(_), Some(refused)) => refused,
            (Ok(()), None) => return,
        };
        // The caller may have stopped waiting. The write is not undone.
        let _ = self.answer.send(outcome);
    }
}

/// Commits a job and those that `more` returns in the meantime. Sends all answers, and returns whether the commit
/// succeeded.
pub(super) fn commit(
    connection: &mut SqliteConnection,
    first: Job,
    mut more: impl FnMut() -> Option<Job>,
) -> (Vec<Job>, QueryResult<()>) {
    let mut batch = vec![first];
    let mut failed = false;
    let together = connection.immediate_transaction::<_, Error, _>(|connection| {
        let mut logs = Logs::default();
        let mut done = 0;
        while let Some(job) = batch.get_mut(done) {
            if let Err(error) = job.run(connection, &mut logs) {
                failed = true;
                return Err(error);
            }
            done += 1;
            if done < MAX_BATCH {
                batch.extend(more());
            }
        }
        logs.write(connection)?;
        // Without a write there is nothing to bring to the disk.
        if batch.iter().any(Job::writes) { Ok(()) } else { Err(Error::RollbackTransaction) }
    });
    let outcome = match together {
        _ if failed => apart(connection, &mut batch),
        Err(Error::RollbackTransaction) => Ok(()),
        together => together,
    };
    (batch, outcome)
}

/// The same, with each job in a savepoint.
fn apart(connection: &mut SqliteConnection, batch: &mut [Job]) -> QueryResult<()> {
    connection.immediate_transaction(|connection| {
        let mut logs = Logs::default();
        for job in batch {
            let before = logs.clone();
            let run = connection.transaction(|connection| job.run(connection, &mut logs));
            if run.is_err() {
                logs = before;
            }
        }
        logs.write(connection)
    })
}
