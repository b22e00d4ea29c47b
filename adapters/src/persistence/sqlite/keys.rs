//! The port for API keys over SQLite.

use async_trait::async_trait;
use diesel::{insert_into, prelude::*, result::Error, update};
use patron_domain::{
    ids::ApiKeyId,
    store::{Page, PageRequest, StoreError},
    tenancy::{ApiKey, ApiKeyRepository, ApiKeySecret, EnvironmentScope, KeyUse, SystemScope},
    time::Timestamp,
};

use super::{SqliteStore, customers::names};
use crate::persistence::{
    page::{Window, page},
    schema::api_keys,
    tenancy::{
        queries,
        row::{ApiKeyRow, secret_hash},
    },
};

#[async_trait]
impl ApiKeyRepository for SqliteStore {
    async fn create(&self, scope: &EnvironmentScope, key: ApiKey, secret: ApiKeySecret) -> Result<(), StoreError> {
        let key = ApiKey { owner: scope.owner, ..key };
        let row = ApiKeyRow::new(&key, &secret);
        let create = move |connection: &mut SqliteConnection| {
            Ok(insert_into(api_keys::table).values(&row).execute(connection).map(drop)?)
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
    ) -> Result<Option<ApiKey>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let (id, by) = (id.to_string(), scope.actor.as_str().to_owned());
        let revoke = move |connection: &mut SqliteConnection| {
            let unrevoked = queries::unrevoked_key(&tenant, &environment, &id);
            let revoked = (
                api_keys::revoked_at.eq(at.micros()),
                api_keys::updated_at.eq(at.micros()),
                api_keys::updated_by.eq(&by),
            );
            update(unrevoked).set(revoked).execute(connection)?;
            let key = queries::keys_of(&tenant, &environment).filter(api_keys::id.eq(&id));
            Ok(key.first::<ApiKeyRow>(connection).optional()?)
        };
        let revoked = self.writer.write::<_, StoreError, _>(revoke).await?;
        revoked.map(ApiKey::try_from).transpose()
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
