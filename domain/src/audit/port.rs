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

/// Uses of a key that are counted instead of recorded one by one.
///
/// ```
/// use patron_domain::audit::{AuditAction, CountedUse};
///
/// assert_eq!(CountedUse::DryRun.action(), AuditAction::KeyDryRun);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountedUse {
    /// A use of a revoked or expired key.
    Refused,
    /// A dry run, which leaves no other trace.
    DryRun,
}

impl CountedUse {
    /// The action of its entries.
    #[must_use]
    pub fn action(self) -> AuditAction {
        match self {
            Self::Refused => AuditAction::KeyRefused,
            Self::DryRun => AuditAction::KeyDryRun,
        }
    }
}

/// The number of uses of one kind of a key in one hour.
///
/// ```
/// use patron_domain::{audit::{CountedUse, CountedUses}, tenancy::Origin, testkit::{a_time, an_api_key, an_owner}};
///
/// let (hour, origin) = (a_time().hour(), Origin::default());
/// let uses = CountedUses { kind: CountedUse::Refused, key: an_api_key().id, owner: an_owner(), hour, count: 7, origin };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedUses {
    /// The kind of use.
    pub kind: CountedUse,
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

impl CountedUses {
    /// Whether an entry of the key's environment counts these uses.
    #[must_use]
    pub fn is_counted_in(&self, entry: &AuditEntry) -> bool {
        let Act { action, object, .. } = &entry.act;
        (*action, *object, entry.at) == (self.kind.action(), AuditObject::ApiKey(self.key), self.hour)
    }
}

/// The maximum number of counts in one call of [`AuditLog::count_uses`].
pub const MAX_COUNTED_USES: usize = 100;

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

    /// Counts uses of keys, at most [`MAX_COUNTED_USES`] in one call. There is one entry for each kind, key and hour. Each call
    /// adds to its count and replaces its address and request.
    async fn count_uses(&self, scope: &SystemScope, uses: Vec<CountedUses>) -> Result<(), StoreError>;

    /// Removes the addresses of entries of any environment that are older than a time, at most `limit`, and returns
    /// their number. The rest of the entries MUST stay unchanged.
    async fn forget_addresses(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
