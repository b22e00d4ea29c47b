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

/// Which entries are wanted, the newest first.
///
/// ```
/// use patron_domain::audit::AuditQuery;
///
/// let newest = AuditQuery { before: None, limit: 50 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only those that stand before this one.
    pub before: Option<AuditNumber>,
    /// The most that are answered.
    pub limit: u16,
}

/// How often a key was presented in vain within an hour.
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
    /// The environment it belonged to.
    pub owner: Owner,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// How often.
    pub count: u64,
    /// From where the last time.
    pub origin: Origin,
}

impl RefusedUses {
    /// Whether an entry of the key's environment counts these.
    #[must_use]
    pub fn is_counted_in(&self, entry: &AuditEntry) -> bool {
        let Act { action, object, .. } = &entry.act;
        (*action, *object, entry.at) == (AuditAction::KeyRefused, AuditObject::ApiKey(self.key), self.hour)
    }
}

/// The most counts that [`AuditLog::count_refused_uses`] is given at once.
pub const MAX_REFUSED_USES: usize = 100;

/// Keeps the audit log. Every method MUST be atomic, durable when it answers, and blind to everything outside its scope.
///
/// Entries are not written through this port. The methods of the others MUST write one for what they do, in the same
/// transaction and with the actor and origin of their scope: [`ApiKeyRepository`](crate::tenancy::ApiKeyRepository) and
/// [`TenancyRepository`](crate::tenancy::TenancyRepository) for keys and environments, and the ports of webhooks and
/// onboarding for endpoints and workflows. [`Act`](super::Act) says what stands in it, and that nothing is to be written
/// where nothing changed; a repetition under an idempotency key writes none. An entry stands in the log of the environment
/// that it is about, and, where the scope's [`Origin::home`] is another one, in that log too.
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
    /// The entries of the scope's environment that a query names, the newest first. Numbers MUST have no gaps.
    async fn entries(&self, scope: &EnvironmentScope, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// Counts uses of keys that are revoked or have ended, at most [`MAX_REFUSED_USES`] at once: one entry for a key and an
    /// hour, whose count grows and whose address and request are those of the last call.
    async fn count_refused_uses(&self, scope: &SystemScope, uses: Vec<RefusedUses>) -> Result<(), StoreError>;

    /// Takes the addresses out of entries of any environment that are older than a time: of at most `limit`. Answers of how
    /// many. MUST leave everything else of them as it is.
    async fn forget_addresses(
        &self,
        scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
