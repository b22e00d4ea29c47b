//! The operations on events, with permission checks.

use std::sync::Arc;

use super::{EventEntity, EventLog, EventLogError, EventPage, EventQuery, EventRecord, LogTakenBack};
use crate::{
    customer::ReadError,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{Caller, Permission, PermissionDenied},
};

/// Why the log was not read.
///
/// ```
/// use patron_domain::event::{EventCursor, FollowError, LogTakenBack};
///
/// let error = FollowError::from(LogTakenBack { resume_from: EventCursor::START });
/// assert!(error.to_string().starts_with("the log was taken back"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The caller may not read.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The cursor belongs to events that the log no longer holds.
    #[error(transparent)]
    TakenBack(#[from] LogTakenBack),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<EventLogError> for FollowError {
    fn from(error: EventLogError) -> Self {
        match error {
            EventLogError::TakenBack(error) => error.into(),
            EventLogError::Store(error) => error.into(),
        }
    }
}

/// The event log, for callers with permissions.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{event::{EventQuery, EventService}, testkit::{MemoryStore, a_reader}};
///
/// # futures::executor::block_on(async {
/// let service = EventService { events: Arc::new(MemoryStore::default()) };
/// let page = service.read(&a_reader(), &EventQuery::default()).await.unwrap();
/// assert!(page.events.is_empty());
/// # });
/// ```
#[derive(Clone)]
pub struct EventService {
    /// The event log.
    pub events: Arc<dyn EventLog>,
}

impl EventService {
    /// The next events that match a query. A reader that continues where the page ends misses none.
    ///
    /// # Errors
    /// When the caller may not read, the log was taken back or the store fails.
    pub async fn read(&self, caller: &Caller, query: &EventQuery) -> Result<EventPage, FollowError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.events.read(scope, query).await?)
    }

    /// The events of one entity in any status, the oldest first.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn history(
        &self,
        caller: &Caller,
        entity: EventEntity,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.events.history(scope, entity, page).await?)
    }
}
