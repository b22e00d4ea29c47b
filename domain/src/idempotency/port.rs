//! The port for the records of idempotency keys.

use async_trait::async_trait;

use super::{IdempotencyKey, IdempotencyRecord};
use crate::{store::StoreError, tenancy::EnvironmentScope};

/// Tells what the repositories have kept under the keys of clients, each record written with its work.
///
/// It decides nothing: between looking and doing, another request of the same key may come first, so whoever does the work
/// looks again. It spares what comes before the work, and would refuse a repetition for what has changed meanwhile.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     idempotency::{IdempotencyKey, IdempotencyRecords},
///     testkit::{MemoryStore, a_scope},
/// };
///
/// # futures::executor::block_on(async {
/// let records: Arc<dyn IdempotencyRecords> = Arc::new(MemoryStore::default());
/// let key = IdempotencyKey::new("order-4711").unwrap();
/// assert_eq!(records.find(&a_scope(), &key).await, Ok(None));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait IdempotencyRecords: Send + Sync {
    /// The record of a key of the scope's environment, however old it is; `None` when there is none. MUST be blind to the
    /// records of every other environment.
    async fn find(
        &self,
        scope: &EnvironmentScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;
}
