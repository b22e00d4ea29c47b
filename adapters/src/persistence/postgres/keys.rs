//! The port for API keys over PostgreSQL.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into, update};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use patron_domain::{
    ids::ApiKeyId,
    store::{Page, PageRequest, StoreError},
    tenancy::{ApiKey, ApiKeyRepository, ApiKeySecret, EnvironmentScope, KeyUse, SystemScope},
    time::Timestamp,
};

use super::{PostgresStore, names, write::Change};
use crate::persistence::{
    error::Failure,
    page::{Window, page},
    schema::api_keys,
    tenancy::{
        queries,
        row::{ApiKeyRow, secret_hash},
    },
};

#[async_trait]
impl ApiKeyRepository for PostgresStore {
    async fn create(&self, scope: &EnvironmentScope, key: ApiKey, secret: ApiKeySecret) -> Result<(), StoreError> {
        let key = ApiKey { owner: scope.owner, ..key };
        self.write(CreateKey(ApiKeyRow::new(&key, &secret))).await
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
    ) -> Result<Option<ApiKey>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let by = scope.actor.as_str().to_owned();
        let revoked = self.write(Revoke { tenant, environment, id: id.to_string(), at: at.micros(), by }).await?;
        revoked.map(ApiKey::try_from).transpose()
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

struct CreateKey(ApiKeyRow);

#[async_trait]
impl Change for CreateKey {
    type Answer = ();
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<(), Failure<StoreError>> {
        Ok(insert_into(api_keys::table).values(&self.0).execute(&mut pg).await.map(drop)?)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, (): &()) -> QueryResult<bool> {
        let known = queries::key_by_id(&self.0.id).count();
        known.get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

struct Revoke {
    tenant: String,
    environment: String,
    id: String,
    at: i64,
    by: String,
}

#[async_trait]
impl Change for Revoke {
    type Answer = Option<ApiKeyRow>;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Option<ApiKeyRow>, Failure<StoreError>> {
        let unrevoked = queries::unrevoked_key(&self.tenant, &self.environment, &self.id);
        let revoked =
            (api_keys::revoked_at.eq(self.at), api_keys::updated_at.eq(self.at), api_keys::updated_by.eq(&self.by));
        update(unrevoked).set(revoked).execute(&mut pg).await?;
        let key = queries::keys_of(&self.tenant, &self.environment).filter(api_keys::id.eq(&self.id));
        Ok(key.first::<ApiKeyRow>(&mut pg).await.optional()?)
    }

    async fn is_written(&self, _: &AsyncPgConnection, _: &Option<ApiKeyRow>) -> QueryResult<bool> {
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
