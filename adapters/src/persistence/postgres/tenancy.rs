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
    idempotency::{CallersClaim, Done, OnceError},
    ids::EnvironmentId,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{
        Actor, Bootstrap, CreateEnvironmentError, Environment, EnvironmentName, SystemScope, TenancyRepository, Tenant,
        TenantScope,
    },
    time::Timestamp,
};

use super::{
    PostgresStore,
    idempotency::{keep, kept_before},
    write::Change,
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
        claim: Option<CallersClaim>,
    ) -> Result<Done<Environment>, CreateEnvironmentError> {
        let environment = Environment { tenant_id: scope.tenant_id, ..environment };
        let record = IdempotencyRow::kept(claim.as_ref(), &environment, environment.audit.updated_at)?;
        let row = EnvironmentRow::new(scope.tenant_id, &environment);
        self.write(CreateEnvironment { row, environment, claim, record }).await
    }

    async fn rename_environment(
        &self,
        scope: &TenantScope,
        id: EnvironmentId,
        name: Option<EnvironmentName>,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<Environment>>, OnceError> {
        let (tenant, id) = (scope.tenant_id.to_string(), id.to_string());
        self.write(Rename { tenant, id, name, at, by: scope.actor.clone(), claim }).await
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

struct CreateEnvironment {
    row: EnvironmentRow,
    environment: Environment,
    claim: Option<CallersClaim>,
    record: Option<IdempotencyRow>,
}

#[async_trait]
impl Change for CreateEnvironment {
    type Answer = Done<Environment>;
    type Refusal = CreateEnvironmentError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<Environment>, Failure<CreateEnvironmentError>> {
        if let Some(made) = kept_before(pg, self.claim.as_ref()).await? {
            return Ok(Done::before(made));
        }
        keep(pg, self.claim.as_ref(), self.record.as_ref()).await?;
        match insert_into(environments::table).values(&self.row).execute(&mut pg).await {
            Ok(_) => Ok(Done::now(self.environment.clone())),
            // The only foreign key of the table.
            Err(Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
                Err(Failure::Refused(CreateEnvironmentError::UnknownTenant))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, made: &Done<Environment>) -> QueryResult<bool> {
        let known = queries::environment_by_id(&self.row.id).count();
        Ok(made.replayed || known.get_result::<i64>(&mut pg).await? == 1)
    }
}

struct Rename {
    tenant: String,
    id: String,
    name: Option<EnvironmentName>,
    at: Timestamp,
    by: Actor,
    claim: Option<CallersClaim>,
}

#[async_trait]
impl Change for Rename {
    type Answer = Option<Done<Environment>>;
    type Refusal = OnceError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Option<Done<Environment>>, Failure<OnceError>> {
        let refused = |error: StoreError| Failure::Refused(OnceError::from(error));
        let own = || queries::environment_of(&self.tenant, &self.id);
        let row = own().for_update().first::<EnvironmentRow>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(renamed) = kept_before(pg, claim).await? {
            return Ok(Some(Done::before(renamed)));
        }
        let Some(row) = row else { return Ok(None) };
        let mut environment = Environment::try_from(row).map_err(refused)?;
        environment.rename(self.name.clone(), self.at, &self.by);
        let record = IdempotencyRow::kept(claim, &environment, self.at).map_err(refused)?;
        keep(pg, claim, record.as_ref()).await?;
        update(own()).set(RenamedEnvironment::from(&environment)).execute(&mut pg).await?;
        Ok(Some(Done::now(environment)))
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &Option<Done<Environment>>) -> QueryResult<bool> {
        // Renaming twice to one name is as good as once, so there is no need to know.
        Ok(false)
    }
}
