//! Looking up an earlier state of an entity, and the differences between two.

use std::sync::Arc;

use super::{EventEntity, EventLog, EventState};
use crate::{
    clock::Clock,
    customer::{CustomerAggregate, ExternalId, held_at},
    diff::{Change, changes},
    ids::CustomerId,
    lifecycle::{Status, Version},
    store::StoreError,
    tenancy::{Caller, Permission, PermissionDenied},
    time::Timestamp,
    violation::{Rule, Violations},
};

/// The state of an entity that is looked up.
///
/// ```
/// use patron_domain::{event::Moment, lifecycle::Version};
///
/// assert_ne!(Moment::Version(Version::FIRST), Moment::Version(Version::FIRST.next()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The state at a time. A change counts from its own time on.
    At(Timestamp),
    /// The state after a change, by its sequence.
    Version(Version),
}

/// An earlier state of an entity.
///
/// ```
/// use patron_domain::event::Past;
///
/// assert_ne!(Past::Absent, Past::Removed { oldest_at: patron_domain::testkit::a_time() });
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Past {
    /// The state.
    State(Box<EventState>),
    /// The entity did not exist yet, or never did, or does not have so many versions.
    Absent,
    /// The events of that time were removed.
    Removed {
        /// The time of the oldest state that can still be looked up.
        oldest_at: Timestamp,
    },
}

/// Why an earlier state was not found.
///
/// ```
/// use patron_domain::{event::PastError, store::StoreError};
///
/// let unavailable = PastError::from(StoreError::unavailable("it restarts"));
/// assert_eq!(unavailable.to_string(), "the database is not available: it restarts");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PastError {
    /// The caller may not read.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The time is in the future.
    #[error("the time is in the future")]
    Invalid(Violations),
    /// There was no such customer.
    #[error("no such customer existed at that time")]
    Unknown,
    /// The customer does not have this version.
    #[error("the customer does not have this version")]
    UnknownVersion,
    /// The events of that time were removed.
    #[error("the events of that time were removed; the oldest remaining state is that of {oldest_at}")]
    Removed {
        /// The time of the oldest state that can still be looked up.
        oldest_at: Timestamp,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The time is in the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must not be in the future")]
struct InFuture;

impl Rule for InFuture {
    fn rule(&self) -> &'static str {
        "not_future"
    }
}

/// Earlier states of customers, for callers with permissions.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     event::{PastError, PastService},
///     testkit::{FixedClock, MemoryStore, a_reader, a_time, an_id},
/// };
///
/// # futures::executor::block_on(async {
/// let past = PastService { events: Arc::new(MemoryStore::default()), clock: Arc::new(FixedClock::default()) };
/// assert_eq!(past.at(&a_reader(), an_id(1), a_time()).await, Err(PastError::Unknown));
/// # });
/// ```
#[derive(Clone)]
pub struct PastService {
    /// The event log.
    pub events: Arc<dyn EventLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl PastService {
    /// A customer as it was at a time.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn at(&self, caller: &Caller, id: CustomerId, at: Timestamp) -> Result<CustomerAggregate, PastError> {
        self.is_past(at)?;
        self.find(caller, id, Moment::At(at)).await?.ok_or(PastError::Unknown)
    }

    /// The customer that was published with an external id at a time, as it was then. Later renames are not followed.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn at_by_external_id(
        &self,
        caller: &Caller,
        external_id: &ExternalId,
        at: Timestamp,
    ) -> Result<CustomerAggregate, PastError> {
        self.is_past(at)?;
        let scope = caller.authorise(Permission::Read)?;
        let terms = self.events.external_id_terms(scope, external_id).await?;
        for id in held_at(terms, at) {
            let found = self.find(caller, id, Moment::At(at)).await?;
            let found = found.filter(|found| found.customer.status == Status::Published);
            if let Some(found) = found.filter(|found| found.customer.external_id == *external_id) {
                return Ok(found);
            }
        }
        Err(PastError::Unknown)
    }

    /// A version of a customer.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn version(
        &self,
        caller: &Caller,
        id: CustomerId,
        version: Version,
    ) -> Result<CustomerAggregate, PastError> {
        self.find(caller, id, Moment::Version(version)).await?.ok_or(PastError::UnknownVersion)
    }

    /// The changes from one version of a customer to another. `show` builds the tree that is compared.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn diff(
        &self,
        caller: &Caller,
        id: CustomerId,
        (from, to): (Version, Version),
        show: impl Fn(&CustomerAggregate) -> serde_json::Value + Send + Sync,
    ) -> Result<Vec<Change>, PastError> {
        let from = self.version(caller, id, from).await?;
        let to = self.version(caller, id, to).await?;
        Ok(changes(&show(&from), &show(&to)))
    }

    async fn find(
        &self,
        caller: &Caller,
        id: CustomerId,
        moment: Moment,
    ) -> Result<Option<CustomerAggregate>, PastError> {
        let scope = caller.authorise(Permission::Read)?;
        match self.events.past(scope, EventEntity::Customer(id), moment).await? {
            Past::State(state) => Ok(state.into_customer()),
            Past::Absent => Ok(None),
            Past::Removed { oldest_at } => Err(PastError::Removed { oldest_at }),
        }
    }

    fn is_past(&self, at: Timestamp) -> Result<(), PastError> {
        if at <= self.clock.now() {
            return Ok(());
        }
        let mut broken = Violations::new();
        broken.add("at", &InFuture);
        Err(PastError::Invalid(broken))
    }
}
