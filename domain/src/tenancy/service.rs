//! Who is asking, and the making of tenants, environments and keys.

use std::sync::Arc;

use super::{
    Actor, ApiKey, ApiKeyName, ApiKeyRepository, ApiKeySecret, Bootstrap, Caller, CreateEnvironmentError, Environment,
    EnvironmentName, EnvironmentScope, EnvironmentType, KeyUse, KeyUses, NewApiKey, RequestId, Roles, SystemScope,
    TenancyRepository, Tenant, TenantName, TenantScope,
};
use crate::{
    clock::Clock,
    idempotency::OnceError,
    ids::{ApiKeyId, EnvironmentId, IdGenerator, Randomness, RandomnessUnavailable, TenantId},
    lifecycle::{Audit, Owner},
    store::{Page, PageRequest, StoreError},
};

/// Checks API keys.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     tenancy::{AccessService, ApiKeyRepository, ApiKeySecret, NoKeyUses},
///     testkit::{FixedClock, MemoryStore, a_scope, an_api_key, an_owner},
/// };
///
/// # futures::executor::block_on(async {
/// let (keys, secret) = (Arc::new(MemoryStore::default()), ApiKeySecret::new("sk_0123456789abcdef").unwrap());
/// keys.create(&a_scope(), an_api_key(), secret.clone(), None).await.unwrap();
/// let access = AccessService::new(keys, Arc::new(FixedClock::default()), Arc::new(NoKeyUses));
/// assert_eq!(access.authenticate(secret.expose(), None).await.unwrap().owner(), an_owner());
/// # });
/// ```
#[derive(Clone)]
pub struct AccessService {
    keys: Arc<dyn ApiKeyRepository>,
    clock: Arc<dyn Clock>,
    uses: Arc<dyn KeyUses>,
}

/// Why nobody was recognised.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     tenancy::{AccessService, AuthenticateError, NoKeyUses},
///     testkit::{FixedClock, MemoryStore},
/// };
///
/// let keys = Arc::new(MemoryStore::default());
/// let access = AccessService::new(keys, Arc::new(FixedClock::default()), Arc::new(NoKeyUses));
/// let answer = futures::executor::block_on(access.authenticate("sk_nobody_has_this_one", None));
/// assert_eq!(answer, Err(AuthenticateError::Unauthenticated));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticateError {
    /// There is no key, or it is wrong, expired or revoked. Which of these it is stays unsaid.
    #[error("a valid API key is needed: send it in the header x-api-key")]
    Unauthenticated,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessService {
    /// A service over its ports.
    #[must_use]
    pub fn new(keys: Arc<dyn ApiKeyRepository>, clock: Arc<dyn Clock>, uses: Arc<dyn KeyUses>) -> Self {
        Self { keys, clock, uses }
    }

    /// Recognises the caller by the key presented.
    ///
    /// # Errors
    /// [`AuthenticateError::Unauthenticated`] for every kind of key that does not open anything, told apart by nothing.
    pub async fn authenticate(
        &self,
        presented: &str,
        request_id: Option<RequestId>,
    ) -> Result<Caller, AuthenticateError> {
        let secret = ApiKeySecret::new(presented).map_err(|_| AuthenticateError::Unauthenticated)?;
        let found = self.keys.find_by_secret(&SystemScope::patron(), &secret).await?;
        let now = self.clock.now();
        match found {
            Some(key) if key.is_valid_at(now) => {
                self.uses.note(KeyUse { id: key.id, at: now });
                let scope = EnvironmentScope { owner: key.owner, actor: Actor::from(key.id) };
                Ok(Caller::new(scope, key.roles, request_id))
            }
            _ => Err(AuthenticateError::Unauthenticated),
        }
    }
}

/// Makes and lists tenants, environments and keys, for start-up and the command line.
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
/// };
/// let secret = service.new_secret().unwrap();
/// assert!(service.bootstrap(secret).await.unwrap().is_some(), "the first start makes a key");
/// # });
/// ```
#[derive(Clone)]
pub struct TenancyService {
    /// Keeps tenants and environments.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// Keeps keys.
    pub keys: Arc<dyn ApiKeyRepository>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Gives secrets.
    pub randomness: Arc<dyn Randomness>,
}

/// Why a key was not made or revoked.
///
/// ```
/// use patron_domain::{store::StoreError, tenancy::ApiKeyError};
///
/// assert_eq!(ApiKeyError::from(StoreError::unavailable("busy")), ApiKeyError::Store(StoreError::unavailable("busy")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// There is no such environment.
    #[error("there is no environment with this id; `patron environments list` shows them")]
    UnknownEnvironment,
    /// There is no such key.
    #[error("there is no API key with this id; `patron keys list` shows them")]
    UnknownKey,
    /// No secret could be made.
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
            // The command line claims no key.
            OnceError::KeyReused(reused) => StoreError::Failed { reason: reused.to_string() }.into(),
        }
    }
}

impl TenancyService {
    /// Whether there is no tenant at all yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let tenants = self.tenancy.tenants(&SystemScope::patron(), PageRequest::default()).await?;
        Ok(tenants.total == 0)
    }

    /// A new secret of 256 random bits, not yet any key's.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new_secret(&self) -> Result<ApiKeySecret, RandomnessUnavailable> {
        Ok(ApiKeySecret::from_random(self.randomness.secret_bytes()?))
    }

    /// Makes a first tenant, environment and super-admin key with this secret, when there is no tenant at all yet.
    /// Answers the key, or `None` when there was a tenant already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bootstrap(&self, secret: ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let scope = SystemScope::patron();
        let (tenant_name, environment_name, key_name) = first_names();
        let now = self.clock.now();
        let mut ids = self.ids.start(now);
        let audit = Audit::created(now, &scope.actor);
        let tenant = Tenant { id: ids.next_id(), name: tenant_name, audit: audit.clone() };
        let environment = Environment {
            id: ids.next_id(),
            tenant_id: tenant.id,
            name: environment_name,
            kind: EnvironmentType::Development,
            audit: audit.clone(),
        };
        let key = ApiKey {
            id: ids.next_id(),
            owner: Owner { tenant_id: tenant.id, environment_id: environment.id },
            name: key_name,
            display_id: secret.display_id(),
            roles: Roles::super_admin(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            audit,
        };
        let first = Bootstrap { tenant, environment, key: key.clone(), secret };
        let written = self.tenancy.bootstrap(&scope, first).await?;
        Ok(written.then_some(key))
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create_tenant(&self, scope: &SystemScope, name: TenantName) -> Result<Tenant, StoreError> {
        let now = self.clock.now();
        let id = self.ids.start(now).next_id();
        let tenant = Tenant { id, name, audit: Audit::created(now, &scope.actor) };
        self.tenancy.create_tenant(scope, tenant.clone()).await?;
        Ok(tenant)
    }

    /// Lists tenants.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tenants(&self, scope: &SystemScope, page: PageRequest) -> Result<Page<Tenant>, StoreError> {
        self.tenancy.tenants(scope, page).await
    }

    /// Makes an environment of a tenant.
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
        let now = self.clock.now();
        let id = self.ids.start(now).next_id();
        let environment = Environment { id, tenant_id, name, kind, audit: Audit::created(now, &scope.actor) };
        let scope = TenantScope { tenant_id, actor: scope.actor.clone() };
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
        let scope = TenantScope { tenant_id, actor: scope.actor.clone() };
        self.tenancy.environments(&scope, page).await
    }

    /// Makes a key with 256 random bits. The secret is answered this once.
    ///
    /// # Errors
    /// When there is no such environment, no secret can be made, or the store fails.
    pub async fn create_key(
        &self,
        scope: &SystemScope,
        environment_id: EnvironmentId,
        new: NewApiKey,
    ) -> Result<(ApiKey, ApiKeySecret), ApiKeyError> {
        let scope = self.environment_scope(scope, environment_id).await?;
        let secret = self.new_secret()?;
        let now = self.clock.now();
        let key = ApiKey {
            id: self.ids.start(now).next_id(),
            owner: scope.owner,
            name: new.name,
            display_id: secret.display_id(),
            roles: new.roles,
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
            audit: Audit::created(now, &scope.actor),
        };
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

    /// Revokes a key; a second time changes nothing.
    ///
    /// # Errors
    /// When there is no such key or the store fails.
    pub async fn revoke_key(&self, scope: &SystemScope, id: ApiKeyId) -> Result<ApiKey, ApiKeyError> {
        let key = self.keys.find(scope, id).await?.ok_or(ApiKeyError::UnknownKey)?;
        let scope = EnvironmentScope { owner: key.owner, actor: scope.actor.clone() };
        let revoked = self.keys.revoke(&scope, id, self.clock.now(), None).await?;
        Ok(revoked.ok_or(ApiKeyError::UnknownKey)?.value)
    }

    /// Whoever holds the system scope, acting in an environment with every permission.
    ///
    /// # Errors
    /// When there is no such environment or the store fails.
    pub async fn caller(&self, scope: &SystemScope, environment_id: EnvironmentId) -> Result<Caller, ApiKeyError> {
        let scope = self.environment_scope(scope, environment_id).await?;
        Ok(Caller::new(scope, Roles::super_admin(), None))
    }

    async fn environment_scope(&self, scope: &SystemScope, id: EnvironmentId) -> Result<EnvironmentScope, ApiKeyError> {
        let found = self.tenancy.find_environment(scope, id).await?.ok_or(ApiKeyError::UnknownEnvironment)?;
        let owner = Owner { tenant_id: found.tenant_id, environment_id: found.id };
        Ok(EnvironmentScope { owner, actor: scope.actor.clone() })
    }
}

/// The names of what a first start makes.
fn first_names() -> (TenantName, EnvironmentName, ApiKeyName) {
    #[expect(clippy::expect_used, reason = "literals that keep their types' rules; a unit test calls this")]
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
        clock::MockClock,
        ids::{IdSequence, MockIdGenerator, MockRandomness},
        tenancy::{MockApiKeyRepository, MockKeyUses, MockTenancyRepository, Permission, Role},
        time::Timestamp,
    };

    const SECRET: &str = "sk_chosen_by_an_operator";
    const NOW: i64 = 1_700_000_000_123_456;

    fn time(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn secret() -> ApiKeySecret {
        ApiKeySecret::new(SECRET).unwrap()
    }

    fn clock() -> Arc<MockClock> {
        Arc::new(MockClock::at(time(NOW)))
    }

    fn a_key() -> ApiKey {
        let mut ids = IdSequence::start(time(0), [0; 10]);
        ApiKey {
            id: ids.next_id(),
            owner: Owner { tenant_id: ids.next_id(), environment_id: ids.next_id() },
            name: ApiKeyName::new("a key").unwrap(),
            display_id: secret().display_id(),
            roles: Roles::new([Role::AllReader]).unwrap(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            audit: Audit::created(time(0), &Actor::system()),
        }
    }

    /// An access service over a store that is asked for `SECRET` once and answers this.
    fn access(answer: Result<Option<ApiKey>, StoreError>) -> AccessService {
        let mut keys = MockApiKeyRepository::new();
        let answer_of_keys = answer.clone();
        keys.expect_find_by_secret().once().withf(|_, asked| *asked == secret()).return_once(move |_, _| answer);
        // Only a valid key is noted; the mock panics at any other note.
        let mut uses = MockKeyUses::new();
        let valid = matches!(&answer_of_keys, Ok(Some(key)) if key.is_valid_at(time(NOW)));
        let noted = KeyUse { id: a_key().id, at: time(NOW) };
        uses.expect_note().times(usize::from(valid)).withf(move |one| *one == noted).return_const(());
        AccessService::new(Arc::new(keys), clock(), Arc::new(uses))
    }

    #[test]
    fn a_valid_key_makes_its_owner_the_caller() {
        let still_valid = ApiKey { expires_at: Some(time(NOW + 1)), ..a_key() };
        let request = RequestId::new("request-1").unwrap();
        let caller = block_on(access(Ok(Some(still_valid))).authenticate(SECRET, Some(request.clone()))).unwrap();
        assert_eq!(caller.owner(), a_key().owner);
        assert_eq!(caller.request_id(), Some(&request));
        assert_eq!(caller.authorise(Permission::Read).unwrap().actor, Actor::from(a_key().id));
        assert!(caller.authorise(Permission::Write).is_err());
    }

    #[test]
    fn wrong_expired_and_revoked_keys_get_one_answer() {
        let expired = ApiKey { expires_at: Some(time(NOW)), ..a_key() };
        let revoked = ApiKey { revoked_at: Some(time(NOW + 1)), ..a_key() };
        for found in [None, Some(expired), Some(revoked)] {
            let answer = block_on(access(Ok(found)).authenticate(SECRET, None));
            assert_eq!(answer, Err(AuthenticateError::Unauthenticated));
        }
    }

    #[test]
    fn what_cannot_be_a_key_never_reaches_the_store() {
        // A mock without expectations panics when it is called.
        let access = AccessService::new(Arc::new(MockApiKeyRepository::new()), clock(), Arc::new(MockKeyUses::new()));
        for presented in ["", "sk_", "hello", "pk_01234567890123456789", "sk_0123456789 0123456789", &"sk_x".repeat(99)]
        {
            assert_eq!(block_on(access.authenticate(presented, None)), Err(AuthenticateError::Unauthenticated));
        }
    }

    #[test]
    fn a_failing_store_is_no_wrong_key() {
        let failure = StoreError::Unavailable { reason: "no connection".to_owned() };
        let answer = block_on(access(Err(failure.clone())).authenticate(SECRET, None));
        assert_eq!(answer, Err(AuthenticateError::Store(failure)));
    }

    /// A tenancy service over a store, with keys and randomness that are never asked.
    fn service(tenancy: MockTenancyRepository) -> TenancyService {
        TenancyService {
            tenancy: Arc::new(tenancy),
            keys: Arc::new(MockApiKeyRepository::new()),
            clock: clock(),
            ids: Arc::new(MockIdGenerator::from_time()),
            randomness: Arc::new(MockRandomness::new()),
        }
    }

    #[test]
    fn a_first_start_makes_one_whole_with_the_secret_given() {
        let mut tenancy = MockTenancyRepository::new();
        let fits_together = |_: &SystemScope, first: &Bootstrap| {
            let owner = Owner { tenant_id: first.tenant.id, environment_id: first.environment.id };
            first.secret == secret() && first.environment.tenant_id == first.tenant.id && first.key.owner == owner
        };
        tenancy.expect_bootstrap().once().withf(fits_together).returning(|_, _| Ok(true));
        let key = block_on(service(tenancy).bootstrap(secret())).unwrap().unwrap();
        assert_eq!(key.display_id, secret().display_id());
        assert_eq!(key.roles, Roles::super_admin());
        assert!(key.is_valid_at(time(NOW)));
    }

    #[test]
    fn a_start_on_a_store_in_use_answers_no_key() {
        let mut tenancy = MockTenancyRepository::new();
        tenancy.expect_bootstrap().once().returning(|_, _| Ok(false));
        assert_eq!(block_on(service(tenancy).bootstrap(secret())), Ok(None));
    }

    #[test]
    fn a_key_for_an_unknown_environment_is_refused_before_a_secret_is_made() {
        let tenancy = MockTenancyRepository::empty();
        let new = NewApiKey { name: a_key().name, roles: Roles::super_admin(), expires_at: None };
        let environment = a_key().owner.environment_id;
        let answer = block_on(service(tenancy).create_key(&SystemScope::patron(), environment, new));
        assert_eq!(answer, Err(ApiKeyError::UnknownEnvironment));
    }
}
