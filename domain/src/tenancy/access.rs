//! Authentication of callers.

use std::sync::Arc;

use super::{
    Actor, ApiKeyRepository, ApiKeySecret, Caller, EnvironmentScope, KeyUse, KeyUses, NotedUse, Origin,
    PermissionDenied, SystemScope,
};
use crate::{clock::Clock, ids::ApiKeyId, store::StoreError};

/// Checks API keys.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     tenancy::{AccessService, ApiKeyRepository, ApiKeySecret, NoKeyUses, Origin},
///     testkit::{FixedClock, MemoryStore, a_scope, an_api_key, an_owner},
/// };
///
/// # futures::executor::block_on(async {
/// let (keys, secret) = (Arc::new(MemoryStore::default()), ApiKeySecret::new("sk_0123456789abcdef").unwrap());
/// keys.create(&a_scope(), an_api_key(), secret.clone(), None).await.unwrap();
/// let access = AccessService::new(keys, Arc::new(FixedClock::default()), Arc::new(NoKeyUses));
/// assert_eq!(access.authenticate(secret.expose(), Origin::default()).await.unwrap().owner(), an_owner());
/// # });
/// ```
#[derive(Clone)]
pub struct AccessService {
    keys: Arc<dyn ApiKeyRepository>,
    clock: Arc<dyn Clock>,
    uses: Arc<dyn KeyUses>,
}

/// Why a caller was not authenticated.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     tenancy::{AccessService, AuthenticateError, NoKeyUses, Origin},
///     testkit::{FixedClock, MemoryStore},
/// };
///
/// let keys = Arc::new(MemoryStore::default());
/// let access = AccessService::new(keys, Arc::new(FixedClock::default()), Arc::new(NoKeyUses));
/// let answer = futures::executor::block_on(access.authenticate("sk_nobody_has_this_one", Origin::default()));
/// assert_eq!(answer, Err(AuthenticateError::Unauthenticated));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticateError {
    /// The key is missing, wrong, expired or revoked. The error does not say which.
    #[error("the caller was not recognised")]
    Unauthenticated,
    /// The caller was authenticated but is refused: its tenant is suspended, or its address is outside the allowed
    /// networks.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccessService {
    /// A service over the given ports.
    #[must_use]
    pub fn new(keys: Arc<dyn ApiKeyRepository>, clock: Arc<dyn Clock>, uses: Arc<dyn KeyUses>) -> Self {
        Self { keys, clock, uses }
    }

    /// Authenticates the caller by the API key that it presents. A use of a revoked or expired key is reported to
    /// [`KeyUses`].
    ///
    /// # Errors
    /// [`AuthenticateError::Unauthenticated`] for every missing or invalid key, always the same.
    pub async fn authenticate(&self, presented: &str, origin: Origin) -> Result<Caller, AuthenticateError> {
        let secret = ApiKeySecret::new(presented).map_err(|_| AuthenticateError::Unauthenticated)?;
        let found = self.keys.find_by_secret(&SystemScope::patron(), &secret).await?;
        let now = self.clock.now();
        match found {
            Some(key) if key.is_valid_at(now) => {
                if key.tenant_suspended_at.is_some() {
                    return Err(PermissionDenied::Suspended.into());
                }
                if !key.allowed_networks.admit(origin.address()) {
                    return Err(PermissionDenied::Network.into());
                }
                self.uses.note(KeyUse { id: key.id, at: now });
                let scope = EnvironmentScope { owner: key.owner, actor: Actor::from(key.id), origin };
                Ok(Caller::new(scope, key.roles, None).limited_to(key.rate_limit))
            }
            Some(key) => {
                self.uses.note_refused(NotedUse { id: key.id, owner: key.owner, at: now, origin });
                Err(AuthenticateError::Unauthenticated)
            }
            None => Err(AuthenticateError::Unauthenticated),
        }
    }

    /// Counts a dry run of a caller that this service has authenticated.
    pub fn note_dry_run(&self, caller: &Caller) {
        // Other callers have no key.
        if let Ok(id) = ApiKeyId::parse(caller.actor().as_str()) {
            let (owner, at, origin) = (caller.owner(), self.clock.now(), caller.origin().clone());
            self.uses.note_dry_run(NotedUse { id, owner, at, origin });
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        clock::MockClock,
        ids::IdSequence,
        lifecycle::{Audit, Owner},
        tenancy::{
            AllowedNetworks, ApiKey, ApiKeyName, MockApiKeyRepository, MockKeyUses, Permission, RateLimit, RequestId,
            Role, Roles,
        },
        time::Timestamp,
    };

    const SECRET: &str = "sk_chosen_by_an_operator";
    const NOW: i64 = 1_700_000_000_123_456;

    fn time(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn secret() -> ApiKeySecret {
        ApiKeySecret::new(SECRET).unwrap()
    }

    fn clock() -> Arc<MockClock> {
        Arc::new(MockClock::at(time(NOW)))
    }

    fn a_key() -> ApiKey {
        let mut ids = IdSequence::start(time(0), [0; 10]);
        ApiKey {
            id: ids.next_id(),
            owner: Owner { tenant_id: ids.next_id(), environment_id: ids.next_id() },
            name: ApiKeyName::new("a key").unwrap(),
            display_id: secret().display_id(),
            roles: Roles::new([Role::AllReader]).unwrap(),
            expires_at: None,
            allowed_networks: AllowedNetworks::default(),
            rate_limit: RateLimit::default(),
            revoked_at: None,
            last_used_at: None,
            tenant_suspended_at: None,
            audit: Audit::created(time(0), &Actor::system()),
        }
    }

    /// An access service over a store that expects one look-up of `SECRET` and returns this.
    fn access(answer: Result<Option<ApiKey>, StoreError>) -> AccessService {
        let mut keys = MockApiKeyRepository::new();
        let answer_of_keys = answer.clone();
        keys.expect_find_by_secret().once().withf(|_, asked| *asked == secret()).return_once(move |_, _| answer);
        // A valid key is noted as used, and a revoked or expired one as refused. The mock panics at any other note.
        let mut uses = MockKeyUses::new();
        let known = matches!(&answer_of_keys, Ok(Some(_)));
        let valid = matches!(&answer_of_keys, Ok(Some(key)) if key.is_valid_at(time(NOW)));
        let noted = KeyUse { id: a_key().id, at: time(NOW) };
        uses.expect_note().times(usize::from(valid)).withf(move |one| *one == noted).return_const(());
        let refused = move |one: &NotedUse| (one.id, one.owner, one.at) == (a_key().id, a_key().owner, time(NOW));
        uses.expect_note_refused().times(usize::from(known && !valid)).withf(refused).return_const(());
        AccessService::new(Arc::new(keys), clock(), Arc::new(uses))
    }

    #[test]
    fn a_valid_key_makes_its_owner_the_caller() {
        let still_valid = ApiKey { expires_at: Some(time(NOW + 1)), ..a_key() };
        let request = RequestId::new("request-1").unwrap();
        let caller =
            block_on(access(Ok(Some(still_valid))).authenticate(SECRET, Origin::new(Some(request.clone()), None)))
                .unwrap();
        assert_eq!(caller.owner(), a_key().owner);
        assert_eq!(caller.request_id(), Some(&request));
        assert_eq!(caller.authorise(Permission::Read).unwrap().actor, Actor::from(a_key().id));
        assert!(caller.authorise(Permission::Write).is_err());
    }

    #[test]
    fn wrong_expired_and_revoked_keys_get_the_same_error() {
        let expired = ApiKey { expires_at: Some(time(NOW)), ..a_key() };
        let revoked = ApiKey { revoked_at: Some(time(NOW + 1)), ..a_key() };
        for found in [None, Some(expired), Some(revoked)] {
            let answer = block_on(access(Ok(found)).authenticate(SECRET, Origin::default()));
            assert_eq!(answer, Err(AuthenticateError::Unauthenticated));
        }
    }

    /// An access service over a store with one key, which must not be noted as used.
    fn refusing(key: ApiKey) -> AccessService {
        let mut keys = MockApiKeyRepository::new();
        keys.expect_find_by_secret().returning(move |_, _| Ok(Some(key.clone())));
        AccessService::new(Arc::new(keys), clock(), Arc::new(MockKeyUses::new()))
    }

    #[test]
    fn only_a_valid_key_learns_of_a_suspended_tenant_or_a_forbidden_network() {
        let networks = AllowedNetworks::new(vec!["192.0.2.0/24".parse().unwrap()]).unwrap();
        let outside = Origin::new(None, "198.51.100.1".parse().ok());
        let limited = ApiKey { allowed_networks: networks, ..a_key() };
        for origin in [outside.clone(), Origin::default()] {
            let answer = block_on(refusing(limited.clone()).authenticate(SECRET, origin));
            assert_eq!(answer, Err(PermissionDenied::Network.into()));
        }
        // The suspension is reported first. A revoked key learns neither of the two.
        let suspended = ApiKey { tenant_suspended_at: Some(time(1)), ..limited.clone() };
        let answer = block_on(refusing(suspended.clone()).authenticate(SECRET, outside.clone()));
        assert_eq!(answer, Err(PermissionDenied::Suspended.into()));
        let revoked = ApiKey { revoked_at: Some(time(1)), ..suspended };
        let answer = block_on(access(Ok(Some(revoked))).authenticate(SECRET, outside));
        assert_eq!(answer, Err(AuthenticateError::Unauthenticated));
        let inside = Origin::new(None, "192.0.2.7".parse().ok());
        assert!(block_on(access(Ok(Some(limited))).authenticate(SECRET, inside)).is_ok());
    }

    #[test]
    fn text_that_cannot_be_a_key_never_reaches_the_store() {
        // A mock without expectations panics when it is called.
        let access = AccessService::new(Arc::new(MockApiKeyRepository::new()), clock(), Arc::new(MockKeyUses::new()));
        for presented in ["", "sk_", "hello", "pk_01234567890123456789", "sk_0123456789 0123456789", &"sk_x".repeat(99)]
        {
            assert_eq!(
                block_on(access.authenticate(presented, Origin::default())),
                Err(AuthenticateError::Unauthenticated)
            );
        }
    }

    #[test]
    fn a_failing_store_is_not_reported_as_a_wrong_key() {
        let failure = StoreError::Unavailable { reason: "no connection".to_owned() };
        let answer = block_on(access(Err(failure.clone())).authenticate(SECRET, Origin::default()));
        assert_eq!(answer, Err(AuthenticateError::Store(failure)));
    }
}
