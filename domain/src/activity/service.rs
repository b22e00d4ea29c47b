//! Reading activity, newest first.

use std::sync::Arc;

use super::{Activity, ActivityCursor, ActivityPage, ActivityQuery, page::merged};
use crate::{
    audit::{AuditEntry, AuditLog, AuditQuery},
    customer::ReadError,
    event::{EventLog, EventRecord},
    ids::{AuditEntryId, EventId},
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission},
};

/// Activity, for callers with permissions. Entries of the audit log are for administrators only.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     activity::{ActivityQuery, ActivityService},
///     testkit::{MemoryStore, a_caller},
/// };
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let service = ActivityService { events: store.clone(), audit: Some(store) };
/// assert!(service.list(&a_caller(), &ActivityQuery::default()).await.unwrap().items.is_empty());
/// # });
/// ```
#[derive(Clone)]
pub struct ActivityService {
    /// The event log.
    pub events: Arc<dyn EventLog>,
    /// The audit log, if there is one.
    pub audit: Option<Arc<dyn AuditLog>>,
}

/// How many portions of both logs one page reads at most, because conditions may skip many items.
const MOST_PORTIONS: usize = 20;

impl ActivityService {
    /// A page of activity, newest first. A reader that continues where a page ends gets every item once.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn list(&self, caller: &Caller, query: &ActivityQuery) -> Result<ActivityPage, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        let audit = self.audit_for(caller).filter(|_| query.admits_entries());
        let (portion, limit) = (query.portion(), usize::from(query.limit));
        let (mut items, mut place) = (Vec::new(), query.after);
        for _ in 0..MOST_PORTIONS {
            let events = match query.admits_events() {
                true => self.events.latest(scope, query.entity(), place.event, portion).await?,
                false => Vec::new(),
            };
            let entries = entries(scope, audit, place, portion).await?;
            let (both, is_end) = merged(events, entries, portion.into());
            let last = both.len();
            for (number, item) in (1..).zip(both) {
                if query.ends_at(&item) {
                    return Ok(ActivityPage { items, next: None });
                }
                place = place.behind(&item);
                if query.admits(&item) {
                    items.push(item);
                }
                if items.len() == limit {
                    let next = (number < last || !is_end).then_some(place);
                    return Ok(ActivityPage { items, next });
                }
            }
            if is_end {
                return Ok(ActivityPage { items, next: None });
            }
        }
        Ok(ActivityPage { items, next: Some(place) })
    }

    /// One item by its id; `None` if there is none, or the caller may not see it.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn find(&self, caller: &Caller, id: &str) -> Result<Option<Activity>, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        if let Ok(id) = EventId::parse(id) {
            let found = self.events.find(scope, id).await?;
            return Ok(found.map(|event| Activity::Event(Box::new(EventRecord { state: None, ..event }))));
        }
        let (Some(audit), Ok(id)) = (self.audit_for(caller), AuditEntryId::parse(id)) else { return Ok(None) };
        let Some(before) = AuditEntry::number_of(id).and_then(|number| number.next()) else { return Ok(None) };
        let found = audit.entries(scope, AuditQuery { before: Some(before), limit: 1 }).await?;
        Ok(found.into_iter().find(|entry| entry.id() == id).map(Activity::Entry))
    }

    /// The audit log, if the caller may read it.
    fn audit_for(&self, caller: &Caller) -> Option<&dyn AuditLog> {
        self.audit.as_deref().filter(|_| caller.authorise(Permission::Administer).is_ok())
    }
}

/// The next portion of the audit log; empty without one.
async fn entries(
    scope: &EnvironmentScope,
    audit: Option<&dyn AuditLog>,
    place: ActivityCursor,
    limit: u16,
) -> Result<Vec<AuditEntry>, StoreError> {
    match audit {
        Some(audit) => audit.entries(scope, AuditQuery { before: place.entry, limit }).await,
        None => Ok(Vec::new()),
    }
}
