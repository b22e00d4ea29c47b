//! The port for API keys.

use async_trait::async_trait;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    idempotency::{CallersClaim, Done, OnceError},
    ids::ApiKeyId,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{
        ApiKey, ApiKeyRepository, ApiKeySecret, EnvironmentScope, KeyRotation, KeyUse, RotateKeyError, SystemScope,
    },
    time::Timestamp,
};

use super::row::{ApiKeyRow, secret_hash};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    engine::{Decision, Pace},
    error::Failure,
    idempotency::{self, Before, Once},
    page::{Window, page_of},
    party::Party,
    store::Store,
    value::Key,
    writes::Writes,
};

#[async_trait]
impl ApiKeyRepository for Store {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError> {
        let key = ApiKey { owner: scope.owner, ..key };
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let row = ApiKeyRow::new(environment, &key, secret_hash(&secret));
        let create = self.write(Author::from(scope), environment, move |unit| {
            let (key, row, once, auditing) = (key.clone(), row.clone(), once.clone(), auditing.clone());
            let create = async move {
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(made) => return Ok(Decision::nothing(Done::before(made))),
                    Before::Free(keeping) => keeping,
                };
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                writes.new_keys.push(row);
                auditing.note(&mut writes, Act::key_created(&key), key.audit.created_at);
                keeping.answer(&mut writes, &key, key.audit.updated_at);
                Ok::<_, Failure<OnceError>>(Decision { answer: Done::now(key), writes })
            };
            create.boxed()
        });
        create.await
    }

    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        page_request: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Page::empty()) };
        let window = Window::from(page_request);
        let read = self.read(Pace::list(environment), move |unit| {
            let read = async move {
                let rows = unit.api_keys_of(environment, revoked, window).await?;
                Ok((rows, unit.count_api_keys_of(environment, revoked).await?))
            };
            read.boxed()
        });
        page_of(read.await?, |row| row.key(scope.owner))
    }

    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let scope = scope.clone();
        let revoke = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, once, auditing) = (scope.clone(), once.clone(), auditing.clone());
            let revoke = async move {
                let row = unit.lock_api_key(environment, id.into()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(revoked) => return Ok(Decision::nothing(Some(Done::before(revoked)))),
                    Before::Free(keeping) => keeping,
                };
                let Some(row) = row else { return Ok(Decision::nothing(None)) };
                let mut key = row.key(scope.owner).map_err(|error| Failure::Refused(error.into()))?;
                let act = Act::key_revoked(&key);
                key.revoke(at, &scope.actor);
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                auditing.note(&mut writes, act, at);
                writes.keys.push(ApiKeyRow::new(environment, &key, row.hash));
                keeping.answer(&mut writes, &key, at);
                Ok::<_, Failure<OnceError>>(Decision { answer: Some(Done::now(key)), writes })
            };
            revoke.boxed()
        });
        revoke.await
    }

    async fn rotate(
        &self,
        scope: &EnvironmentScope,
        rotation: KeyRotation,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, RotateKeyError> {
        let environment = self.environment(scope.owner).await?.ok_or(RotateKeyError::Unknown)?;
        let (once, auditing) = (Once::of(self, claim).await?, Auditing::of(self, scope).await?);
        let scope = scope.clone();
        let rotate = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, once, auditing) = (scope.clone(), once.clone(), auditing.clone());
            let KeyRotation { replaced, until, key, secret } = rotation.clone();
            let rotate = async move {
                let row = unit.lock_api_key(environment, replaced.into()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(made) => return Ok(Decision::nothing(Done::before(made))),
                    Before::Free(keeping) => keeping,
                };
                let row = row.ok_or(Failure::Refused(RotateKeyError::Unknown))?;
                let at = key.audit.created_at;
                let key = ApiKey { owner: scope.owner, ..key };
                let old = row.key(scope.owner).map_err(|error| Failure::Refused(error.into()))?;
                let old = old.replaced(until, at, &scope.actor).map_err(|error| Failure::Refused(error.into()))?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                writes.keys.push(ApiKeyRow::new(environment, &old, row.hash));
                writes.new_keys.push(ApiKeyRow::new(environment, &key, secret_hash(&secret)));
                auditing.note(&mut writes, Act::key_rotated(&old), at);
                auditing.note(&mut writes, Act::key_created(&key), at);
                keeping.answer(&mut writes, &key, at);
                Ok::<_, Failure<RotateKeyError>>(Decision { answer: Done::now(key), writes })
            };
            rotate.boxed()
        });
        rotate.await
    }

    async fn find(&self, _scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let found = self.read(Pace::LookUp, move |unit| unit.api_key(id.into()).boxed()).await?;
        found.map(ApiKeyRow::owned).transpose()
    }

    async fn find_by_secret(&self, _scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let hash = secret_hash(secret);
        let found = self.read(Pace::LookUp, move |unit| async move { unit.api_key_of_hash(&hash).await }.boxed());
        found.await?.map(ApiKeyRow::owned).transpose()
    }

    async fn record_uses(&self, _scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError> {
        let record = self.write(Author::system(), Party::System, move |unit| {
            let uses = uses.clone();
            let record = async move {
                let ids: Vec<Key> = uses.iter().map(|KeyUse { id, .. }| Key::from(*id)).collect();
                let mut writes = Writes::default();
                for mut row in unit.lock_api_keys(&ids).await? {
                    let of_row = uses.iter().filter(|KeyUse { id, .. }| Key::from(*id) == row.id);
                    let last = of_row.map(|KeyUse { at, .. }| at.micros()).max();
                    if last > row.last_used_at && !writes.keys.iter().any(|known| known.id == row.id) {
                        row.last_used_at = last;
                        writes.keys.push(row);
                    }
                }
                Ok::<_, Failure<StoreError>>(Decision { answer: (), writes })
            };
            record.boxed()
        });
        record.await
    }
}
