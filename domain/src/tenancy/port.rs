//! The ports for tenants, environments and API keys.

use async_trait::async_trait;

use super::{
    ApiKey, ApiKeySecret, Bootstrap, Environment, EnvironmentError, EnvironmentName, EnvironmentScope, KeyRotation,
    KeyUse, NotRotated, Origin, SystemScope, Tenant, TenantScope,
};
use crate::{
    idempotency::{CallersClaim, Done, IdempotencyKeyReused, OnceError, from_once_error},
    ids::{ApiKeyId, EnvironmentId, TenantId},
    lifecycle::{Owner, Precondition},
    page::{Page, PageRequest},
    store::StoreError,
    time::Timestamp,
};

/// Stores tenants and environments. Every method MUST be atomic, and durable when it returns.
///
/// A method with a claim MUST treat it as described for [`TaxRepository`](crate::tax::TaxRepository), in the claim's
/// environment.
///
/// If the origin of a scope asks for a [dry run](crate::tenancy::Origin::is_dry_run), a write MUST return what it would
/// return now, and leave nothing behind.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     page::PageRequest,
///     tenancy::{SystemScope, TenancyRepository},
///     testkit::{MemoryStore, a_tenant},
/// };
///
/// # futures::executor::block_on(async {
/// let tenancy: Arc<dyn TenancyRepository> = Arc::new(MemoryStore::default());
/// tenancy.create_tenant(&SystemScope::patron(), a_tenant()).await.unwrap();
/// assert_eq!(tenancy.tenants(&SystemScope::patron(), PageRequest::default()).await.unwrap().total, 1);
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait TenancyRepository: Send + Sync {
    /// Writes the first tenant with its environment and key if there is no tenant yet, and returns whether it did.
    ///
    /// Of concurrent calls, even from several processes, exactly one MUST return `true`. The secret itself MUST NOT be
    /// stored, only its hash.
    async fn bootstrap(&self, scope: &SystemScope, first: Bootstrap) -> Result<bool, StoreError>;

    /// Writes a new tenant.
    async fn create_tenant(&self, scope: &SystemScope, tenant: Tenant) -> Result<(), StoreError>;

    /// All tenants, the newest first; ids break ties.
    async fn tenants(&self, scope: &SystemScope, page: PageRequest) -> Result<Page<Tenant>, StoreError>;

    /// Suspends a tenant or ends its suspension, by [`Tenant::suspend`], and returns its new state; `None` when there
    /// is no tenant with this id. A change MUST be recorded in the audit log of each environment of the tenant.
    async fn suspend_tenant(
        &self,
        scope: &SystemScope,
        id: TenantId,
        suspended: bool,
        at: Timestamp,
    ) -> Result<Option<Tenant>, StoreError>;

    /// Writes a new environment of the scope's tenant, whatever tenant the value has.
    ///
    /// When the tenant does not exist, this MUST return [`CreateEnvironmentError::UnknownTenant`].
    async fn create_environment(
        &self,
        scope: &TenantScope,
        environment: Environment,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Environment>, CreateEnvironmentError>;

    /// Renames an environment of the scope's tenant and returns its new state; `None` when the tenant has none with
    /// this id. Only the name and the fields about the last change MUST change; without another name nothing MUST
    /// change. It MUST return [`EnvironmentError::VersionConflict`] unless `only_if` holds for the environment's
    /// [`Audit::version`](crate::lifecycle::Audit::version).
    async fn rename_environment(
        &self,
        scope: &TenantScope,
        id: EnvironmentId,
        name: Option<EnvironmentName>,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<Environment>>, EnvironmentError>;

    /// The environments of the scope's tenant, the newest first; ids break ties.
    async fn environments(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<Environment>, StoreError>;

    /// An environment of any tenant; `None` when there is none with this id.
    async fn find_environment(&self, scope: &SystemScope, id: EnvironmentId)
    -> Result<Option<Environment>, StoreError>;
}

/// Why an environment was not created.
///
/// ```
/// use patron_domain::tenancy::CreateEnvironmentError;
///
/// assert_eq!(CreateEnvironmentError::UnknownTenant.to_string(), "there is no tenant with this id");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateEnvironmentError {
    /// There is no such tenant.
    #[error("there is no tenant with this id")]
    UnknownTenant,
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(CreateEnvironmentError);

/// Stores API keys. Every method MUST be atomic, and durable when it returns.
///
/// A method with a claim MUST treat it as described for [`TaxRepository`](crate::tax::TaxRepository), in the claim's
/// environment. The record MUST NOT contain any part of a secret.
///
/// If the origin of a scope asks for a [dry run](crate::tenancy::Origin::is_dry_run), a write MUST return what it would
/// return now, and leave nothing behind.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     tenancy::{ApiKeyRepository, ApiKeySecret, SystemScope},
///     testkit::{MemoryStore, a_scope, an_api_key},
/// };
///
/// # futures::executor::block_on(async {
/// let keys: Arc<dyn ApiKeyRepository> = Arc::new(MemoryStore::default());
/// let secret = ApiKeySecret::new("sk_0123456789abcdef").unwrap();
/// keys.create(&a_scope(), an_api_key(), secret.clone(), None).await.unwrap();
/// assert_eq!(keys.find_by_secret(&SystemScope::patron(), &secret).await, Ok(Some(an_api_key())));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ApiKeyRepository: Send + Sync {
    /// Writes a new key of the scope's environment. The secret itself MUST NOT be stored, only its hash (SHA-256 is
    /// enough for 256 random bits).
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError>;

    /// The keys of the scope's environment, including expired ones, the newest first; ids break ties. The filter
    /// selects revoked keys, keys that are not revoked, or, with `None`, all.
    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError>;

    /// Revokes a key of the scope's environment and returns its new state; `None` when there is none with this id. If
    /// the key is already revoked, the first time and actor are kept.
    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError>;

    /// Writes a new key of the scope's environment, and ends the old key, by [`ApiKey::replaced`].
    ///
    /// When the environment has no such key, this MUST return [`RotateKeyError::Unknown`] and write nothing.
    async fn rotate(
        &self,
        scope: &EnvironmentScope,
        rotation: KeyRotation,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, RotateKeyError>;

    /// A key of any environment by its id.
    async fn find(&self, scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;

    /// The key with this secret, valid or not; `None` for an unknown secret.
    ///
    /// The result MAY come from a cache. A revocation, a rotation and a suspension of the key's tenant MUST take effect
    /// after at most [`REVOCATION_DELAY_SECONDS`].
    async fn find_by_secret(&self, scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError>;

    /// Records the last uses of keys of any environment, at most [`MAX_USES`] at once.
    ///
    /// A key's `last_used_at` MUST NOT be set to an earlier time, so that several processes can report in any order.
    /// The rest of the key MUST stay unchanged. Unknown keys MUST be skipped.
    async fn record_uses(&self, scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError>;
}

/// Why a key was not rotated.
///
/// ```
/// use patron_domain::tenancy::{NotRotated, RotateKeyError};
///
/// assert_eq!(RotateKeyError::from(NotRotated).to_string(), NotRotated.to_string());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RotateKeyError {
    /// There is no such key.
    #[error("there is no API key with this id")]
    Unknown,
    /// The key is no longer valid.
    #[error(transparent)]
    Ended(#[from] NotRotated),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(RotateKeyError);

/// The maximum number of uses in one call of [`ApiKeyRepository::record_uses`].
pub const MAX_USES: usize = 100;

/// Receives every use of a key, during the request.
///
/// ```
/// use patron_domain::tenancy::{KeyUse, KeyUses, NotedUse};
///
/// struct Printed;
/// impl KeyUses for Printed {
///     fn note(&self, used: KeyUse) {
///         println!("{} was used at {}", used.id, used.at);
///     }
///
///     fn note_refused(&self, refused: NotedUse) {
///         println!("{} was refused at {}", refused.id, refused.at);
///     }
///
///     fn note_dry_run(&self, dry_run: NotedUse) {
///         println!("{} made a dry run at {}", dry_run.id, dry_run.at);
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait KeyUses: Send + Sync {
    /// Notes the use of a valid key. This MUST return at once, without calling a store. The uses reach
    /// [`ApiKeyRepository::record_uses`] some seconds later. Uses MAY be lost; the next one updates the time.
    fn note(&self, key_use: KeyUse);

    /// Notes the use of a revoked or expired key. This MUST return at once. The uses reach
    /// [`AuditLog::count_uses`](crate::audit::AuditLog::count_uses) some seconds later.
    fn note_refused(&self, refused: NotedUse);

    /// Notes a dry run with a valid key. This MUST return at once. The dry runs are counted like refused uses.
    fn note_dry_run(&self, dry_run: NotedUse);
}

/// A counted use of a key: a use of a revoked or expired key, or a dry run.
///
/// ```
/// use patron_domain::{tenancy::{Origin, NotedUse}, testkit::{a_time, an_api_key, an_owner}};
///
/// let origin = Origin::new(None, "192.0.2.7".parse().ok());
/// let refused = NotedUse { id: an_api_key().id, owner: an_owner(), at: a_time(), origin };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedUse {
    /// The key.
    pub id: ApiKeyId,
    /// The environment that the key belongs to.
    pub owner: Owner,
    /// The time.
    pub at: Timestamp,
    /// The origin.
    pub origin: Origin,
}

/// Ignores every use, for applications that do not need the times.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{tenancy::{KeyUse, KeyUses, NoKeyUses}, testkit::{a_time, an_id}};
///
/// let uses: Arc<dyn KeyUses> = Arc::new(NoKeyUses);
/// uses.note(KeyUse { id: an_id(1), at: a_time() });
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeyUses;

impl KeyUses for NoKeyUses {
    fn note(&self, _: KeyUse) {}

    fn note_refused(&self, _: NotedUse) {}

    fn note_dry_run(&self, _: NotedUse) {}
}

/// The maximum time, in seconds, for which a revoked key may still work.
pub const REVOCATION_DELAY_SECONDS: u64 = 5;
