//! A small cache in front of the API keys of a store, so that most requests are authenticated without the store.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use metrics::{Counter, counter};
use moka::future::Cache;
use patron_domain::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::ApiKeyId,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{
        ApiKey, ApiKeyRepository, ApiKeySecret, EnvironmentScope, KeyUse, REVOCATION_DELAY_SECONDS, SystemScope,
    },
    time::Timestamp,
};
use sha2::{Digest, Sha256};

use crate::metrics::names;

/// Caches the API keys of another repository.
///
/// A found key is cached for at most [`REVOCATION_DELAY_SECONDS`]: a key that another process revokes works for that
/// long, and one that this process revokes stops working at once. Expiry takes effect at once too, because a cached key
/// includes its expiry. Unknown secrets are not cached, so a new key works at once. Only the SHA-256 of secrets is kept.
pub struct CachedApiKeys {
    keys: Arc<dyn ApiKeyRepository>,
    found: Cache<[u8; 32], ApiKey>,
    lookups: Lookups,
}

/// The outcomes of look-ups by secret, as metrics.
struct Lookups {
    hit: Counter,
    miss: Counter,
    unknown: Counter,
}

impl Lookups {
    fn new() -> Self {
        let lookup = |outcome: &'static str| counter!(names::KEY_LOOKUPS, "outcome" => outcome);
        Self { hit: lookup("hit"), miss: lookup("miss"), unknown: lookup("unknown") }
    }
}

impl CachedApiKeys {
    /// The most cached keys. The least used are evicted.
    pub const MAX_KEYS: u64 = 10_000;

    /// Creates a cache in front of a repository.
    #[must_use]
    pub fn new(keys: Arc<dyn ApiKeyRepository>) -> Self {
        Self::with_delay(keys, Duration::from_secs(REVOCATION_DELAY_SECONDS))
    }

    fn with_delay(keys: Arc<dyn ApiKeyRepository>, delay: Duration) -> Self {
        let found = Cache::builder().max_capacity(Self::MAX_KEYS).time_to_live(delay).build();
        Self { keys, found, lookups: Lookups::new() }
    }
}

#[async_trait]
impl ApiKeyRepository for CachedApiKeys {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        key: ApiKey,
        secret: ApiKeySecret,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, OnceError> {
        self.keys.create(scope, key, secret, claim).await
    }

    async fn list(
        &self,
        scope: &EnvironmentScope,
        revoked: Option<bool>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        self.keys.list(scope, revoked, page).await
    }

    async fn revoke(
        &self,
        scope: &EnvironmentScope,
        id: ApiKeyId,
        at: Timestamp,
        claim: Option<CallersClaim>,
    ) -> Result<Option<Done<ApiKey>>, OnceError> {
        let revoked = self.keys.revoke(scope, id, at, claim).await?;
        // The cache is keyed by secret, which is not known here. Revoking is rare, so clearing it is cheap enough.
        self.found.invalidate_all();
        Ok(revoked)
    }

    async fn find(&self, scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.keys.find(scope, id).await
    }

    async fn find_by_secret(&self, scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let digest: [u8; 32] = Sha256::digest(secret.expose()).into();
        if let Some(key) = self.found.get(&digest).await {
            self.lookups.hit.increment(1);
            return Ok(Some(key));
        }
        let found = self.keys.find_by_secret(scope, secret).await?;
        if let Some(key) = &found {
            self.lookups.miss.increment(1);
            self.found.insert(digest, key.clone()).await;
        } else {
            self.lookups.unknown.increment(1);
        }
        Ok(found)
    }

    async fn record_uses(&self, scope: &SystemScope, uses: Vec<KeyUse>) -> Result<(), StoreError> {
        // Cached keys keep showing an earlier use. Authentication does not need it.
        self.keys.record_uses(scope, uses).await
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use patron_domain::{
        ids::{ApiKeyId, IdSequence},
        lifecycle::{Audit, Owner},
        tenancy::{
            Actor, ApiKey, ApiKeyName, ApiKeyRepository, ApiKeySecret, EnvironmentScope, MockApiKeyRepository, Roles,
            SystemScope,
        },
        time::Timestamp,
    };

    use super::CachedApiKeys;

    fn a_key() -> ApiKey {
        let mut ids = IdSequence::start(Timestamp::UNIX_EPOCH, [0; 10]);
        ApiKey {
            id: ids.next_id(),
            owner: Owner { tenant_id: ids.next_id(), environment_id: ids.next_id() },
            name: ApiKeyName::new("a key").unwrap(),
            display_id: "sk_00***00".to_owned(),
            roles: Roles::super_admin(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            audit: Audit::created(Timestamp::UNIX_EPOCH, &Actor::system()),
        }
    }

    /// A cache in front of a repository that expects exactly `times` look-ups.
    fn cache(times: usize, answer: Option<ApiKey>, delay: Duration) -> CachedApiKeys {
        let mut keys = MockApiKeyRepository::new();
        keys.expect_find_by_secret().times(times).returning(move |_, _| Ok(answer.clone()));
        keys.expect_revoke().returning(|_, _, _, _| Ok(None));
        CachedApiKeys::with_delay(Arc::new(keys), delay)
    }

    async fn look_up(cache: &CachedApiKeys) -> Option<ApiKey> {
        let secret = ApiKeySecret::from_random([1; 32]);
        cache.find_by_secret(&SystemScope::patron(), &secret).await.unwrap()
    }

    #[tokio::test]
    async fn a_found_key_is_looked_up_once() {
        let cache = cache(1, Some(a_key()), Duration::from_secs(60));
        assert_eq!(look_up(&cache).await, Some(a_key()));
        assert_eq!(look_up(&cache).await, Some(a_key()));
    }

    #[tokio::test]
    async fn an_unknown_secret_is_looked_up_each_time() {
        let cache = cache(2, None, Duration::from_secs(60));
        assert_eq!(look_up(&cache).await, None);
        assert_eq!(look_up(&cache).await, None);
    }

    #[tokio::test]
    async fn a_revocation_by_this_process_takes_effect_at_once() {
        let cache = cache(2, Some(a_key()), Duration::from_secs(60));
        look_up(&cache).await;
        let scope = EnvironmentScope::new(a_key().owner, Actor::system());
        let id: ApiKeyId = a_key().id;
        cache.revoke(&scope, id, Timestamp::UNIX_EPOCH, None).await.unwrap();
        look_up(&cache).await;
    }

    #[tokio::test]
    async fn a_key_is_looked_up_again_after_the_delay() {
        let cache = cache(2, Some(a_key()), Duration::from_millis(20));
        look_up(&cache).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        look_up(&cache).await;
    }
}
