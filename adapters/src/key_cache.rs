//! A small cache before the API keys of a store, so that most requests are authenticated without asking it.

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

/// API keys of another repository, with the keys found last kept at hand.
///
/// A found key is kept for [`REVOCATION_DELAY_SECONDS`] at most: a key that another process revokes goes on to work for
/// that long, one that this process revokes stops at once. Expiry needs no delay, because a key carries its own end.
/// Unknown secrets are not kept, so a new key works at once. Secrets are kept as SHA-256 only.
pub struct CachedApiKeys {
    keys: Arc<dyn ApiKeyRepository>,
    found: Cache<[u8; 32], ApiKey>,
    lookups: Lookups,
}

/// How look-ups by secret ended, counted.
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
    /// The most keys kept; the least used make room.
    pub const MAX_KEYS: u64 = 10_000;

    /// A cache before a repository.
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
        // The cache goes by secret, which nobody has here; revoking is rare, so forgetting everything is cheap enough.
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
        // What is at hand goes on to show an earlier use: authentication does not ask for it.
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

    /// A cache before a repository that expects to be asked for a secret exactly `times` times.
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
    async fn a_found_key_is_asked_for_once() {
        let cache = cache(1, Some(a_key()), Duration::from_secs(60));
        assert_eq!(look_up(&cache).await, Some(a_key()));
        assert_eq!(look_up(&cache).await, Some(a_key()));
    }

    #[tokio::test]
    async fn an_unknown_secret_is_asked_for_each_time() {
        let cache = cache(2, None, Duration::from_secs(60));
        assert_eq!(look_up(&cache).await, None);
        assert_eq!(look_up(&cache).await, None);
    }

    #[tokio::test]
    async fn a_revocation_by_this_process_shows_at_once() {
        let cache = cache(2, Some(a_key()), Duration::from_secs(60));
        look_up(&cache).await;
        let scope = EnvironmentScope { owner: a_key().owner, actor: Actor::system() };
        let id: ApiKeyId = a_key().id;
        cache.revoke(&scope, id, Timestamp::UNIX_EPOCH, None).await.unwrap();
        look_up(&cache).await;
    }

    #[tokio::test]
    async fn a_key_is_asked_for_again_after_the_delay() {
        let cache = cache(2, Some(a_key()), Duration::from_millis(20));
        look_up(&cache).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        look_up(&cache).await;
    }
}
