//! The port for clearing away what was kept long enough.

use async_trait::async_trait;

use crate::{event::EventPosition, lifecycle::Owner, store::StoreError, tenancy::SystemScope, time::Timestamp};

/// Clears away what has served its time. Every method works in bounded steps, so that it never holds others up for long.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{retention::Housekeeping, tenancy::SystemScope, testkit::{MemoryStore, a_time}};
///
/// # futures::executor::block_on(async {
/// let house: Arc<dyn Housekeeping> = Arc::new(MemoryStore::default());
/// assert_eq!(house.remove_idempotency_records(&SystemScope::patron(), a_time(), 1_000).await, Ok(0));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Housekeeping: Send + Sync {
    /// Removes records of idempotency keys, of every tenant, that were made before a time: at most `limit` of them.
    /// Answers how many it removed.
    async fn remove_idempotency_records(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// Removes old events of one environment, with their payloads, from the beginning of its log: of the first `limit`
    /// those that are old. Answers how many it removed.
    ///
    /// MUST leave the last event of the environment, so that no position is ever given twice.
    async fn remove_events(
        &self,
        scope: &SystemScope,
        owner: Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError>;
}

/// Which events are old.
///
/// ```
/// use patron_domain::{event::EventPosition, retention::OldEvents, testkit::a_time};
///
/// let old = OldEvents { happened_before: a_time(), up_to: EventPosition::MAX };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldEvents {
    /// They happened before this time.
    pub happened_before: Timestamp,
    /// They stand here or before: nobody who reads the log is further behind.
    pub up_to: EventPosition,
}
