//! The data about API keys.

use std::time::Duration;

use super::{Actor, AllowedNetworks, ApiKeySecret, RateLimit, Roles, Tenant};
use crate::{
    ids::ApiKeyId,
    lifecycle::{Audit, Owner, Status},
    text::text_newtype,
    time::{Timestamp, TimestampError},
    violation::Rule,
    words::words,
};

text_newtype! {
    /// The name of an API key for people: 1–255 characters, not blank, no control characters, no bidirectional
    /// formatting characters.
    public ApiKeyName, ApiKeyNameError, "name", max 255, not_blank true, no_bidi true
}

/// The data about an API key, without the secret.
///
/// ```
/// use patron_domain::{tenancy::ApiKey, testkit::{a_time, an_api_key}};
///
/// let key: ApiKey = an_api_key();
/// assert!(key.is_valid_at(a_time()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// The environment that it belongs to, and its tenant.
    pub owner: Owner,
    /// The name.
    pub name: ApiKeyName,
    /// The part of the secret that may be shown.
    pub display_id: String,
    /// The roles.
    pub roles: Roles,
    /// The networks from which it may be used.
    pub allowed_networks: AllowedNetworks,
    /// Its rate limit.
    pub rate_limit: RateLimit,
    /// The time until which it is valid; `None` for no end.
    pub expires_at: Option<Timestamp>,
    /// The time of revocation; `None` while it is not revoked.
    pub revoked_at: Option<Timestamp>,
    /// The last recorded use. It is some seconds late, see [`super::KeyUses`].
    pub last_used_at: Option<Timestamp>,
    /// The time since which its tenant is suspended. This is not a part of the key; stores read it from the tenant.
    pub tenant_suspended_at: Option<Timestamp>,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

impl ApiKey {
    /// The key after its replacement by another one: valid until the given time, but no longer than before.
    ///
    /// # Errors
    /// [`NotRotated`] when the key is no longer valid.
    pub fn replaced(&self, until: Timestamp, at: Timestamp, by: &Actor) -> Result<Self, NotRotated> {
        if !self.is_valid_at(at) {
            return Err(NotRotated);
        }
        let expires_at = Some(self.expires_at.map_or(until, |end| end.min(until)));
        let mut replaced = Self { expires_at, ..self.clone() };
        replaced.audit.touch(at, by);
        Ok(replaced)
    }

    /// The lifetime that the key was created with; `None` for no end.
    #[must_use]
    pub fn life(&self) -> Option<Duration> {
        let micros = self.expires_at?.micros().saturating_sub(self.audit.created_at.micros());
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or_default()))
    }

    /// The key that replaces this one from now on: with the same name, roles, networks, rate limit and lifetime. A maximum
    /// lifetime limits it.
    #[must_use]
    pub fn successor(&self, now: Timestamp, max_age: Option<Duration>) -> NewApiKey {
        let Self { name, roles, allowed_networks, rate_limit, .. } = self.clone();
        let life = self.life().into_iter().chain(max_age).min();
        NewApiKey { name, roles, allowed_networks, rate_limit, expires_at: life.map(|life| now.later(life)) }
    }

    /// Revokes the key. If it is already revoked, the first time and actor are kept.
    pub fn revoke(&mut self, at: Timestamp, by: &Actor) {
        if self.revoked_at.is_none() {
            self.revoked_at = Some(at);
            self.audit.touch(at, by);
        }
    }

    /// Published until it is revoked, then archived. An expired key stays published.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.revoked_at.is_some() { Status::Archived } else { Status::Published }
    }

    /// Whether the key is valid at a time.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The type of a key.
///
/// ```
/// use patron_domain::tenancy::ApiKeyType;
///
/// assert_eq!(ApiKeyType::Private.as_str(), "private_key");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeyType {
    /// A key of a server, which must be kept secret.
    Private,
}

words!(
    ApiKeyType, "private_key (there are no usage events here, so publishable_key is not supported)",
    Private => "private_key",
);

/// Why a time is not a valid expiry of a key.
///
/// ```
/// use patron_domain::{tenancy::{ExpiryError, check_expiry}, testkit::a_time};
///
/// assert_eq!(check_expiry(a_time(), a_time()), Err(ExpiryError::Past));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpiryError {
    /// The text is not a time.
    #[error("expires_at: {0}")]
    Time(#[from] TimestampError),
    /// The time has passed.
    #[error("expires_at must be in the future; leave it out for a key that does not expire")]
    Past,
    /// The time exceeds the maximum lifetime of a key.
    #[error("expires_at must be at most {days} days from now; leave it out to use that maximum")]
    TooLate {
        /// The maximum lifetime in days.
        days: u64,
    },
}

impl Rule for ExpiryError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Time(error) => error.rule(),
            Self::Past => "future",
            Self::TooLate { .. } => "max_age",
        }
    }
}

/// Checks the expiry of a new key.
///
/// # Errors
/// [`ExpiryError::Past`] when the key would never be valid.
pub fn check_expiry(at: Timestamp, now: Timestamp) -> Result<Timestamp, ExpiryError> {
    if now < at { Ok(at) } else { Err(ExpiryError::Past) }
}

/// A use of a key.
///
/// ```
/// use patron_domain::{tenancy::KeyUse, testkit::{a_time, an_api_key}};
///
/// let used = KeyUse { id: an_api_key().id, at: a_time() };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub id: ApiKeyId,
    /// The time.
    pub at: Timestamp,
}

/// A request for a new key.
///
/// ```
/// use patron_domain::tenancy::{ApiKeyName, NewApiKey, Roles};
///
/// let name = ApiKeyName::new("Back office").unwrap();
/// let new = NewApiKey::new(name, Roles::super_admin());
/// assert_eq!(new.expires_at, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The name.
    pub name: ApiKeyName,
    /// The roles.
    pub roles: Roles,
    /// The networks from which it may be used.
    pub allowed_networks: AllowedNetworks,
    /// Its rate limit.
    pub rate_limit: RateLimit,
    /// The time until which it is valid; `None` for no end.
    pub expires_at: Option<Timestamp>,
}

impl NewApiKey {
    /// A key without an end or limits.
    #[must_use]
    pub fn new(name: ApiKeyName, roles: Roles) -> Self {
        let (allowed_networks, rate_limit) = (AllowedNetworks::default(), RateLimit::default());
        Self { name, roles, allowed_networks, rate_limit, expires_at: None }
    }
}

/// The replacement of a key by a new one. The old key stays valid for some time.
///
/// ```
/// use patron_domain::{tenancy::{ApiKeySecret, KeyRotation}, testkit::{a_time, an_api_key, an_id}};
///
/// let secret = ApiKeySecret::new("sk_0123456789abcdef").unwrap();
/// let rotation = KeyRotation { replaced: an_id(7), until: a_time(), key: an_api_key(), secret };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRotation {
    /// The old key.
    pub replaced: ApiKeyId,
    /// The time until which the old key stays valid.
    pub until: Timestamp,
    /// The new key.
    pub key: ApiKey,
    /// The new key's secret.
    pub secret: ApiKeySecret,
}

/// A revoked or expired key cannot be rotated.
///
/// ```
/// use patron_domain::{tenancy::{Actor, ApiKey, NotRotated}, testkit::{a_time, an_api_key}};
///
/// let ended = ApiKey { expires_at: Some(a_time()), ..an_api_key() };
/// assert_eq!(ended.replaced(a_time(), a_time(), &Actor::system()), Err(NotRotated));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API key was revoked or has expired, so it cannot be rotated; create a new key")]
pub struct NotRotated;

/// The first objects of an empty store, written in full or not at all.
///
/// ```
/// use patron_domain::{tenancy::{ApiKeySecret, Bootstrap}, testkit::{a_tenant, an_api_key, an_environment}};
///
/// let secret = ApiKeySecret::new("sk_0123456789abcdef").unwrap();
/// let first = Bootstrap { tenant: a_tenant(), environment: an_environment(), key: an_api_key(), secret };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// The first tenant.
    pub tenant: Tenant,
    /// Its first environment.
    pub environment: super::Environment,
    /// That environment's first key.
    pub key: ApiKey,
    /// The key's secret.
    pub secret: ApiKeySecret,
}
