//! The port for API keys over SQLite.

use async_trait::async_trait;
use diesel::{insert_into, prelude::*, result::Error, update};
use patron_domain::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::ApiKeyId,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{ApiKey, ApiKeyRepository, ApiKeySecret, EnvironmentScope, KeyUse, SystemScope},
    time::Timestamp,
};

use super::{
    SqliteStore,
    customers::names,
    idempotency::{keep, kept_before},
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
impl ApiKeyRepository for SqliteStore {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError> {
        let key = ApiKey { owner: scope.owner, ..key };
        let row = ApiKeyRow::new(&key, &secret);
        let record = IdempotencyRow::kept(claim.as_ref(), &key, key.audit.updated_at)?;
        let create = move |connection: &mut SqliteConnection| {
            if let Some(made) = kept_before(connection, claim.as_ref())? {
                return Ok(Done::before(made));
            }
            insert_into(api_keys::table).values(&row).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Done::now(key.clone()))
        };
        self.writer.write(create).await
    }

    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        page_request: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let (one, other) = queries::answers(revoked);
        let window = Window::from(page_request);
        let query = move |connection: &mut SqliteConnection| {
            connection.transaction::<(Vec<ApiKeyRow>, i64), Error, _>(|connection| {
                let all = || queries::keys_revoked(&tenant, &environment, one, other);
                let ordered = all().order(queries::newest_keys_first());
                let rows = ordered.limit(window.limit).offset(window.offset).load(connection)?;
                Ok((rows, all().count().get_result(connection)?))
            })
        };
        page(self.readers.read(query).await?)
    }

    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError> {
        let (tenant, environment) = names(scope.owner);
        let (id, actor) = (id.to_string(), scope.actor.clone());
        let revoke = move |connection: &mut SqliteConnection| {
            if let Some(revoked) = kept_before(connection, claim.as_ref())? {
                return Ok(Some(Done::before(revoked)));
            }
            let refused = |error: StoreError| Failure::Refused(OnceError::from(error));
            let own = || queries::key_of(&tenant, &environment, &id);
            let Some(row) = own().first::<ApiKeyRow>(connection).optional()? else { return Ok(None) };
            let mut key = ApiKey::try_from(row).map_err(refused)?;
            key.revoke(at, &actor);
            let record = IdempotencyRow::kept(claim.as_ref(), &key, at).map_err(refused)?;
            update(own()).set(RevokedKey::from(&key)).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Some(Done::now(key)))
        };
        self.writer.write(revoke).await
    }

    async fn find(&self, _scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let id = id.to_string();
        let query =
            move |connection: &mut SqliteConnection| queries::key_by_id(&id).first::<ApiKeyRow>(connection).optional();
        self.readers.read(query).await?.map(ApiKey::try_from).transpose()
    }

    async fn find_by_secret(&self, _scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let hash = secret_hash(secret);
        let query = move |connection: &mut SqliteConnection| {
            queries::key_by_hash(&hash).first::<ApiKeyRow>(connection).optional()
        };
        self.readers.read(query).await?.map(ApiKey::try_from).transpose()
    }

    async fn record_uses(&self, _scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError> {
        let record = move |connection: &mut SqliteConnection| {
            for KeyUse { id, at } in &uses {
                let (id, at) = (id.to_string(), at.micros());
                let used = update(queries::key_unused_since(&id, at)).set(api_keys::last_used_at.eq(at));
                used.execute(connection)?;
            }
            Ok(())
        };
        self.writer.write(record).await
    }
}
