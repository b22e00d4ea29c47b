//! The port for idempotency records.

use async_trait::async_trait;

use super::{IdempotencyKey, IdempotencyRecord};
use crate::{store::StoreError, tenancy::EnvironmentScope};

/// Reads the records of idempotency keys. The repositories write each record together with its work.
///
/// A look-up here decides nothing: another request with the same key may come first before the work starts, so the
/// repository checks again. Its purpose is to answer a repeated request before checks that would now refuse it.
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
    /// The record of a key in the scope's environment, however old it is; `None` when there is none. Records of other
    /// environments MUST NOT be found.
    async fn find(
        &self,
        scope: &EnvironmentScope,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;
}
