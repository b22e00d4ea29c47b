//! The API key port in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{MemoryStore, Registry, State, id_taken, newest_first};
use crate::{
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

/// A key with the SHA-256 of its secret.
#[derive(Clone)]
pub(super) struct StoredKey {
    key: ApiKey,
    hash: [u8; 32],
}

impl StoredKey {
    pub(super) fn new(key: ApiKey, secret: &ApiKeySecret) -> Self {
        Self { key, hash: hash(secret) }
    }
}

fn hash(secret: &ApiKeySecret) -> [u8; 32] {
    Sha256::digest(secret.expose()).into()
}

#[async_trait]
impl ApiKeyRepository for MemoryStore {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError> {
        let mut state = self.write(scope);
        if let Some(made) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(made));
        }
        let stored = StoredKey::new(ApiKey { owner: scope.owner, ..key }, &secret);
        if state.keys().any(|other| other.key.id == stored.key.id || other.hash == stored.hash) {
            return Err(id_taken("API key").into());
        }
        let key = stored.key.clone();
        state.registry(scope.owner).keys.insert(stored.key.id, stored);
        state.audit(scope, Act::key_created(&key), key.audit.created_at);
        state.keep(claim.as_ref(), &key, key.audit.updated_at);
        Ok(Done::now(key))
    }

    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        request: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        let mut state = self.lock();
        let keys = state.registry(scope.owner).keys.values().map(|stored| &stored.key);
        let keys = keys.filter(|key| revoked.is_none_or(|revoked| revoked == key.revoked_at.is_some()));
        Ok(newest_first(keys, |key| (key.audit.created_at, key.id), request))
    }

    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError> {
        let mut state = self.write(scope);
        if let Some(revoked) = state.answered_before(claim.as_ref())? {
            return Ok(Some(Done::before(revoked)));
        }
        let Some(StoredKey { key, .. }) = state.registry(scope.owner).keys.get_mut(&id) else { return Ok(None) };
        let act = Act::key_revoked(key);
        key.revoke(at, &scope.actor);
        let key = key.clone();
        state.audit(scope, act, at);
        state.keep(claim.as_ref(), &key, at);
        Ok(Some(Done::now(key)))
    }

    async fn rotate(
        &self,
        scope: &EnvironmentScope,
        rotation: KeyRotation,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, RotateKeyError> {
        let mut state = self.write(scope);
        if let Some(made) = state.answered_before(claim.as_ref())? {
            return Ok(Done::before(made));
        }
        let KeyRotation { replaced, until, key, secret } = rotation;
        let stored = StoredKey::new(ApiKey { owner: scope.owner, ..key }, &secret);
        if state.keys().any(|other| other.key.id == stored.key.id || other.hash == stored.hash) {
            return Err(id_taken("API key").into());
        }
        let (key, at) = (stored.key.clone(), stored.key.audit.created_at);
        let keys = &mut state.registry(scope.owner).keys;
        let old = keys.get_mut(&replaced).ok_or(RotateKeyError::Unknown)?;
        old.key = old.key.replaced(until, at, &scope.actor)?;
        let act = Act::key_rotated(&old.key);
        keys.insert(stored.key.id, stored);
        state.audit(scope, act, at);
        state.audit(scope, Act::key_created(&key), at);
        state.keep(claim.as_ref(), &key, key.audit.updated_at);
        Ok(Done::now(key))
    }

    async fn find(&self, _scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let state = self.lock();
        Ok(state.keys().find(|stored| stored.key.id == id).map(|stored| state.with_tenant(stored)))
    }

    async fn find_by_secret(&self, _scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let hash = hash(secret);
        let state = self.lock();
        Ok(state.keys().find(|stored| stored.hash == hash).map(|stored| state.with_tenant(stored)))
    }

    async fn record_uses(&self, _scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError> {
        let mut state = self.lock();
        for KeyUse { id, at } in uses {
            let mut registries = state.registries.values_mut();
            if let Some(stored) = registries.find_map(|registry| registry.keys.get_mut(&id)) {
                // `None` sorts before every time.
                stored.key.last_used_at = stored.key.last_used_at.max(Some(at));
            }
        }
        Ok(())
    }
}

impl State {
    /// A key, and whether its tenant is suspended.
    fn with_tenant(&self, stored: &StoredKey) -> ApiKey {
        let tenant = self.tenants.get(&stored.key.owner.tenant_id);
        ApiKey { tenant_suspended_at: tenant.and_then(|tenant| tenant.suspended_at), ..stored.key.clone() }
    }

    fn keys(&self) -> impl Iterator<Item = &StoredKey> {
        self.registries.values().flat_map(|registry| registry.keys.values())
    }
}

impl Registry {
    /// The keys without their secrets.
    pub(super) fn api_keys(&self) -> BTreeMap<ApiKeyId, ApiKey> {
        self.keys.iter().map(|(id, stored)| (*id, stored.key.clone())).collect()
    }
}
