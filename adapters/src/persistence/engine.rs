//! What a database has to offer: reads, transactions, and changes of customers that share commits.

use std::any::Any;

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::future::BoxFuture;
use patron_domain::{
    customer::{ChangeCustomer, ChangeCustomerError, CustomerChanged},
    store::StoreError,
    tenancy::EnvironmentScope,
};

use super::{
    error::Failure,
    unit::Reads,
    value::{Document, Key},
    writes::Writes,
};

/// A value whose type does not show.
pub(crate) type Answer = Box<dyn Any + Send>;

/// A read.
pub(crate) type Reading = Box<dyn for<'u> FnOnce(&'u (dyn Reads + 'u)) -> BoxFuture<'u, QueryResult<Answer>> + Send>;

/// A transaction up to its decision. It may be run again after the transaction was taken back.
pub(crate) type Deciding =
    Box<dyn for<'u> Fn(&'u (dyn Reads + 'u)) -> BoxFuture<'u, Result<Decision<Answer>, Failure<Answer>>> + Send + Sync>;

/// What was decided in a transaction: what is answered once it is written.
#[derive(Debug)]
pub(crate) struct Decision<T> {
    pub(crate) answer: T,
    pub(crate) writes: Writes,
}

impl<T> Decision<T> {
    /// An answer for which nothing is written.
    pub(crate) fn nothing(answer: T) -> Self {
        Self { answer, writes: Writes::default() }
    }
}

/// How much a read takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A few rows by their keys.
    LookUp,
    /// Many rows, or a few of which each statement may see another state.
    List,
    /// The same, where all statements have to see one state.
    Snapshot,
}

/// What a customer is looked up by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CustomerKey {
    /// The id; in any status.
    Id(Key),
    /// The external id; published.
    ExternalId(String),
}

/// A database.
#[async_trait]
pub(crate) trait Engine: Send + Sync {
    /// Reads.
    async fn read(&self, pace: Pace, work: Reading) -> Result<Answer, StoreError>;

    /// Looks a customer up: its document.
    async fn customer(&self, environment: i32, key: CustomerKey) -> Result<Option<Document>, StoreError>;

    /// Decides and writes in one transaction, and answers when it is durable. It is finished even when the caller goes away.
    async fn write(&self, work: Deciding) -> Result<Answer, Refused>;

    /// Changes a customer; changes that wait together share a commit.
    async fn change(
        &self,
        scope: &EnvironmentScope,
        environment: i32,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError>;

    /// Asks the database whether it answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Sets the figures that are read rather than counted.
    fn observe(&self);

    /// Commits the writes that were taken, and closes.
    async fn close(&self);
}

/// Why nothing was written.
pub(crate) enum Refused {
    /// The decision's own refusal.
    Refused(Answer),
    /// The database's.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
