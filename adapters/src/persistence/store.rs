//! The open database that all ports share. Each concept's folder implements its own port for it.

use std::sync::{Arc, OnceLock};

use diesel::QueryResult;
use futures_util::future::{BoxFuture, FutureExt};
use patron_domain::{lifecycle::Owner, privacy::SubjectKey, store::StoreError, tenancy::Origin};

use super::{
    author::Author,
    customer::totals::Totals,
    engine::{Answer, Deciding, Decision, Engine, Pace, erase_decision, mixed_up, typed},
    error::Failure,
    owners::{OF_NO_ENVIRONMENT, Owners},
    party::Party,
    report,
    unit::Reads,
};

/// An open database, as all ports use it.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) owners: Arc<Owners>,
    pub(crate) totals: Arc<Totals>,
    subject_key: Arc<OnceLock<SubjectKey>>,
}

impl Store {
    pub(crate) fn over(engine: Arc<dyn Engine>) -> Self {
        Self { engine, owners: Arc::default(), totals: Arc::default(), subject_key: Arc::default() }
    }

    /// The key that recognises erased customers, once it is open.
    pub(crate) fn subject_key(&self) -> Option<&SubjectKey> {
        self.subject_key.get()
    }

    /// Sets the key. Later calls have no effect.
    pub(crate) fn use_subject_key(&self, key: SubjectKey) {
        let _ = self.subject_key.set(key);
    }

    /// Runs a read.
    pub(crate) async fn read<T, F>(&self, pace: Pace, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'u> FnOnce(&'u (dyn Reads + 'u)) -> BoxFuture<'u, QueryResult<T>> + Send + 'static,
    {
        let answer = self.engine.read(pace, Box::new(move |unit| erase(work(unit)))).await?;
        answer.downcast::<T>().map(|answer| *answer).map_err(|_| mixed_up())
    }

    /// Decides and writes in one transaction, in the turn of a party. `work` reads and decides. It may run again if the
    /// transaction is rolled back.
    ///
    /// The author determines the end: a dry run is rolled back. Ports do not depend on it.
    pub(crate) async fn write<T, E, F>(&self, author: Author, party: impl Into<Party>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'u> Fn(&'u (dyn Reads + 'u)) -> BoxFuture<'u, Result<Decision<T>, Failure<E>>> + Send + Sync + 'static,
    {
        let ending = author.ending();
        let work: Deciding = match author.report() {
            Some(_) => Box::new(move |unit| report::reporting(unit, author.clone(), erase_decision(work(unit)))),
            None => Box::new(move |unit| erase_decision(work(unit))),
        };
        typed(self.engine.write(party.into(), ending, work).await)
    }

    /// The number of an environment. `None` if nothing was ever written for it.
    pub(crate) async fn environment(&self, owner: Owner) -> Result<Option<i32>, StoreError> {
        self.owners.find(self, owner).await
    }

    /// The number of an environment. Assigns one if it has none, except for a dry run.
    pub(crate) async fn environment_to_write(&self, origin: &Origin, owner: Owner) -> Result<i32, StoreError> {
        match origin.is_dry_run() {
            true => Ok(self.environment(owner).await?.unwrap_or(OF_NO_ENVIRONMENT)),
            false => self.owners.find_or_make(self, owner).await,
        }
    }
}

fn erase<'u, T: Send + 'static>(work: BoxFuture<'u, QueryResult<T>>) -> BoxFuture<'u, QueryResult<Answer>> {
    async move { work.await.map(|answer| Box::new(answer) as Answer) }.boxed()
}
