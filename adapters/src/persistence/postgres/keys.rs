//! The port for API keys over PostgreSQL.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into, update};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use patron_domain::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::ApiKeyId,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{Actor, ApiKey, ApiKeyRepository, ApiKeySecret, EnvironmentScope, KeyUse, SystemScope},
    time::Timestamp,
};

use super::{
    PostgresStore,
    idempotency::{keep, kept_before},
    names,
    write::Change,
};
use crate::persistence::{
    error::Failure,
    idempotency::row::IdempotencyRow,
    page::{Window, page},
    schema::api_keys,
    tenancy::{
        queries,
        row::{ApiKeyRow, RevokedKey, secret_hash},
    },
};

#[async_trait]
impl ApiKeyRepository for PostgresStore {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError> {
        let key = ApiKey { owner: scope.owner, ..key };
        let record = IdempotencyRow::kept(claim.as_ref(), &key, key.audit.updated_at)?;
        self.write(CreateKey { row: ApiKeyRow::new(&key, &secret), key, claim, record }).await
    }

    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        page_request: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let Window { limit, offset } = page_request.into();
        let session = self.pool.session().await?;
        let (one, other) = queries::answers(revoked);
        let all = || queries::keys_revoked(&tenant, &environment, one, other);
        let ordered = all().order(queries::newest_keys_first()).limit(limit).offset(offset);
        let (rows, total) = (&mut session.pg(), &mut session.pg());
        page(session.snapshot(try_join(ordered.load::<ApiKeyRow>(rows), all().count().get_result(total))).await?)
    }

    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError> {
        let (tenant, environment) = names(scope.owner);
        self.write(Revoke { tenant, environment, id: id.to_string(), at, by: scope.actor.clone(), claim }).await
    }

    async fn find(&self, _scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let id = id.to_string();
        let session = self.pool.session().await?;
        let row = async { queries::key_by_id(&id).first::<ApiKeyRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(ApiKey::try_from).transpose()
    }

    async fn find_by_secret(&self, _scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let hash = secret_hash(secret);
        let session = self.pool.session().await?;
        let row = async { queries::key_by_hash(&hash).first::<ApiKeyRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(ApiKey::try_from).transpose()
    }

    async fn record_uses(&self, _scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError> {
        let mut uses: Vec<_> = uses.into_iter().map(|KeyUse { id, at }| (id.to_string(), at.micros())).collect();
        // In one order everywhere, so that several instances do not wait for each other in a circle.
        uses.sort_unstable();
        self.write(RecordUses(uses)).await
    }
}

struct CreateKey {
    row: ApiKeyRow,
    key: ApiKey,
    claim: Option<CallersClaim>,
    record: Option<IdempotencyRow>,
}

#[async_trait]
impl Change for CreateKey {
    type Answer = Done<ApiKey>;
    type Refusal = OnceError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<ApiKey>, Failure<OnceError>> {
        if let Some(made) = kept_before(pg, self.claim.as_ref()).await? {
            return Ok(Done::before(made));
        }
        keep(pg, self.claim.as_ref(), self.record.as_ref()).await?;
        insert_into(api_keys::table).values(&self.row).execute(&mut pg).await?;
        Ok(Done::now(self.key.clone()))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, made: &Done<ApiKey>) -> QueryResult<bool> {
        let known = queries::key_by_id(&self.row.id).count();
        Ok(made.replayed || known.get_result::<i64>(&mut pg).await? == 1)
    }
}

struct Revoke {
    tenant: String,
    environment: String,
    id: String,
    at: Timestamp,
    by: Actor,
    claim: Option<CallersClaim>,
}

#[async_trait]
impl Change for Revoke {
    type Answer = Option<Done<ApiKey>>;
    type Refusal = OnceError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Option<Done<ApiKey>>, Failure<OnceError>> {
        let refused = |error: StoreError| Failure::Refused(OnceError::from(error));
        let own = || queries::key_of(&self.tenant, &self.environment, &self.id);
        let row = own().for_update().first::<ApiKeyRow>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(revoked) = kept_before(pg, claim).await? {
            return Ok(Some(Done::before(revoked)));
        }
        let Some(row) = row else { return Ok(None) };
        let mut key = ApiKey::try_from(row).map_err(refused)?;
        key.revoke(self.at, &self.by);
        let record = IdempotencyRow::kept(claim, &key, self.at).map_err(refused)?;
        keep(pg, claim, record.as_ref()).await?;
        update(own()).set(RevokedKey::from(&key)).execute(&mut pg).await?;
        Ok(Some(Done::now(key)))
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &Option<Done<ApiKey>>) -> QueryResult<bool> {
        // Revoking twice is as good as once, so there is no need to know.
        Ok(false)
    }
}

/// Ids of keys, and when each was used.
struct RecordUses(Vec<(String, i64)>);

#[async_trait]
impl Change for RecordUses {
    type Answer = ();
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<(), Failure<StoreError>> {
        for (id, at) in &self.0 {
            let used = update(queries::key_unused_since(id, *at)).set(api_keys::last_used_at.eq(*at));
            used.execute(&mut pg).await?;
        }
        Ok(())
    }

    async fn is_written(&self, _: &AsyncPgConnection, (): &()) -> QueryResult<bool> {
        // Writing it twice is as good as once, so there is no need to know.
        Ok(false)
    }
}
