//! The port for the event log.

use async_trait::async_trait;

use super::{
    EventCursor, EventEntity, EventPage, EventPosition, EventQuery, EventRecord, LogTakenBack, Moment, Past, Reached,
};
use crate::{
    customer::{ExternalId, ExternalIdTerm},
    ids::EventId,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
};

/// The positions of log readers inside Patron, such as webhook endpoints.
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
/// /// One reader, which has not read anything yet.
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
    /// The position of the reader that is furthest behind in the log of an environment; `None` when there is no reader.
    /// Only events up to this position may be removed.
    async fn furthest_behind(&self, scope: &SystemScope, owner: Owner) -> Result<Option<EventPosition>, StoreError>;
}

/// Receives events while they are read. Closures implement it.
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
    /// Receives the next event.
    fn take(&mut self, event: EventRecord);
}

impl<F: FnMut(EventRecord) + Send> EventSink for F {
    fn take(&mut self, event: EventRecord) {
        self(event);
    }
}

/// Why the log was not read.
///
/// ```
/// use patron_domain::{event::EventLogError, store::StoreError};
///
/// let error = EventLogError::from(StoreError::unavailable("it restarts"));
/// assert_eq!(error.to_string(), "the database is not available: it restarts");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventLogError {
    /// The cursor belongs to events that the log no longer holds.
    #[error(transparent)]
    TakenBack(#[from] LogTakenBack),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For readers that cannot continue elsewhere. To them, a log that was taken back is a failure of the store.
impl From<EventLogError> for StoreError {
    fn from(error: EventLogError) -> Self {
        match error {
            EventLogError::TakenBack(error) => Self::Failed { reason: error.to_string() },
            EventLogError::Store(error) => error,
        }
    }
}

/// Reads the event log. The repositories of customers and tax rates write each event together with its change.
///
/// Every method MUST see only data in its scope. The positions of an environment's events MUST be 1, 2, 3 … without
/// gaps, in the order of their commits. So of two events of one entity the one with the larger sequence has the larger
/// position.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{event::{EventCursor, EventLog}, tenancy::SystemScope, testkit::{MemoryStore, an_owner}};
///
/// # futures::executor::block_on(async {
/// let events: Arc<dyn EventLog> = Arc::new(MemoryStore::default());
/// assert_eq!(events.end(&SystemScope::patron(), an_owner()).await, Ok(EventCursor::START));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait EventLog: Send + Sync {
    /// The next events of an environment that match a query.
    ///
    /// A reader that always continues from [`EventPage::reached`] MUST get every event exactly once, whatever is
    /// written at the same time on any number of instances. So the page MUST NOT go beyond a position at which an event
    /// can still appear. The reader MUST make progress even if no event matches. A store MAY read only a part of the
    /// log, if [`EventPage::has_more`] says so. The page MUST include writes that returned before this call, unless a
    /// write that began earlier is still running.
    ///
    /// A cursor that [was taken back](EventCursor::was_taken_back) MUST be refused with [`EventLogError::TakenBack`].
    /// Its `resume_from` is the place after the last event before the first
    /// [doubtful](EventCursor::first_doubtful) one, or the end of the log when there is none. For a cursor without a
    /// mark it is the start of the log.
    async fn read(&self, scope: &EnvironmentScope, query: &EventQuery) -> Result<EventPage, EventLogError> {
        let mut events = Vec::new();
        let sink = Box::new(|event| events.push(event));
        let reached = self.read_each(&SystemScope::patron(), scope.owner, query, sink).await?;
        Ok(EventPage::of(events, reached))
    }

    /// The same for Patron's own work in an environment, such as webhook deliveries. Each event is handed over in order
    /// as soon as it is read, so a long page needs little memory. After an error, the events handed over so far must be
    /// discarded. [`HandOver`](super::HandOver) implements the limits of the query.
    async fn read_each<'a>(
        &self,
        scope: &SystemScope,
        owner: Owner,
        query: &EventQuery,
        sink: Box<dyn EventSink + 'a>,
    ) -> Result<Reached, EventLogError>;

    /// Behind the last event of an environment.
    async fn end(&self, scope: &SystemScope, owner: Owner) -> Result<EventCursor, StoreError>;

    /// One event; `None` when the scope has none with this id.
    async fn find(&self, scope: &EnvironmentScope, id: EventId) -> Result<Option<EventRecord>, StoreError>;

    /// The events of one entity, the oldest first, with their number. Empty for an unknown entity.
    async fn history(
        &self,
        scope: &EnvironmentScope,
        entity: EventEntity,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError>;

    /// The state of an entity at a moment.
    ///
    /// This MUST be the state after its last event up to a time, by the events' own times, or after the event with a
    /// version's sequence. The state that the entity has now MUST be found even if its event was removed. If the state was
    /// erased, or the scope has no such entity, this MUST return [`Past::Absent`]. If the events before the oldest
    /// remaining one were removed and the moment is earlier, it MUST return [`Past::Removed`] with the time of the oldest
    /// state that is left.
    async fn past(&self, scope: &EnvironmentScope, entity: EventEntity, moment: Moment) -> Result<Past, StoreError>;

    /// Every term of an external id among the customers of the scope, of any status, in any order: see
    /// [`CustomerAggregate::terms_of`](crate::customer::CustomerAggregate::terms_of).
    async fn external_id_terms(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Vec<ExternalIdTerm>, StoreError>;

    /// The newest events of the scope before a position, without their states, the newest first: of all entities, or of one.
    async fn latest(
        &self,
        scope: &EnvironmentScope,
        entity: Option<EventEntity>,
        before: Option<EventPosition>,
        limit: u16,
    ) -> Result<Vec<EventRecord>, StoreError>;
}
