//! The tenancy port in memory.

use async_trait::async_trait;

use super::{MemoryStore, State, id_taken, keys::StoredKey, newest_first};
use crate::{
    audit::Act,
    idempotency::{CallersClaim, Done},
    ids::{EnvironmentId, TenantId},
    lifecycle::{Owner, Precondition},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{
        ApiKey, Bootstrap, CreateEnvironmentError, Environment, EnvironmentError, EnvironmentName, EnvironmentScope,
        SystemScope, TenancyRepository, Tenant, TenantScope,
    },
    time::Timestamp,
};

#[async_trait]
impl TenancyRepository for MemoryStore {
    async fn bootstrap(&self, scope: &SystemScope, first: Bootstrap) -> Result<bool, StoreError> {
        let mut state = self.lock();
        if !state.tenants.is_empty() {
            return Ok(false);
        }
        let Bootstrap { tenant, environment, key, secret } = first;
        let environment = Environment { tenant_id: tenant.id, ..environment };
        let owner = Owner { tenant_id: tenant.id, environment_id: environment.id };
        let key = ApiKey { owner, ..key };
        let (scope, at) = (EnvironmentScope::new(owner, scope.actor.clone()), key.audit.created_at);
        state.audit(&scope, Act::environment_created(&environment), at);
        state.audit(&scope, Act::key_created(&key), at);
        state.registry(owner).keys.insert(key.id, StoredKey::new(key, &secret));
        state.environments.insert((tenant.id, environment.id), environment);
        state.tenants.insert(tenant.id, tenant);
        Ok(true)
    }

    async fn create_tenant(&self, _scope: &SystemScope, tenant: Tenant) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.tenants.contains_key(&tenant.id) {
            return Err(id_taken("tenant"));
        }
        state.tenants.insert(tenant.id, tenant);
        Ok(())
    }

    async fn tenants(&self, _scope: &SystemScope, request: PageRequest) -> Result<Page<Tenant>, StoreError> {
        let state = self.lock();
        Ok(newest_first(state.tenants.values(), |tenant| (tenant.audit.created_at, tenant.id), request))
    }

    async fn suspend_tenant(
        &self,
        scope: &SystemScope,
        id: TenantId,
        suspended: bool,
        at: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        let mut state = self.lock();
        let Some(tenant) = state.tenants.get_mut(&id) else { return Ok(None) };
        let changed = tenant.suspend(suspended, at, &scope.actor);
        let tenant = tenant.clone();
        if changed {
            let environments: Vec<_> = state.environments.keys().filter(|(of, _)| *of == id).copied().collect();
            for (tenant_id, environment_id) in environments {
                let within = EnvironmentScope::new(Owner { tenant_id, environment_id }, scope.actor.clone());
                state.audit(&within, Act::tenant_suspended(id, suspended), at);
            }
        }
        Ok(Some(tenant))
    }

    async fn create_environment(
        &self,
        scope: &TenantScope,
        environment: Environment,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Environment>, CreateEnvironmentError> {
        let mut state = self.write_of_tenant(scope);
        if let Some(made) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(made));
        }
        if !state.tenants.contains_key(&scope.tenant_id) {
            return Err(CreateEnvironmentError::UnknownTenant);
        }
        if state.environment(environment.id).is_some() {
            return Err(id_taken("environment").into());
        }
        let environment = Environment { tenant_id: scope.tenant_id, ..environment };
        state.environments.insert((scope.tenant_id, environment.id), environment.clone());
        let (within, at) = (scope.clone().environment(environment.id), environment.audit.updated_at);
        state.audit(&within, Act::environment_created(&environment), at);
        state.keep(claim.as_ref(), &environment, environment.audit.updated_at);
        Ok(Done::now(environment))
    }

    async fn rename_environment(
        &self,
        scope: &TenantScope,
        id: EnvironmentId,
        name: Option<EnvironmentName>,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<Environment>>, EnvironmentError> {
        let mut state = self.write_of_tenant(scope);
        if let Some(renamed) = state.answered_before(claim.as_ref())? {
            return Ok(Some(Done::before(renamed)));
        }
        let Some(environment) = state.environments.get_mut(&(scope.tenant_id, id)) else { return Ok(None) };
        only_if.check(Some(environment.audit.version()))?;
        let before = environment.clone();
        environment.rename(name, at, &scope.actor);
        let environment = environment.clone();
        state.audit(&scope.clone().environment(id), Act::environment_changed(&before, &environment), at);
        state.keep(claim.as_ref(), &environment, at);
        Ok(Some(Done::now(environment)))
    }

    async fn environments(&self, scope: &TenantScope, request: PageRequest) -> Result<Page<Environment>, StoreError> {
        let state = self.lock();
        let own = state.environments.values().filter(|environment| environment.tenant_id == scope.tenant_id);
        Ok(newest_first(own, |environment| (environment.audit.created_at, environment.id), request))
    }

    async fn find_environment(
        &self,
        _scope: &SystemScope,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        Ok(self.lock().environment(id).cloned())
    }
}

impl State {
    fn environment(&self, id: EnvironmentId) -> Option<&Environment> {
        self.environments.values().find(|environment| environment.id == id)
    }
}
