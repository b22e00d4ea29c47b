//! The operations of a database: reads, transactions, and changes of customers that share commits.

use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::future::{BoxFuture, FutureExt};
use patron_domain::{
    customer::{ChangeCustomerError, CustomerChanged},
    privacy::StorageKind,
    store::StoreError,
};

use crate::commits::Commits;

use super::{
    author::Ending,
    customer::change::Job,
    error::Failure,
    party::Party,
    unit::Reads,
    value::{Document, Key},
    writes::Writes,
};

/// A value of erased type.
pub(crate) type Answer = Box<dyn Any + Send>;

/// A read.
pub(crate) type Reading = Box<dyn for<'u> FnOnce(&'u (dyn Reads + 'u)) -> BoxFuture<'u, QueryResult<Answer>> + Send>;

/// A transaction up to its decision. It may run again if the transaction is rolled back.
pub(crate) type Deciding =
    Box<dyn for<'u> Fn(&'u (dyn Reads + 'u)) -> BoxFuture<'u, Result<Decision<Answer>, Failure<Answer>>> + Send + Sync>;

/// The decision of a transaction: what to write, and the answer once it is written.
#[derive(Debug)]
pub(crate) struct Decision<T> {
    pub(crate) answer: T,
    pub(crate) writes: Writes,
}

impl<T> Decision<T> {
    /// An answer without writes.
    pub(crate) fn nothing(answer: T) -> Self {
        Self { answer, writes: Writes::default() }
    }
}

/// The kind of a read, and the party whose turn it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A few rows by their keys. Look-ups have their own connections, so they do not wait for lists.
    LookUp,
    /// Many rows, or a few whose statements may see different states of the database.
    List(Party),
    /// Many rows whose statements must all see one state of the database.
    Snapshot(Party),
}

impl Pace {
    /// Many rows, in the turn of a party.
    pub(crate) fn list(party: impl Into<Party>) -> Self {
        Self::List(party.into())
    }
}

/// The key of a look-up of a customer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CustomerKey {
    /// The id, of a customer in any status.
    Id(Key),
    /// The external id, of a published customer.
    ExternalId(String),
}

/// A database.
#[async_trait]
pub(crate) trait Engine: Send + Sync {
    /// Runs a read.
    async fn read(&self, pace: Pace, work: Reading) -> Result<Answer, StoreError>;

    /// Looks up the document of a customer.
    async fn customer(&self, environment: i32, key: CustomerKey) -> Result<Option<Document>, StoreError>;

    /// Decides and writes in one transaction, and returns once it is durable. It is finished even if the caller stops
    /// waiting. A dry run is rolled back instead. It wakes no listener and does not count as a commit.
    async fn write(&self, party: Party, ending: Ending, work: Deciding) -> Result<Answer, Refused>;

    /// Changes a customer. Changes that wait at the same time share a commit.
    async fn change(&self, job: Job) -> Result<CustomerChanged, ChangeCustomerError>;

    /// The commits of this database by this process.
    fn commits(&self) -> Arc<Commits>;

    /// Checks whether the database responds.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The number of connections lost since the start. After a loss the database may be another one, so cached values
    /// are no longer valid.
    fn losses(&self) -> u64 {
        0
    }

    /// Removes old versions of erased records that the database keeps, as far as a client can.
    async fn forget(&self) -> Result<(), StoreError>;

    /// The kind of the database, for receipts.
    fn storage(&self) -> StorageKind;

    /// Updates the metrics that are read from the database.
    fn observe(&self);

    /// Commits the queued writes, and closes the database.
    async fn close(&self);
}

/// The reason why nothing was written.
pub(crate) enum Refused {
    /// The decision refused.
    Refused(Answer),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(crate) type Decided<'u, T, E> = BoxFuture<'u, Result<Decision<T>, Failure<E>>>;

/// Erases the types of a decision and of its refusal.
pub(crate) fn erase_decision<'u, T, E>(work: Decided<'u, T, E>) -> Decided<'u, Answer, Answer>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let erased = async move {
        let Decision { answer, writes } =
            work.await.map_err(|failure| failure.map(|refusal| Box::new(refusal) as Answer))?;
        Ok(Decision { answer: Box::new(answer) as Answer, writes })
    };
    erased.boxed()
}

/// Restores the types of an outcome.
pub(crate) fn typed<T, E>(outcome: Result<Answer, Refused>) -> Result<T, E>
where
    T: 'static,
    E: From<StoreError> + 'static,
{
    match outcome {
        Ok(answer) => answer.downcast().map(|answer| *answer).map_err(|_| mixed_up().into()),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(Refused::Refused(refusal)) => {
            Err(refusal.downcast().map_or_else(|_| mixed_up().into(), |refusal| *refusal))
        }
    }
}

/// Cannot happen: the type of the answer always belongs to the work.
pub(crate) fn mixed_up() -> StoreError {
    StoreError::Failed { reason: "an answer has an unexpected type".to_owned() }
}
