//! The port for removing old data.

use async_trait::async_trait;

use crate::{event::EventPosition, lifecycle::Owner, store::StoreError, tenancy::SystemScope, time::Timestamp};

/// Removes old data. Every method works in limited steps, so that it does not block other work for long.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{retention::RetentionStore, tenancy::SystemScope, testkit::{MemoryStore, a_time}};
///
/// # futures::executor::block_on(async {
/// let store: Arc<dyn RetentionStore> = Arc::new(MemoryStore::default());
/// assert_eq!(store.remove_kept_answers(&SystemScope::patron(), a_time(), 1_000).await, Ok(0));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// Removes idempotency records of all tenants that are older than a time, at most `limit`. Returns their number.
    async fn remove_kept_answers(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// Removes old events of one environment, with their payloads, from the beginning of its log: the old ones among
    /// the first `limit`. Returns their number.
    ///
    /// The last event of the environment MUST stay, so that no position is used twice.
    async fn remove_events(
        &self,
        scope: &SystemScope,
        owner: Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError>;
}

/// Selects old events.
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
    /// Their position is at most this. No reader of the log is further behind.
    pub up_to: EventPosition,
}
