//! The port for tenants and environments over SQLite.

use async_trait::async_trait;
use diesel::{insert_into, prelude::*, result::Error, update};
use patron_domain::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::EnvironmentId,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{
        Bootstrap, CreateEnvironmentError, Environment, EnvironmentName, SystemScope, TenancyRepository, Tenant,
        TenantScope,
    },
    time::Timestamp,
};

use super::{
    SqliteStore,
    idempotency::{keep, kept_before},
};
use crate::persistence::{
    error::Failure,
    idempotency::row::IdempotencyRow,
    page::{Window, page},
    schema::{api_keys, environments, tenants},
    tenancy::{
        queries,
        row::{ApiKeyRow, EnvironmentRow, RenamedEnvironment, TenantRow},
    },
};

#[async_trait]
impl TenancyRepository for SqliteStore {
    async fn bootstrap(&self, _scope: &SystemScope, first: Bootstrap) -> Result<bool, StoreError> {
        let tenant = TenantRow::from(&first.tenant);
        let environment = EnvironmentRow::new(first.tenant.id, &first.environment);
        let key = ApiKeyRow::new(&first.key, &first.secret);
        let bootstrap = move |connection: &mut SqliteConnection| {
            let known: i64 = tenants::table.count().get_result(connection)?;
            if known > 0 {
                return Ok(false);
            }
            insert_into(tenants::table).values(&tenant).execute(connection)?;
            insert_into(environments::table).values(&environment).execute(connection)?;
            insert_into(api_keys::table).values(&key).execute(connection)?;
            Ok(true)
        };
        self.writer.write(bootstrap).await
    }

    async fn create_tenant(&self, _scope: &SystemScope, tenant: Tenant) -> Result<(), StoreError> {
        let row = TenantRow::from(&tenant);
        let create = move |connection: &mut SqliteConnection| {
            Ok(insert_into(tenants::table).values(&row).execute(connection).map(drop)?)
        };
        self.writer.write(create).await
    }

    async fn tenants(&self, _scope: &SystemScope, page_request: PageRequest) -> Result<Page<Tenant>, StoreError> {
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<TenantRow>, i64), Error, _>(|connection| {
                let ordered = tenants::table.order(queries::newest_tenants_first());
                let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                Ok((rows, tenants::table.count().get_result(connection)?))
            })
        };
        page(self.readers.read(query).await?)
    }

    async fn create_environment(
        &self,
        scope: &TenantScope,
        environment: Environment,
        claim: Option<CallersClaim>,
    ) -> Result<Done<Environment>, CreateEnvironmentError> {
        let environment = Environment { tenant_id: scope.tenant_id, ..environment };
        let row = EnvironmentRow::new(scope.tenant_id, &environment);
        let record = IdempotencyRow::kept(claim.as_ref(), &environment, environment.audit.updated_at)?;
        let create = move |connection: &mut SqliteConnection| {
            if let Some(made) = kept_before(connection, claim.as_ref())? {
                return Ok(Done::before(made));
            }
            let tenant = tenants::table.filter(tenants::id.eq(&row.tenant_id)).count();
            if tenant.get_result::<i64>(connection)? == 0 {
                return Err(Failure::Refused(CreateEnvironmentError::UnknownTenant));
            }
            insert_into(environments::table).values(&row).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Done::now(environment.clone()))
        };
        self.writer.write(create).await
    }

    async fn rename_environment(
        &self,
        scope: &TenantScope,
        id: EnvironmentId,
        name: Option<EnvironmentName>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<Environment>>, OnceError> {
        let (tenant, id, actor) = (scope.tenant_id.to_string(), id.to_string(), scope.actor.clone());
        let rename = move |connection: &mut SqliteConnection| {
            let refused = |error: StoreError| Failure::Refused(OnceError::from(error));
            if let Some(renamed) = kept_before(connection, claim.as_ref())? {
                return Ok(Some(Done::before(renamed)));
            }
            let own = || queries::environment_of(&tenant, &id);
            let Some(row) = own().first::<EnvironmentRow>(connection).optional()? else { return Ok(None) };
            let mut environment = Environment::try_from(row).map_err(refused)?;
            environment.rename(name.clone(), at, &actor);
            let record = IdempotencyRow::kept(claim.as_ref(), &environment, at).map_err(refused)?;
            update(own()).set(RenamedEnvironment::from(&environment)).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Some(Done::now(environment)))
        };
        self.writer.write(rename).await
    }

    async fn environments(
        &self,
        scope: &TenantScope,
        page_request: PageRequest,
    ) -> Result<Page<Environment>, StoreError> {
        let tenant = scope.tenant_id.to_string();
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<EnvironmentRow>, i64), Error, _>(|connection| {
                let ordered = queries::environments_of(&tenant).order(queries::newest_environments_first());
                let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                Ok((rows, queries::environments_of(&tenant).count().get_result(connection)?))
            })
        };
        page(self.readers.read(query).await?)
    }

    async fn find_environment(
        &self,
        _scope: &SystemScope,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::environment_by_id(&id).first::<EnvironmentRow>(connection).optional()
        };
        self.readers.read(query).await?.map(Environment::try_from).transpose()
    }
}
