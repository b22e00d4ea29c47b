//! The port for the log of events.

use async_trait::async_trait;

use super::{EventEntity, EventPage, EventPosition, EventQuery, EventRecord, Reached};
use crate::{
    ids::EventId,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

/// Readers of the log that Patron itself keeps, such as webhook endpoints.
///
/// ```
/// use async_trait::async_trait;
/// use patron_domain::{
///     event::{EventPosition, EventReaders},
///     lifecycle::Owner,
///     store::StoreError,
///     tenancy::SystemScope,
/// };
///
/// /// One reader, which has read nothing yet.
/// struct Newcomer;
///
/// #[async_trait]
/// impl EventReaders for Newcomer {
///     async fn furthest_behind(&self, _: &SystemScope, _: Owner) -> Result<Option<EventPosition>, StoreError> {
///         Ok(Some(EventPosition::START))
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait EventReaders: Send + Sync {
    /// Where the one stands that is furthest behind in the log of an environment; `None` when there is none. Nothing
    /// behind it is removed.
    async fn furthest_behind(&self, scope: &SystemScope, owner: Owner) -> Result<Option<EventPosition>, StoreError>;
}

/// Takes events as they are read; a closure is one.
///
/// ```
/// use patron_domain::{event::{EventLog, EventQuery, EventRecord}, tenancy::SystemScope, testkit::{MemoryStore, a_scope}};
///
/// # futures::executor::block_on(async {
/// let (store, mut types) = (MemoryStore::default(), Vec::new());
/// let sink = Box::new(|event: EventRecord| types.push(event.kind.event_type()));
/// store.read_each(&SystemScope::patron(), a_scope().owner, &EventQuery::default(), sink).await.unwrap();
/// assert_eq!(types, []);
/// # });
/// ```
pub trait EventSink: Send {
    /// Takes the next one.
    fn take(&mut self, event: EventRecord);
}

impl<F: FnMut(EventRecord) + Send> EventSink for F {
    fn take(&mut self, event: EventRecord) {
        self(event);
    }
}

/// Reads what the repositories of customers and tax rates have written to the log, each event with its change.
///
/// Every method MUST be blind to everything outside its scope. The positions of an environment's events MUST be 1, 2, 3 …
/// without gaps, in the order of their commits; so of two events of one entity the one with the larger sequence has the larger
/// position.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{event::{EventLog, EventPosition}, tenancy::SystemScope, testkit::{MemoryStore, an_owner}};
///
/// # futures::executor::block_on(async {
/// let events: Arc<dyn EventLog> = Arc::new(MemoryStore::default());
/// assert_eq!(events.end(&SystemScope::patron(), an_owner()).await, Ok(EventPosition::START));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait EventLog: Send + Sync {
    /// The next events of an environment that a query admits.
    ///
    /// Whoever reads on from [`EventPage::reached`] again and again MUST get every event exactly once, whoever writes
    /// meanwhile, on however many instances: the answer MUST NOT go past a position at which an event can still appear.
    /// When filters admit nothing, the reader MUST get on all the same. A store MAY look through a part of the log only,
    /// if it says so with [`EventPage::has_more`]. A write that was answered before this call MUST be found, unless one
    /// that began earlier has not ended yet.
    async fn read(&self, scope: &EnvironmentScope, query: &EventQuery) -> Result<EventPage, StoreError> {
        let mut events = Vec::new();
        let sink = Box::new(|event| events.push(event));
        let reached = self.read_each(&SystemScope::patron(), scope.owner, query, sink).await?;
        Ok(EventPage::of(events, reached))
    }

    /// The same for Patron's own work in an environment, such as delivering webhooks. Hands over each event in its order, as
    /// soon as it is read: a long page takes no more memory than what is kept of it. What was handed over before an error
    /// counts for nothing. [`HandOver`](super::HandOver) does it as the query asks.
    async fn read_each<'a>(
        &self,
        scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, StoreError>;

    /// The position of the last event of an environment.
    async fn end(&self, scope: &SystemScope, owner: Owner) -> Result<EventPosition, StoreError>;

    /// One event; `None` when the scope has none with this id.
    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError>;

    /// The events of one entity, the oldest first, with their number. Empty for what is unknown.
    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError>;
}
