//! The port for the audit log.

use async_trait::async_trait;

use super::{Act, AuditAction, AuditEntry, AuditNumber, AuditObject};
use crate::{
    ids::ApiKeyId,
    lifecycle::Owner,
    store::StoreError,
    tenancy::{EnvironmentScope, Origin, SystemScope},
    time::Timestamp,
};

/// Selects entries, the newest first.
///
/// ```
/// use patron_domain::audit::AuditQuery;
///
/// let newest = AuditQuery { before: None, limit: 50 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only entries before this one.
    pub before: Option<AuditNumber>,
    /// The maximum number of results.
    pub limit: u16,
}

/// The number of refused uses of a key in one hour.
///
/// ```
/// use patron_domain::{audit::RefusedUses, tenancy::Origin, testkit::{a_time, an_api_key, an_owner}};
///
/// let (hour, origin) = (a_time().hour(), Origin::default());
/// let uses = RefusedUses { key: an_api_key().id, owner: an_owner(), hour, count: 7, origin };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedUses {
    /// The key.
    pub key: ApiKeyId,
    /// The environment that the key belongs to.
    pub owner: Owner,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// The number of uses.
    pub count: u64,
    /// The origin of the last use.
    pub origin: Origin,
}

impl RefusedUses {
    /// Whether an entry of the key's environment counts these uses.
    #[must_use]
    pub fn is_counted_in(&self, entry: &AuditEntry) -> bool {
        let Act { action, object, .. } = &entry.act;
        (*action, *object, entry.at) == (AuditAction::KeyRefused, AuditObject::ApiKey(self.key), self.hour)
    }
}

/// The maximum number of counts in one call of [`AuditLog::count_refused_uses`].
pub const MAX_REFUSED_USES: usize = 100;

/// Stores the audit log. Every method MUST be atomic, durable when it returns, and see only data in its scope.
///
/// Other ports write the entries. Each of their methods MUST write the entry for its change in the same transaction,
/// with the actor and origin of its scope: [`ApiKeyRepository`](crate::tenancy::ApiKeyRepository) and
/// [`TenancyRepository`](crate::tenancy::TenancyRepository) for keys and environments, and the ports of webhooks and
/// onboarding for endpoints and workflows. [`Act`](super::Act) gives the content of the entry. Methods
/// MUST NOT write an entry when nothing changed, or when a request is repeated with its idempotency key. An entry
/// belongs to the log of the environment that the change affects, and also to the log of [`Origin::home`] if that is
/// another environment.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{audit::{AuditLog, AuditQuery}, testkit::{MemoryStore, a_scope}};
///
/// # futures::executor::block_on(async {
/// let log: Arc<dyn AuditLog> = Arc::new(MemoryStore::default());
/// assert_eq!(log.entries(&a_scope(), AuditQuery { before: None, limit: 50 }).await, Ok(vec![]));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// The entries of the scope's environment that match a query, the newest first. Their numbers MUST have no gaps.
    async fn entries(&self, scope: &EnvironmentScope, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// Counts uses of revoked or expired keys, at most [`MAX_REFUSED_USES`] in one call. There is one entry for each
    /// key and hour. Each call adds to its count and replaces its address and request.
    async fn count_refused_uses(&self, scope: &SystemScope, uses: Vec<RefusedUses>) -> Result<(), StoreError>;

    /// Removes the addresses of entries of any environment that are older than a time, at most `limit`, and returns
    /// their number. The rest of the entries MUST stay unchanged.
    async fn forget_addresses(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
