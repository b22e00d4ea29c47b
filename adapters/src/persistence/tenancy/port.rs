//! The port for tenants and environments.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    idempotency::{CallersClaim, Done},
    ids::{EnvironmentId, TenantId},
    lifecycle::{Owner, Precondition},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{
        Bootstrap, CreateEnvironmentError, Environment, EnvironmentError, EnvironmentName, EnvironmentScope, Origin,
        SystemScope, TenancyRepository, Tenant, TenantScope,
    },
    time::Timestamp,
};

use super::row::{ApiKeyRow, EnvironmentRow, TenantRow, secret_hash};
use crate::persistence::{
    audit::{Auditing, row::AuditRow},
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    event::log_row::LogRow,
    idempotency::{self, Before, Once},
    owners::OF_NO_ENVIRONMENT,
    page::{Window, page_of},
    party::Party,
    store::Store,
    value::Key,
    writes::Writes,
};

#[async_trait]
impl TenancyRepository for Store {
    async fn bootstrap(&self, scope: &SystemScope, first: Bootstrap) -> Result<bool, StoreError> {
        if self.read(Pace::LookUp, |unit| unit.count_tenants().boxed()).await? > 0 {
            return Ok(false);
        }
        let Bootstrap { tenant, environment, key, secret } = first;
        let number = self.environment_to_write(&Origin::default(), key.owner).await?;
        let within = EnvironmentScope::new(key.owner, scope.actor.clone());
        let auditing = Auditing::of(self, &within).await?;
        let (acts, at) = ([Act::environment_created(&environment), Act::key_created(&key)], key.audit.created_at);
        let rows = (
            TenantRow::from(&tenant),
            EnvironmentRow { tenant_id: tenant.id.into(), ..EnvironmentRow::from(&environment) },
            ApiKeyRow::new(number, &key, secret_hash(&secret)),
        );
        let bootstrap = self.write(Author::system(), number, move |unit| {
            let (tenant, environment, key) = rows.clone();
            let (auditing, acts) = (auditing.clone(), acts.clone());
            let bootstrap = async move {
                // Another server may have been first.
                if unit.count_tenants().await? > 0 {
                    return Ok::<_, Failure<StoreError>>(Decision::nothing(false));
                }
                let mut writes = Writes { marked: Some(number), ..Writes::default() };
                // Its primary key prevents a second first tenant: of two concurrent bootstraps the second fails at this row,
                // and then finds the tenant of the first.
                writes.new_logs.push(LogRow::empty(OF_NO_ENVIRONMENT));
                writes.new_tenants.push(tenant);
                writes.new_environments.push(environment);
                writes.new_keys.push(key);
                for act in acts {
                    auditing.note(&mut writes, act, at);
                }
                Ok(Decision { answer: true, writes })
            };
            bootstrap.boxed()
        });
        bootstrap.await
    }

    async fn create_tenant(&self, _scope: &SystemScope, tenant: Tenant) -> Result<(), StoreError> {
        let row = TenantRow::from(&tenant);
        let create = self.write(Author::system(), Party::System, move |_| {
            let mut writes = Writes::default();
            writes.new_tenants.push(row.clone());
            async move { Ok::<_, Failure<StoreError>>(Decision { answer: (), writes }) }.boxed()
        });
        create.await
    }

    async fn tenants(&self, _scope: &SystemScope, page_request: PageRequest) -> Result<Page<Tenant>, StoreError> {
        let window = Window::from(page_request);
        let read = self.read(Pace::list(Party::System), move |unit| {
            async move { Ok((unit.tenants(window).await?, unit.count_tenants().await?)) }.boxed()
        });
        page_of(read.await?, TenantRow::tenant)
    }

    async fn suspend_tenant(
        &self,
        scope: &SystemScope,
        id: TenantId,
        suspended: bool,
        at: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        let actor = scope.actor.clone();
        let suspend = self.write(Author::system(), Party::System, move |unit| {
            let actor = actor.clone();
            let suspend = async move {
                let Some(row) = unit.lock_tenant(id.into()).await? else { return Ok(Decision::nothing(None)) };
                let mut tenant = row.tenant().map_err(Failure::Refused)?;
                let mut writes = Writes::default();
                if tenant.suspend(suspended, at, &actor) {
                    let (act, origin) = (Act::tenant_suspended(id, suspended), Origin::default());
                    let environments = unit.logged_environments_of(id.into()).await?.into_iter();
                    writes.audit = environments.map(|one| AuditRow::new(one, &act, (&actor, &origin), at)).collect();
                    writes.tenants.push(TenantRow::from(&tenant));
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: Some(tenant), writes })
            };
            suspend.boxed()
        });
        suspend.await
    }

    async fn create_environment(
        &self,
        scope: &TenantScope,
        environment: Environment,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Environment>, CreateEnvironmentError> {
        let environment = Environment { tenant_id: scope.tenant_id, ..environment };
        let once = Once::of(self, claim).await?;
        let tenant = Key::from(scope.tenant_id);
        let known = self.read(Pace::LookUp, move |unit| unit.tenant(tenant).boxed()).await?;
        if known.is_none() {
            return Err(CreateEnvironmentError::UnknownTenant);
        }
        let owner = Owner { tenant_id: scope.tenant_id, environment_id: environment.id };
        let number = self.environment_to_write(&scope.origin, owner).await?;
        let auditing = Auditing::within(self, scope, environment.id).await?;
        let create = self.write(Author::from(scope), number, move |unit| {
            let (environment, once, auditing) = (environment.clone(), once.clone(), auditing.clone());
            let create = async move {
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(made) => return Ok(Decision::nothing(Done::before(made))),
                    Before::Free(keeping) => keeping,
                };
                let mut writes = Writes { marked: Some(number), ..Writes::default() };
                writes.new_environments.push(EnvironmentRow::from(&environment));
                auditing.note(&mut writes, Act::environment_created(&environment), environment.audit.updated_at);
                keeping.answer(&mut writes, &environment, environment.audit.updated_at);
                Ok::<_, Failure<CreateEnvironmentError>>(Decision { answer: Done::now(environment), writes })
            };
            create.boxed()
        });
        create.await
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
        let once = Once::of(self, claim).await?;
        let owner = Owner { tenant_id: scope.tenant_id, environment_id: id };
        let Some(number) = self.environment(owner).await? else { return Ok(None) };
        let (tenant, actor) = (Key::from(scope.tenant_id), scope.actor.clone());
        let auditing = Auditing::within(self, scope, id).await?;
        let rename = self.write(Author::from(scope), number, move |unit| {
            let (name, actor, once, auditing) = (name.clone(), actor.clone(), once.clone(), auditing.clone());
            let only_if = only_if.clone();
            let rename = async move {
                let row = unit.lock_environment(tenant, id.into()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(renamed) => return Ok(Decision::nothing(Some(Done::before(renamed)))),
                    Before::Free(keeping) => keeping,
                };
                let Some(row) = row else { return Ok(Decision::nothing(None)) };
                let mut environment = row.environment().map_err(|error| Failure::Refused(error.into()))?;
                only_if.check(Some(environment.audit.version())).map_err(|error| Failure::Refused(error.into()))?;
                let before = environment.clone();
                environment.rename(name, at, &actor);
                let mut writes = Writes { marked: Some(number), ..Writes::default() };
                auditing.note(&mut writes, Act::environment_changed(&before, &environment), at);
                if environment != before {
                    writes.environments.push(EnvironmentRow::from(&environment));
                }
                keeping.answer(&mut writes, &environment, at);
                Ok::<_, Failure<EnvironmentError>>(Decision { answer: Some(Done::now(environment)), writes })
            };
            rename.boxed()
        });
        rename.await
    }

    async fn environments(
        &self,
        scope: &TenantScope,
        page_request: PageRequest,
    ) -> Result<Page<Environment>, StoreError> {
        let (tenant, window) = (Key::from(scope.tenant_id), Window::from(page_request));
        let read = self.read(Pace::list(Party::Tenant(tenant)), move |unit| {
            let read = async move {
                let rows = unit.environments_of(tenant, window).await?;
                Ok((rows, unit.count_environments_of(tenant).await?))
            };
            read.boxed()
        });
        page_of(read.await?, EnvironmentRow::environment)
    }

    async fn find_environment(
        &self,
        _scope: &SystemScope,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        let row = self.read(Pace::LookUp, move |unit| unit.environment(id.into()).boxed()).await?;
        row.map(EnvironmentRow::environment).transpose()
    }
}
