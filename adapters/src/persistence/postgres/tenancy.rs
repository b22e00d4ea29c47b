//! The port for tenants and environments over PostgreSQL.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into,
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::BigInt,
    update,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use patron_domain::{
    ids::EnvironmentId,
    store::{Page, PageRequest, StoreError},
    tenancy::{
        Bootstrap, CreateEnvironmentError, Environment, EnvironmentName, SystemScope, TenancyRepository, Tenant,
        TenantScope,
    },
    time::Timestamp,
};

use super::{PostgresStore, write::Change};
use crate::persistence::{
    error::Failure,
    page::{Window, page},
    schema::{api_keys, environments, tenants},
    tenancy::{
        queries,
        row::{ApiKeyRow, EnvironmentRow, TenantRow},
    },
};

/// The advisory lock of whoever writes tenants: "patron" in ASCII, and a number. An empty table has no row to lock.
const LOCK: i64 = 0x7061_7472_6F6E_0002;

#[async_trait]
impl TenancyRepository for PostgresStore {
    async fn bootstrap(&self, _scope: &SystemScope, first: Bootstrap) -> Result<bool, StoreError> {
        let tenant = TenantRow::from(&first.tenant);
        let environment = EnvironmentRow::new(first.tenant.id, &first.environment);
        self.write(WriteFirst { tenant, environment, key: ApiKeyRow::new(&first.key, &first.secret) }).await
    }

    async fn create_tenant(&self, _scope: &SystemScope, tenant: Tenant) -> Result<(), StoreError> {
        self.write(CreateTenant(TenantRow::from(&tenant))).await
    }

    async fn tenants(&self, _scope: &SystemScope, page_request: PageRequest) -> Result<Page<Tenant>, StoreError> {
        let Window { limit, offset } = page_request.into();
        let session = self.pool.session().await?;
        let ordered = tenants::table.order(queries::newest_tenants_first()).limit(limit).offset(offset);
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        page(
            session
                .snapshot(try_join(ordered.load::<TenantRow>(rows), tenants::table.count().get_result(total)))
                .await?,
        )
    }

    async fn create_environment(
        &self,
        scope: &TenantScope,
        environment: Environment,
    ) -> Result<(), CreateEnvironmentError> {
        self.write(CreateEnvironment(EnvironmentRow::new(scope.tenant_id, &environment))).await
    }

    async fn rename_environment(
        &self,
        scope: &TenantScope,
        id: EnvironmentId,
        name: EnvironmentName,
        at: Timestamp,
    ) -> Result<Option<Environment>, StoreError> {
        let (tenant, id) = (scope.tenant_id.to_string(), id.to_string());
        let (name, by) = (name.into_string(), scope.actor.as_str().to_owned());
        let renamed = self.write(Rename { tenant, id, name, at: at.micros(), by }).await?;
        renamed.map(Environment::try_from).transpose()
    }

    async fn environments(
        &self,
        scope: &TenantScope,
        page_request: PageRequest,
    ) -> Result<Page<Environment>, StoreError> {
        let tenant = scope.tenant_id.to_string();
        let Window { limit, offset } = page_request.into();
        let session = self.pool.session().await?;
        let all = || queries::environments_of(&tenant);
        let ordered = all().order(queries::newest_environments_first()).limit(limit).offset(offset);
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        page(session.snapshot(try_join(ordered.load::<EnvironmentRow>(rows), all().count().get_result(total))).await?)
    }

    async fn find_environment(
        &self,
        _scope: &SystemScope,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        let id = id.to_string();
        let session = self.pool.session().await?;
        let query = queries::environment_by_id(&id);
        let row = async { query.first::<EnvironmentRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(Environment::try_from).transpose()
    }
}

/// Makes everybody who writes tenants wait until this transaction has ended.
async fn lock_tenants(mut pg: &AsyncPgConnection) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK).execute(&mut pg).await.map(drop)
}

async fn has_tenant(mut pg: &AsyncPgConnection, id: &str) -> QueryResult<bool> {
    let known = tenants::table.filter(tenants::id.eq(id)).count();
    known.get_result::<i64>(&mut pg).await.map(|count| count == 1)
}

/// The first tenant with its environment and key.
struct WriteFirst {
    tenant: TenantRow,
    environment: EnvironmentRow,
    key: ApiKeyRow,
}

#[async_trait]
impl Change for WriteFirst {
    type Answer = bool;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<bool, Failure<StoreError>> {
        lock_tenants(pg).await?;
        let known: i64 = tenants::table.count().get_result(&mut pg).await?;
        if known > 0 {
            // Ours, if this is the second try after a commit whose answer was lost.
            return Ok(has_tenant(pg, &self.tenant.id).await?);
        }
        insert_into(tenants::table).values(&self.tenant).execute(&mut pg).await?;
        insert_into(environments::table).values(&self.environment).execute(&mut pg).await?;
        insert_into(api_keys::table).values(&self.key).execute(&mut pg).await?;
        Ok(true)
    }

    async fn is_written(&self, pg: &AsyncPgConnection, was_first: &bool) -> QueryResult<bool> {
        // Whoever was not the first has written nothing.
        Ok(!was_first || has_tenant(pg, &self.tenant.id).await?)
    }
}

struct CreateTenant(TenantRow);

#[async_trait]
impl Change for CreateTenant {
    type Answer = ();
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<(), Failure<StoreError>> {
        lock_tenants(pg).await?;
        Ok(insert_into(tenants::table).values(&self.0).execute(&mut pg).await.map(drop)?)
    }

    async fn is_written(&self, pg: &AsyncPgConnection, (): &()) -> QueryResult<bool> {
        has_tenant(pg, &self.0.id).await
    }
}

struct CreateEnvironment(EnvironmentRow);

#[async_trait]
impl Change for CreateEnvironment {
    type Answer = ();
    type Refusal = CreateEnvironmentError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<(), Failure<CreateEnvironmentError>> {
        match insert_into(environments::table).values(&self.0).execute(&mut pg).await {
            Ok(_) => Ok(()),
            // The only foreign key of the table.
            Err(Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
                Err(Failure::Refused(CreateEnvironmentError::UnknownTenant))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, (): &()) -> QueryResult<bool> {
        let known = queries::environment_by_id(&self.0.id).count();
        known.get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

struct Rename {
    tenant: String,
    id: String,
    name: String,
    at: i64,
    by: String,
}

#[async_trait]
impl Change for Rename {
    type Answer = Option<EnvironmentRow>;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Option<EnvironmentRow>, Failure<StoreError>> {
        let renamed = (
            environments::name.eq(&self.name),
            environments::updated_at.eq(self.at),
            environments::updated_by.eq(&self.by),
        );
        let renamed = update(queries::environment_of(&self.tenant, &self.id)).set(renamed);
        Ok(renamed.get_result::<EnvironmentRow>(&mut pg).await.optional()?)
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &Option<EnvironmentRow>) -> QueryResult<bool> {
        // Renaming twice to one name is as good as once, so there is no need to know.
        Ok(false)
    }
}
