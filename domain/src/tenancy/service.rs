//! Managing tenants, environments and keys, for the operator of the whole system.

use std::{sync::Arc, time::Duration};

use super::{
    Actor, ApiKey, ApiKeyName, ApiKeyRepository, ApiKeySecret, Bootstrap, Caller, CreateEnvironmentError, Environment,
    EnvironmentName, EnvironmentScope, EnvironmentType, ExpiryError, KeyRotation, NewApiKey, NotRotated, Roles,
    RotateKeyError, SystemScope, TenancyRepository, Tenant, TenantName, TenantScope, end_of_key, maker::Maker,
};
use crate::{
    clock::Clock,
    idempotency::OnceError,
    ids::{ApiKeyId, EnvironmentId, IdGenerator, Randomness, RandomnessUnavailable, TenantId},
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
};

/// Creates and lists tenants, environments and keys, for start-up and the command line.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     tenancy::TenancyService,
///     testkit::{CountingIds, FixedClock, FixedRandomness, MemoryStore},
/// };
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let service = TenancyService {
///     tenancy: store.clone(),
///     keys: store,
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     randomness: Arc::new(FixedRandomness([7; 32])),
///     key_max_age: None,
/// };
/// let secret = service.new_secret().unwrap();
/// assert!(service.bootstrap(secret).await.unwrap().is_some(), "the first start creates a key");
/// # });
/// ```
#[derive(Clone)]
pub struct TenancyService {
    /// The store of tenants and environments.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// The store of keys.
    pub keys: Arc<dyn ApiKeyRepository>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The source of random secrets.
    pub randomness: Arc<dyn Randomness>,
    /// The maximum lifetime of a key; `None` for no limit.
    pub key_max_age: Option<Duration>,
}

/// Why a tenant was not suspended.
///
/// ```
/// use patron_domain::{store::StoreError, tenancy::TenantError};
///
/// assert_ne!(TenantError::from(StoreError::unavailable("busy")), TenantError::Unknown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantError {
    /// There is no such tenant.
    #[error("there is no tenant with this id")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key was not created or revoked.
///
/// ```
/// use patron_domain::{store::StoreError, tenancy::ApiKeyError};
///
/// assert_eq!(ApiKeyError::from(StoreError::unavailable("busy")), ApiKeyError::Store(StoreError::unavailable("busy")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// There is no such environment.
    #[error("there is no environment with this id")]
    UnknownEnvironment,
    /// There is no such key.
    #[error("there is no API key with this id")]
    UnknownKey,
    /// The key's expiry is in the past, or exceeds the maximum.
    #[error(transparent)]
    Expiry(#[from] ExpiryError),
    /// The key is no longer valid.
    #[error(transparent)]
    NotRotated(#[from] NotRotated),
    /// No secret could be generated.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OnceError> for ApiKeyError {
    fn from(error: OnceError) -> Self {
        match error {
            OnceError::Store(error) => error.into(),
            // The command line uses no idempotency keys.
            OnceError::KeyReused(reused) => StoreError::Failed { reason: reused.to_string() }.into(),
        }
    }
}

impl TenancyService {
    /// Whether there is no tenant yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let tenants = self.tenancy.tenants(&SystemScope::patron(), PageRequest::default()).await?;
        Ok(tenants.total == 0)
    }

    /// A new secret of 256 random bits, which belongs to no key yet.
    ///
    /// # Errors
    /// When no randomness is available.
    pub fn new_secret(&self) -> Result<ApiKeySecret, RandomnessUnavailable> {
        Ok(ApiKeySecret::from_random(self.randomness.secret_bytes()?))
    }

    /// Creates the first tenant, environment and key with this secret, if there is no tenant yet. The key has full
    /// access to the environment and administers the tenant. Returns the key, or `None` when there already was a
    /// tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bootstrap(&self, secret: ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let scope = SystemScope::patron();
        let (tenant_name, environment_name, key_name) = first_names();
        let mut make = self.make(&scope.actor);
        let tenant = make.tenant(tenant_name);
        let environment = make.environment(tenant.id, environment_name, EnvironmentType::Development);
        let owner = Owner { tenant_id: tenant.id, environment_id: environment.id };
        let mut new = NewApiKey::new(key_name, Roles::first_key());
        new.expires_at = self.key_max_age.map(|most| self.clock.now().later(most));
        let key = make.key(owner, new, &secret);
        let first = Bootstrap { tenant, environment, key: key.clone(), secret };
        let written = self.tenancy.bootstrap(&scope, first).await?;
        Ok(written.then_some(key))
    }

    /// Creates a tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create_tenant(&self, scope: &SystemScope, name: TenantName) -> Result<Tenant, StoreError> {
        let tenant = self.make(&scope.actor).tenant(name);
        self.tenancy.create_tenant(scope, tenant.clone()).await?;
        Ok(tenant)
    }

    /// Suspends a tenant, or ends its suspension. A second call changes nothing. Running servers apply the change
    /// within [`super::REVOCATION_DELAY_SECONDS`].
    ///
    /// # Errors
    /// When there is no such tenant or the store fails.
    pub async fn suspend_tenant(
        &self,
        scope: &SystemScope,
        id: TenantId,
        suspended: bool,
    ) -> Result<Tenant, TenantError> {
        let tenant = self.tenancy.suspend_tenant(scope, id, suspended, self.clock.now()).await?;
        tenant.ok_or(TenantError::Unknown)
    }

    /// Lists tenants.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tenants(&self, scope: &SystemScope, page: PageRequest) -> Result<Page<Tenant>, StoreError> {
        self.tenancy.tenants(scope, page).await
    }

    /// Creates an environment of a tenant.
    ///
    /// # Errors
    /// When there is no such tenant or the store fails.
    pub async fn create_environment(
        &self,
        scope: &SystemScope,
        tenant_id: TenantId,
        name: EnvironmentName,
        kind: EnvironmentType,
    ) -> Result<Environment, CreateEnvironmentError> {
        let environment = self.make(&scope.actor).environment(tenant_id, name, kind);
        let scope = TenantScope::new(tenant_id, scope.actor.clone());
        Ok(self.tenancy.create_environment(&scope, environment, None).await?.value)
    }

    /// Lists the environments of a tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn environments(
        &self,
        scope: &SystemScope,
        tenant_id: TenantId,
        page: PageRequest,
    ) -> Result<Page<Environment>, StoreError> {
        let scope = TenantScope::new(tenant_id, scope.actor.clone());
        self.tenancy.environments(&scope, page).await
    }

    /// Creates a key with 256 random bits. The secret is returned only this once.
    ///
    /// # Errors
    /// When there is no such environment, the key would live too long, no secret can be generated, or the store fails.
    pub async fn create_key(
        &self,
        scope: &SystemScope,
        environment_id: EnvironmentId,
        new: NewApiKey,
    ) -> Result<(ApiKey, ApiKeySecret), ApiKeyError> {
        let expires_at = end_of_key(new.expires_at, self.clock.now(), self.key_max_age)?;
        let new = NewApiKey { expires_at, ..new };
        let scope = self.environment_scope(scope, environment_id).await?;
        let secret = self.new_secret()?;
        let key = self.make(&scope.actor).key(scope.owner, new, &secret);
        let made = self.keys.create(&scope, key, secret.clone(), None).await?;
        Ok((made.value, secret))
    }

    /// Lists the keys of an environment, without their secrets.
    ///
    /// # Errors
    /// When there is no such environment or the store fails.
    pub async fn keys(
        &self,
        scope: &SystemScope,
        environment_id: EnvironmentId,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, ApiKeyError> {
        let scope = self.environment_scope(scope, environment_id).await?;
        Ok(self.keys.list(&scope, None, page).await?)
    }

    /// Replaces a key by a new one, and returns the new one with its secret. The old key stays valid for the overlap.
    ///
    /// # Errors
    /// When there is no such key, it is no longer valid, no secret can be generated, or the store fails.
    pub async fn rotate_key(
        &self,
        scope: &SystemScope,
        id: ApiKeyId,
        overlap: Duration,
    ) -> Result<(ApiKey, ApiKeySecret), ApiKeyError> {
        let replaced = self.keys.find(scope, id).await?.ok_or(ApiKeyError::UnknownKey)?;
        let scope = EnvironmentScope::new(replaced.owner, scope.actor.clone());
        let (now, secret) = (self.clock.now(), self.new_secret()?);
        let key = self.make(&scope.actor).key(scope.owner, replaced.successor(now, self.key_max_age), &secret);
        let rotation = KeyRotation { replaced: id, until: now.later(overlap), key, secret: secret.clone() };
        match self.keys.rotate(&scope, rotation, None).await {
            Ok(made) => Ok((made.value, secret)),
            Err(RotateKeyError::Ended(ended)) => Err(ended.into()),
            Err(RotateKeyError::Store(error)) => Err(error.into()),
            // Without an idempotency key, none was used before.
            Err(RotateKeyError::Unknown | RotateKeyError::KeyReused(_)) => Err(ApiKeyError::UnknownKey),
        }
    }

    /// Revokes a key. A second call changes nothing.
    ///
    /// # Errors
    /// When there is no such key or the store fails.
    pub async fn revoke_key(&self, scope: &SystemScope, id: ApiKeyId) -> Result<ApiKey, ApiKeyError> {
        let key = self.keys.find(scope, id).await?.ok_or(ApiKeyError::UnknownKey)?;
        let scope = EnvironmentScope::new(key.owner, scope.actor.clone());
        let revoked = self.keys.revoke(&scope, id, self.clock.now(), None).await?;
        Ok(revoked.ok_or(ApiKeyError::UnknownKey)?.value)
    }

    /// A caller with every permission in an environment, for the holder of the system scope.
    ///
    /// # Errors
    /// When there is no such environment or the store fails.
    pub async fn caller(&self, scope: &SystemScope, environment_id: EnvironmentId) -> Result<Caller, ApiKeyError> {
        let scope = self.environment_scope(scope, environment_id).await?;
        Ok(Caller::new(scope, Roles::super_admin(), None))
    }

    fn make(&self, by: &Actor) -> Maker {
        let now = self.clock.now();
        Maker::start(self.ids.start(now), now, by)
    }

    async fn environment_scope(&self, scope: &SystemScope, id: EnvironmentId) -> Result<EnvironmentScope, ApiKeyError> {
        let found = self.tenancy.find_environment(scope, id).await?.ok_or(ApiKeyError::UnknownEnvironment)?;
        let owner = Owner { tenant_id: found.tenant_id, environment_id: found.id };
        Ok(EnvironmentScope::new(owner, scope.actor.clone()))
    }
}

/// The names of the first tenant, environment and key.
fn first_names() -> (TenantName, EnvironmentName, ApiKeyName) {
    #[expect(clippy::expect_used, reason = "literals that satisfy their types' rules; a unit test calls this")]
    let names = (
        TenantName::new("Default").expect("a short literal"),
        EnvironmentName::new("Development").expect("a short literal"),
        ApiKeyName::new("First key").expect("a short literal"),
    );
    names
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        ids::{MockIdGenerator, MockRandomness},
        tenancy::{MockApiKeyRepository, MockTenancyRepository},
        testkit::{FixedClock, a_time, an_api_key},
    };

    fn secret() -> ApiKeySecret {
        ApiKeySecret::new("sk_chosen_by_an_operator").unwrap()
    }

    /// A tenancy service over a store, with keys and randomness that are never used.
    fn service(tenancy: MockTenancyRepository) -> TenancyService {
        TenancyService {
            tenancy: Arc::new(tenancy),
            keys: Arc::new(MockApiKeyRepository::new()),
            clock: Arc::new(FixedClock::default()),
            ids: Arc::new(MockIdGenerator::from_time()),
            randomness: Arc::new(MockRandomness::new()),
            key_max_age: None,
        }
    }

    #[test]
    fn a_first_start_creates_all_objects_with_the_given_secret() {
        let mut tenancy = MockTenancyRepository::new();
        let fits_together = |_: &SystemScope, first: &Bootstrap| {
            let owner = Owner { tenant_id: first.tenant.id, environment_id: first.environment.id };
            first.secret == secret() && first.environment.tenant_id == first.tenant.id && first.key.owner == owner
        };
        tenancy.expect_bootstrap().once().withf(fits_together).returning(|_, _| Ok(true));
        let key = block_on(service(tenancy).bootstrap(secret())).unwrap().unwrap();
        assert_eq!(key.display_id, secret().display_id());
        assert_eq!(key.roles, Roles::first_key());
        assert!(key.is_valid_at(a_time()));
    }

    #[test]
    fn a_start_with_a_store_in_use_returns_no_key() {
        let mut tenancy = MockTenancyRepository::new();
        tenancy.expect_bootstrap().once().returning(|_, _| Ok(false));
        assert_eq!(block_on(service(tenancy).bootstrap(secret())), Ok(None));
    }

    #[test]
    fn a_key_for_an_unknown_environment_is_refused_before_a_secret_is_generated() {
        let tenancy = MockTenancyRepository::empty();
        let new = NewApiKey::new(an_api_key().name, Roles::super_admin());
        let environment = an_api_key().owner.environment_id;
        let answer = block_on(service(tenancy).create_key(&SystemScope::patron(), environment, new));
        assert_eq!(answer, Err(ApiKeyError::UnknownEnvironment));
    }
}
