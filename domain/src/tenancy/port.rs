//! The ports for tenants, environments and API keys.

use async_trait::async_trait;

use super::{
    ApiKey, ApiKeySecret, Bootstrap, Environment, EnvironmentName, EnvironmentScope, KeyUse, SystemScope, Tenant,
    TenantScope,
};
use crate::{
    idempotency::{CallersClaim, Done, IdempotencyKeyReused, OnceError, from_once_error},
    ids::{ApiKeyId, EnvironmentId},
    page::{Page, PageRequest},
    store::StoreError,
    time::Timestamp,
};

/// Keeps tenants and environments. Every method MUST be atomic, and durable when it answers.
///
/// A method that takes a claim MUST treat it as [`TaxRepository`](crate::tax::TaxRepository) says, in the environment that
/// the claim names.
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
    /// Writes the first tenant with its environment and key, if there is no tenant yet; tells whether it did.
    ///
    /// Of several calls at once, also from several processes, exactly one MUST answer `true`. The secret itself MUST
    /// NOT be stored, only a hash of it.
    async fn bootstrap(&self, scope: &SystemScope, first: Bootstrap) -> Result<bool, StoreError>;

    /// Writes a new tenant.
    async fn create_tenant(&self, scope: &SystemScope, tenant: Tenant) -> Result<(), StoreError>;

    /// All tenants, the newest first, ids breaking ties.
    async fn tenants(&self, scope: &SystemScope, page: PageRequest) -> Result<Page<Tenant>, StoreError>;

    /// Writes a new environment of the scope's tenant, whatever tenant the value names.
    ///
    /// MUST answer [`CreateEnvironmentError::UnknownTenant`] when there is no such tenant.
    async fn create_environment(
        &self,
        scope: &TenantScope,
        environment: Environment,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Environment>, CreateEnvironmentError>;

    /// Gives an environment of the scope's tenant another name, and answers it as it is then; `None` when the tenant has
    /// none with this id. Nothing else of it MUST change but who changed it when; without a name nothing MUST change.
    async fn rename_environment(
        &self,
        scope: &TenantScope,
        id: EnvironmentId,
        name: Option<EnvironmentName>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<Environment>>, OnceError>;

    /// The environments of the scope's tenant, the newest first, ids breaking ties.
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
    /// The idempotency key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(CreateEnvironmentError);

/// Keeps API keys. Every method MUST be atomic, and durable when it answers.
///
/// A method that takes a claim MUST treat it as [`TaxRepository`](crate::tax::TaxRepository) says, in the environment that
/// the claim names. Nothing of a secret MUST be in its record.
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
    /// Writes a new key of the scope's environment. The secret itself MUST NOT be stored, only a hash of it (SHA-256
    /// is enough for 256 random bits).
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError>;

    /// The keys of the scope's environment, expired ones included, the newest first, ids breaking ties: those that are
    /// revoked, those that are not, or with `None` all.
    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError>;

    /// Revokes a key of the scope's environment and answers it as it is then; `None` when there is none with this id.
    /// A key that is revoked already keeps its first time and actor.
    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError>;

    /// A key of any environment by its id.
    async fn find(&self, scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;

    /// The key that a secret belongs to, valid or not; `None` for an unknown secret.
    ///
    /// MAY answer from a cache; a revocation MUST show after [`REVOCATION_DELAY_SECONDS`] at the latest.
    async fn find_by_secret(&self, scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError>;

    /// Writes down when keys of any environment were last used, at most [`MAX_USES`] at once.
    ///
    /// MUST NOT put a key's `last_used_at` back to an earlier time, and MUST leave everything else of it as it is, so
    /// that several processes can tell of one key in any order. MUST pass over keys that are unknown.
    async fn record_uses(&self, scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError>;
}

/// The most uses that [`ApiKeyRepository::record_uses`] is given at once.
pub const MAX_USES: usize = 100;

/// Is told of every use of a key, while a request is on its way.
///
/// ```
/// use patron_domain::tenancy::{KeyUse, KeyUses};
///
/// struct Printed;
/// impl KeyUses for Printed {
///     fn note(&self, used: KeyUse) {
///         println!("{} was used at {}", used.id, used.at);
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait KeyUses: Send + Sync {
    /// A valid key was used. MUST answer at once, without asking any store; what is noted here reaches
    /// [`ApiKeyRepository::record_uses`] some seconds later. MAY forget uses: the next one tells again.
    fn note(&self, key_use: KeyUse);
}

/// Forgets every use: for whoever does not want to know.
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
}

/// The longest time, in seconds, that a revoked key may go on to work.
pub const REVOCATION_DELAY_SECONDS: u64 = 5;
