//! A small cache in front of the API keys of a store, so that most requests are authenticated without the store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use metrics::{Counter, counter};
use moka::future::Cache;
use patron_domain::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::ApiKeyId,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::{
        ApiKey, ApiKeyRepository, ApiKeySecret, EnvironmentScope, KeyRotation, KeyUse, REVOCATION_DELAY_SECONDS,
        RotateKeyError, SystemScope,
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
    /// Keys by their secret, each with the value of `changes` when its look-up began.
    found: Cache<[u8; 32], (u64, ApiKey)>,
    /// How often this process has revoked or replaced a key. Look-ups that began before the last time do not count.
    changes: AtomicU64,
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
        Self { keys, found, changes: AtomicU64::new(0), lookups: Lookups::new() }
    }

    /// Removes every key from the cache: entries are found by secret, which a revocation does not have. Revocations are rare.
    fn forget(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        self.found.invalidate_all();
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
        let revoked = self.keys.revoke(scope, id, at, claim).await;
        if !scope.origin.is_dry_run() {
            self.forget();
        }
        revoked
    }

    async fn rotate(
        &self,
        scope: &EnvironmentScope,
        rotation: KeyRotation,
        claim: Option<CallersClaim>,
    ) -> Result<Done<ApiKey>, RotateKeyError> {
        let rotated = self.keys.rotate(scope, rotation, claim).await;
        if !scope.origin.is_dry_run() {
            self.forget();
        }
        rotated
    }

    async fn find(&self, scope: &SystemScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.keys.find(scope, id).await
    }

    async fn find_by_secret(&self, scope: &SystemScope, secret: &ApiKeySecret) -> Result<Option<ApiKey>, StoreError> {
        let digest: [u8; 32] = Sha256::digest(secret.expose()).into();
        let changes = self.changes.load(Ordering::Acquire);
        if let Some((of, key)) = self.found.get(&digest).await
            && of == changes
        {
            self.lookups.hit.increment(1);
            return Ok(Some(key));
        }
        let found = self.keys.find_by_secret(scope, secret).await?;
        if let Some(key) = &found {
            self.lookups.miss.increment(1);
            // A revocation in the meantime has changed the number, so this entry is never a hit.
            self.found.insert(digest, (changes, key.clone())).await;
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
    use std::sync::OnceLock;

    use futures_util::FutureExt;
    use patron_domain::{
        tenancy::{Actor, MockApiKeyRepository},
        testkit::{a_scope, an_api_key as a_key},
    };

    use super::*;

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
    async fn a_key_that_is_revoked_during_its_look_up_is_not_cached() {
        let cache: Arc<OnceLock<CachedApiKeys>> = Arc::default();
        let mut keys = MockApiKeyRepository::new();
        keys.expect_revoke().returning(|_, _, _, _| Ok(None));
        let revoking = cache.clone();
        keys.expect_find_by_secret().times(2).returning(move |_, _| {
            // The store has read the key. The revocation completes before the cache gets it.
            let (cache, scope) = (revoking.get().unwrap(), a_scope());
            let revoke = cache.revoke(&scope, a_key().id, Timestamp::UNIX_EPOCH, None);
            revoke.now_or_never().expect("the mock does not wait").unwrap();
            Ok(Some(a_key()))
        });
        let cache = cache.get_or_init(|| CachedApiKeys::with_delay(Arc::new(keys), Duration::from_secs(60)));
        look_up(cache).await;
        look_up(cache).await;
    }

    #[tokio::test]
    async fn a_key_is_looked_up_again_after_the_delay() {
        let cache = cache(2, Some(a_key()), Duration::from_millis(20));
        look_up(&cache).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        look_up(&cache).await;
    }
}
