//! The operations on environments and keys of a tenant, with permission checks.

mod error;

use std::{sync::Arc, time::Duration};

use error::FixedType;
pub use error::{EnvironmentError, KeyError};

use super::{
    ApiKey, ApiKeyRepository, ApiKeySecret, Caller, CreateEnvironmentError, Environment, EnvironmentName,
    EnvironmentScope, EnvironmentType, KeyRotation, NewApiKey, Permission, PermissionDenied, SystemScope,
    TenancyRepository, TenantScope, end_of_key, maker::Maker,
};
use crate::{
    clock::Clock,
    idempotency::{CallersClaim, Done, IdempotencyRecords, IdempotentRequest},
    ids::{ApiKeyId, EnvironmentId, IdGenerator, Randomness},
    lifecycle::{Precondition, Status},
    page::{Page, PageRequest},
    store::StoreError,
    time::Timestamp,
    violation::Violations,
};

/// Operations on environments and keys, for callers with permissions.
///
/// | role | permissions |
/// | --- | --- |
/// | every role except `webhook_admin` | read the names and types of the tenant's environments, but not their content |
/// | `super_admin` | create, list, rotate and revoke keys of its own environment |
/// | `tenant_admin` | create and rename environments; the same with keys of every environment of the tenant |
///
/// Writers cannot create keys, not even for themselves: with a leaked key, an attacker could create others that outlive
/// it. A `super_admin` can grant only rights that it has. A `tenant_admin` can grant every role, because it creates the
/// first keys of environments. So only the key of a `tenant_admin` reaches other environments, and there only their
/// keys.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::DEFAULT_IDEMPOTENCY_TTL,
///     page::PageRequest,
///     tenancy::AdministrationService,
///     testkit::{CountingIds, FixedClock, FixedRandomness, MemoryStore, a_caller},
/// };
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let service = AdministrationService {
///     tenancy: store.clone(),
///     keys: store.clone(),
///     records: store,
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     randomness: Arc::new(FixedRandomness([7; 32])),
///     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
///     key_max_age: None,
/// };
/// assert_eq!(service.environments(&a_caller(), PageRequest::default()).await.unwrap().total, 0);
/// # });
/// ```
#[derive(Clone)]
pub struct AdministrationService {
    /// The store of environments.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// The store of keys.
    pub keys: Arc<dyn ApiKeyRepository>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The source of random secrets.
    pub randomness: Arc<dyn Randomness>,
    /// The records of idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// How long a request that is repeated with its key gets the same response.
    pub idempotency_ttl: Duration,
    /// The maximum lifetime of a key; `None` for no limit.
    pub key_max_age: Option<Duration>,
}

/// A change of an environment. `None` keeps the present value.
///
/// ```
/// use patron_domain::tenancy::{EnvironmentChange, EnvironmentName};
///
/// let change = EnvironmentChange { name: EnvironmentName::new("Sandbox").ok(), kind: None };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentChange {
    /// The new name.
    pub name: Option<EnvironmentName>,
    /// The type, which cannot change: only the present type is accepted.
    pub kind: Option<EnvironmentType>,
}

impl AdministrationService {
    /// The current time, for checking a new key's expiry.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Creates an environment of the caller's tenant.
    ///
    /// # Errors
    /// When the caller is not a `tenant_admin`, or the store fails.
    pub async fn create_environment(
        &self,
        caller: &Caller,
        name: EnvironmentName,
        kind: EnvironmentType,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<Environment>, EnvironmentError> {
        let scope = caller.authorise_tenant(Permission::AdministerTenant)?;
        let now = self.clock.now();
        let environment =
            Maker::start(scope.origin.ids(&*self.ids, now), now, &scope.actor).environment(scope.tenant_id, name, kind);
        match self.tenancy.create_environment(&scope, environment, self.claim(caller, request, now)).await {
            Ok(made) => Ok(made),
            Err(CreateEnvironmentError::KeyReused(reused)) => Err(reused.into()),
            Err(CreateEnvironmentError::Store(error)) => Err(error.into()),
            Err(CreateEnvironmentError::UnknownTenant) => {
                Err(StoreError::Failed { reason: "the tenant of a caller is missing".to_owned() }.into())
            }
        }
    }

    /// The environments of the caller's tenant, the newest first.
    ///
    /// # Errors
    /// When the caller may not read, or the store fails.
    pub async fn environments(
        &self,
        caller: &Caller,
        page: PageRequest,
    ) -> Result<Page<Environment>, EnvironmentError> {
        let scope = caller.authorise_tenant(Permission::ReadEnvironments)?;
        Ok(self.tenancy.environments(&scope, page).await?)
    }

    /// An environment of the caller's tenant.
    ///
    /// # Errors
    /// When the caller may not read, there is no environment with this id, or the store fails.
    pub async fn environment(&self, caller: &Caller, id: EnvironmentId) -> Result<Environment, EnvironmentError> {
        let scope = caller.authorise_tenant(Permission::ReadEnvironments)?;
        self.find(&scope, id).await?.ok_or(EnvironmentError::Unknown)
    }

    /// Changes an environment of the caller's tenant.
    ///
    /// # Errors
    /// When the caller is not a `tenant_admin`, there is none with this id, its type would change, or the store fails.
    pub async fn change_environment(
        &self,
        caller: &Caller,
        id: EnvironmentId,
        change: EnvironmentChange,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<Environment>, EnvironmentError> {
        let scope = caller.authorise_tenant(Permission::AdministerTenant)?;
        let found = self.find(&scope, id).await?.ok_or(EnvironmentError::Unknown)?;
        if change.kind.is_some_and(|kind| kind != found.kind) {
            let mut broken = Violations::new();
            broken.add("type", &FixedType(found.kind));
            return Err(broken.into());
        }
        let now = self.clock.now();
        let claim = self.claim(caller, request, now);
        if change.name.is_none() && claim.is_none() {
            only_if.check(Some(found.audit.version()))?;
            return Ok(Done::now(found));
        }
        let renamed = self.tenancy.rename_environment(&scope, id, change.name, now, only_if, claim).await?;
        renamed.ok_or(EnvironmentError::Unknown)
    }

    /// Creates a key with 256 random bits in an environment of the caller's tenant, by default its own. The secret is
    /// returned only this once: a repeated request with the same idempotency key gets the key without it.
    ///
    /// # Errors
    /// When the caller may not administer keys there or may not grant the roles, the expiry is not allowed, the tenant
    /// has no such environment, no secret can be generated, or the store fails.
    pub async fn create_key(
        &self,
        caller: &Caller,
        environment: Option<EnvironmentId>,
        new: NewApiKey,
        request: Option<IdempotentRequest>,
    ) -> Result<(ApiKey, Option<ApiKeySecret>), KeyError> {
        let own = caller.authorise(Permission::AdministerKeys)?;
        if !caller.roles().may_grant(&new.roles) {
            return Err(PermissionDenied::MoreThanOwn.into());
        }
        let now = self.clock.now();
        let claim = self.claim(caller, request, now);
        if let Some(CallersClaim { claim, .. }) = &claim
            && let Some(made) = claim.answered(self.records.as_ref(), own).await?
        {
            return Ok((made, None));
        }
        let mut broken = Violations::new();
        let end = end_of_key(new.expires_at, now, self.key_max_age);
        let expires_at = broken.check(|| "expires_at".to_owned(), end).flatten();
        broken.into_result()?;
        let new = NewApiKey { expires_at, ..new };
        let scope = self.key_scope(caller, environment).await?;
        let secret = ApiKeySecret::from_random(self.randomness.secret_bytes()?);
        let key = Maker::start(scope.origin.ids(&*self.ids, now), now, &scope.actor).key(scope.owner, new, &secret);
        let Done { value, replayed } = self.keys.create(&scope, key, secret.clone(), claim).await?;
        Ok((value, (!replayed).then_some(secret)))
    }

    /// The keys of an environment of the caller's tenant, by default its own, without their secrets. Revoked keys are
    /// archived; all others, including expired ones, are published.
    ///
    /// # Errors
    /// When the caller may not administer keys there, the tenant has no such environment, or the store fails.
    pub async fn keys(
        &self,
        caller: &Caller,
        environment: Option<EnvironmentId>,
        status: Status,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, KeyError> {
        let scope = self.key_scope(caller, environment).await?;
        let revoked = match status {
            Status::Published => false,
            Status::Archived => true,
            // Keys are never deleted.
            Status::Deleted => return Ok(Page { items: Vec::new(), total: 0 }),
        };
        Ok(self.keys.list(&scope, Some(revoked), page).await?)
    }

    /// A key of the caller's environment, or for a `tenant_admin` of any environment of the tenant, valid or not,
    /// without its secret.
    ///
    /// # Errors
    /// When the caller may not administer keys, there is no such key within its reach, or the store fails.
    pub async fn key(&self, caller: &Caller, id: ApiKeyId) -> Result<ApiKey, KeyError> {
        Ok(self.key_of(caller, id).await?.1)
    }

    /// Replaces a key by a new one with another id and secret. The new key has the same roles, networks, rate limit and
    /// lifetime, and is returned with its secret as in [`Self::create_key`]. The old key stays valid for the overlap.
    ///
    /// # Errors
    /// When the caller may not administer keys or may not grant the key's roles, there is no such key within its reach,
    /// the key is no longer valid, no secret can be generated, or the store fails.
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        overlap: Duration,
        request: Option<IdempotentRequest>,
    ) -> Result<(ApiKey, Option<ApiKeySecret>), KeyError> {
        let (scope, replaced) = self.key_of(caller, id).await?;
        if !caller.roles().may_grant(&replaced.roles) {
            return Err(PermissionDenied::MoreThanOwn.into());
        }
        let now = self.clock.now();
        let secret = ApiKeySecret::from_random(self.randomness.secret_bytes()?);
        let new = replaced.successor(now, self.key_max_age);
        let key = Maker::start(scope.origin.ids(&*self.ids, now), now, &scope.actor).key(scope.owner, new, &secret);
        let rotation = KeyRotation { replaced: id, until: now.later(overlap), key, secret: secret.clone() };
        let Done { value, replayed } = self.keys.rotate(&scope, rotation, self.claim(caller, request, now)).await?;
        Ok((value, (!replayed).then_some(secret)))
    }

    /// Revokes a key of the caller's environment, or for a `tenant_admin` of any environment of the tenant. A second
    /// call changes nothing.
    ///
    /// # Errors
    /// When the caller may not administer keys, there is no such key within its reach, or the store fails.
    pub async fn revoke_key(
        &self,
        caller: &Caller,
        id: ApiKeyId,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<ApiKey>, KeyError> {
        let (scope, _) = self.key_of(caller, id).await?;
        let now = self.clock.now();
        let revoked = self.keys.revoke(&scope, id, now, self.claim(caller, request, now)).await?;
        revoked.ok_or(KeyError::UnknownKey)
    }

    /// A key that the caller may administer, with the scope of the key's environment. Any other key is treated as if it
    /// did not exist.
    async fn key_of(&self, caller: &Caller, id: ApiKeyId) -> Result<(EnvironmentScope, ApiKey), KeyError> {
        let tenant = caller.authorise_tenant(Permission::AdministerKeys)?;
        let found = self.keys.find(&SystemScope { actor: tenant.actor.clone() }, id).await?;
        let of_tenant = found.filter(|key| key.owner.tenant_id == tenant.tenant_id).ok_or(KeyError::UnknownKey)?;
        let scope = caller.authorise_keys_of(of_tenant.owner.environment_id).map_err(|_| KeyError::UnknownKey)?;
        Ok((scope, of_tenant))
    }

    fn claim(&self, caller: &Caller, request: Option<IdempotentRequest>, now: Timestamp) -> Option<CallersClaim> {
        let claim = request.map(|request| request.claim(now, self.idempotency_ttl));
        claim.map(|claim| CallersClaim { owner: caller.owner(), claim })
    }

    /// The scope for creating and listing keys: the given environment, if it belongs to the caller's tenant.
    async fn key_scope(&self, caller: &Caller, named: Option<EnvironmentId>) -> Result<EnvironmentScope, KeyError> {
        let own = caller.authorise(Permission::AdministerKeys)?;
        let Some(id) = named.filter(|id| *id != own.owner.environment_id) else { return Ok(own.clone()) };
        let scope = caller.authorise_keys_of(id)?;
        let tenant = caller.authorise_tenant(Permission::AdministerTenant)?;
        self.find(&tenant, id).await?.ok_or(KeyError::UnknownEnvironment)?;
        Ok(scope)
    }

    /// An environment of a tenant. The port finds environments of every tenant by id. Those of other tenants are
    /// treated as if they did not exist.
    async fn find(&self, tenant: &TenantScope, id: EnvironmentId) -> Result<Option<Environment>, StoreError> {
        let found = self.tenancy.find_environment(&SystemScope { actor: tenant.actor.clone() }, id).await?;
        Ok(found.filter(|environment| environment.tenant_id == tenant.tenant_id))
    }
}

#[cfg(test)]
mod tests;
