//! What waits for the writer: a piece of work, and who wants its outcome.

use diesel::{Connection, SqliteConnection};
use patron_domain::store::StoreError;
use tokio::sync::oneshot;

use super::batch::Totals;
use crate::persistence::error::Failure;

/// A piece of work whose type does not show.
pub(super) trait Job: Send {
    /// Does the work, and says whether the transaction may go on: after an error of the database it has to be taken back.
    fn run(&mut self, connection: &mut SqliteConnection, totals: &mut Totals) -> bool;

    /// The same in a savepoint of its own: an error takes back this job's writes alone, and the transaction goes on.
    fn run_apart(&mut self, connection: &mut SqliteConnection, totals: &mut Totals);

    /// Hands the outcome over, now that the commit stands or has failed.
    fn answer(self: Box<Self>, commit: &Result<(), StoreError>);
}

/// A piece of work, its outcome when it has been done, and where that is waited for.
pub(super) struct Task<T, E, F> {
    work: F,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Task<T, E, F>
where
    E: From<StoreError>,
    F: Fn(&mut SqliteConnection, &mut Totals) -> Result<T, Failure<E>>,
{
    pub(super) fn new(work: F, answer: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work, outcome: None, answer }
    }

    /// Keeps the outcome. Whether it is sound.
    fn keep(&mut self, done: Result<T, Failure<E>>) -> bool {
        let sound = !matches!(done, Err(Failure::Database(_)));
        self.outcome = Some(done.map_err(Failure::into_port_error));
        sound
    }
}

impl<T, E, F> Job for Task<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: Fn(&mut SqliteConnection, &mut Totals) -> Result<T, Failure<E>> + Send,
{
    fn run(&mut self, connection: &mut SqliteConnection, totals: &mut Totals) -> bool {
        #[cfg(debug_assertions)]
        let before = written(connection);
        let done = (self.work)(connection, totals);
        #[cfg(debug_assertions)]
        if matches!(done, Err(Failure::Refused(_))) {
            debug_assert_eq!(before, written(connection), "a refusal has to come before the first write");
        }
        self.keep(done)
    }

    fn run_apart(&mut self, connection: &mut SqliteConnection, totals: &mut Totals) {
        let done = connection.transaction(|connection| (self.work)(connection, totals));
        self.keep(done);
    }

    fn answer(self: Box<Self>, commit: &Result<(), StoreError>) {
        let Self { outcome, answer, .. } = *self;
        let Some(outcome) = outcome else { return };
        let outcome = match commit {
            Ok(()) => outcome,
            Err(error) => outcome.and_then(|_| Err(error.clone().into())),
        };
        // The caller may have gone away; the write stands all the same.
        let _ = answer.send(outcome);
    }
}

/// How many rows this connection has written so far.
#[cfg(debug_assertions)]
fn written(connection: &mut SqliteConnection) -> Option<i64> {
    use diesel::RunQueryDsl;
    diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT total_changes()").get_result(connection).ok()
}
