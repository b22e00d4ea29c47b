//! API keys: the secret a client presents, and what is known of it.

use std::fmt;

use super::{Actor, Roles, Tenant};
use crate::{
    ids::{ApiKeyId, crockford},
    lifecycle::{Audit, Owner, Status},
    text::text_newtype,
    time::{Timestamp, TimestampError},
    violation::Rule,
    words::words,
};

text_newtype! {
    /// The name of an API key for people: 1–255 characters, not blank, no control characters, nothing that
    /// turns the direction of text.
    public ApiKeyName, ApiKeyNameError, "name", max 255, not_blank true, no_bidi true
}

/// An API key as a client presents it: `sk_` and printable ASCII. Never stored, logged or shown twice.
///
/// ```
/// use patron_domain::tenancy::ApiKeySecret;
///
/// let secret = ApiKeySecret::new("sk_0123456789abcdef").unwrap();
/// assert_eq!(secret.display_id(), "sk_01***ef");
/// assert_eq!(format!("{secret:?}"), "ApiKeySecret(redacted)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeySecret(String);

/// Why a text is no [`ApiKeySecret`].
///
/// ```
/// use patron_domain::tenancy::{ApiKeySecret, ApiKeySecretError};
///
/// assert_eq!(ApiKeySecret::new("a password"), Err(ApiKeySecretError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an API key must start with sk_ and have {min} to {max} characters, all printable ASCII",
    min = ApiKeySecret::MIN_CHARS, max = ApiKeySecret::MAX_CHARS
)]
pub struct ApiKeySecretError;

/// Why a text is no key that an operator may choose.
///
/// ```
/// use patron_domain::tenancy::{ApiKeySecret, ChosenKeyError};
///
/// assert_eq!(ApiKeySecret::chosen("sk_too_short_to_be_safe"), Err(ChosenKeyError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it must start with sk_ and have {min} to {max} characters, all printable ASCII",
    min = ApiKeySecret::MIN_CHOSEN_CHARS, max = ApiKeySecret::MAX_CHARS
)]
pub struct ChosenKeyError;

impl Rule for ApiKeySecretError {
    fn rule(&self) -> &'static str {
        "api_key"
    }
}

impl ApiKeySecret {
    /// The fewest characters of a key that was made elsewhere, perhaps before [`Self::MIN_CHOSEN_CHARS`] was asked for.
    pub const MIN_CHARS: usize = 16;
    /// The fewest characters of a key that an operator chooses: only a hash of it is kept, which a short one would not
    /// withstand.
    pub const MIN_CHOSEN_CHARS: usize = 32;
    /// The most characters.
    pub const MAX_CHARS: usize = 255;

    const PREFIX: &'static str = "sk_";

    /// Makes a key of 256 random bits: `sk_` and 52 Crockford base-32 characters.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let (first, last) = bytes.split_at(16);
        let part = |half: &[u8]| {
            let bits = half.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
            crockford::encode(bits)
        };
        let (first, last) = (part(first), part(last));
        Self(format!("{}{}{}", Self::PREFIX, crockford::as_str(&first), crockford::as_str(&last)))
    }

    /// Takes a key as a client presents it.
    ///
    /// # Errors
    /// When it cannot be a key at all. The text is not in the error.
    pub fn new(text: impl Into<String>) -> Result<Self, ApiKeySecretError> {
        let text = text.into();
        let plausible = text.starts_with(Self::PREFIX) && text.bytes().all(|b| b.is_ascii_graphic());
        let length_fits = (Self::MIN_CHARS..=Self::MAX_CHARS).contains(&text.len());
        if plausible && length_fits { Ok(Self(text)) } else { Err(ApiKeySecretError) }
    }

    /// Takes a new key that an operator chose.
    ///
    /// # Errors
    /// When it cannot be a key, or has fewer than [`Self::MIN_CHOSEN_CHARS`] characters. The text is not in the error.
    pub fn chosen(text: impl Into<String>) -> Result<Self, ChosenKeyError> {
        let key = Self::new(text).map_err(|_| ChosenKeyError)?;
        if key.0.len() < Self::MIN_CHOSEN_CHARS { Err(ChosenKeyError) } else { Ok(key) }
    }

    /// The key itself. Whoever asks for it takes care that it is not logged or stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be shown of it: the first five and the last two characters, as in `sk_01***8W`.
    #[must_use]
    pub fn display_id(&self) -> String {
        // All ASCII and at least 16 long, by this type's invariant.
        format!("{}***{}", &self.0[..5], &self.0[self.0.len() - 2..])
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySecret(redacted)")
    }
}

/// What is known of an API key: everything but the secret.
///
/// ```
/// use patron_domain::{tenancy::ApiKey, testkit::{a_time, an_api_key}};
///
/// let key: ApiKey = an_api_key();
/// assert!(key.is_valid_at(a_time()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The environment it belongs to, and its tenant.
    pub owner: Owner,
    /// Its name.
    pub name: ApiKeyName,
    /// What may be shown of the secret.
    pub display_id: String,
    /// What it may do.
    pub roles: Roles,
    /// Until when it is valid; `None` for ever.
    pub expires_at: Option<Timestamp>,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, as far as that was written down: some seconds late, see [`super::KeyUses`].
    pub last_used_at: Option<Timestamp>,
    /// Who made and changed it when.
    pub audit: Audit,
}

impl ApiKey {
    /// Revokes it; one that is revoked already keeps its first time and actor.
    pub fn revoke(&mut self, at: Timestamp, by: &Actor) {
        if self.revoked_at.is_none() {
            self.revoked_at = Some(at);
            self.audit.touch(at, by);
        }
    }

    /// Published until it is revoked, archived from then on. One that has expired stays published.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.revoked_at.is_some() { Status::Archived } else { Status::Published }
    }

    /// Whether the key opens anything at a point in time.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// What a key is for.
///
/// ```
/// use patron_domain::tenancy::ApiKeyType;
///
/// assert_eq!(ApiKeyType::Private.as_str(), "private_key");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeyType {
    /// A server's own key, to be kept secret.
    Private,
}

words!(
    ApiKeyType, "private_key (no usage events are taken here, so there is no publishable_key for them)",
    Private => "private_key",
);

/// Why a time is no end for a key.
///
/// ```
/// use patron_domain::{tenancy::{ExpiryError, check_expiry}, testkit::a_time};
///
/// assert_eq!(check_expiry(a_time(), a_time()), Err(ExpiryError::Past));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpiryError {
    /// It is no time at all.
    #[error("expires_at: {0}")]
    Time(#[from] TimestampError),
    /// It has passed already.
    #[error("expires_at must lie in the future; leave it out for a key without an end")]
    Past,
}

impl Rule for ExpiryError {
    fn rule(&self) -> &'static str {
        match self {
            Self::Time(error) => error.rule(),
            Self::Past => "future",
        }
    }
}

/// Checks the end of a key that is made now.
///
/// # Errors
/// [`ExpiryError::Past`] when the key would open nothing from the start.
pub fn check_expiry(at: Timestamp, now: Timestamp) -> Result<Timestamp, ExpiryError> {
    if now < at { Ok(at) } else { Err(ExpiryError::Past) }
}

/// That a key was used at a time.
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
    /// When.
    pub at: Timestamp,
}

/// What somebody who makes a key decides.
///
/// ```
/// use patron_domain::tenancy::{ApiKeyName, NewApiKey, Roles};
///
/// let name = ApiKeyName::new("Back office").unwrap();
/// let new = NewApiKey { name, roles: Roles::super_admin(), expires_at: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Its name.
    pub name: ApiKeyName,
    /// What it may do.
    pub roles: Roles,
    /// Until when it is valid; `None` for ever.
    pub expires_at: Option<Timestamp>,
}

/// What an empty store is given at the first start: written whole or not at all.
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

#[cfg(test)]
mod tests {
    use super::{ApiKeySecret, ChosenKeyError};

    #[test]
    fn a_key_has_256_bits_and_a_harmless_display_form() {
        let key = ApiKeySecret::from_random([0xFF; 32]);
        assert_eq!(key.expose(), format!("sk_7{z}7{z}", z = "Z".repeat(25)));
        assert_eq!(key.display_id(), "sk_7Z***ZZ");
        assert_eq!(format!("{key:?}"), "ApiKeySecret(redacted)");
        assert_ne!(ApiKeySecret::from_random([1; 32]), ApiKeySecret::from_random([2; 32]));
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_before_any_look_up() {
        for bad in ["", "sk_", "sk_short", "pk_01234567890123456789", "sk_0123456789 0123456789", "sk_ü123456789012345"]
        {
            assert!(ApiKeySecret::new(bad).is_err(), "{bad}");
        }
        assert!(ApiKeySecret::new("sk_chosen_by_an_operator").is_ok());
        assert!(ApiKeySecret::new(format!("sk_{}", "x".repeat(253))).is_err());
        assert_eq!(ApiKeySecret::chosen(format!("sk_{}", "x".repeat(28))), Err(ChosenKeyError));
        assert_eq!(ApiKeySecret::chosen("x".repeat(40)), Err(ChosenKeyError));
        assert!(ApiKeySecret::chosen(format!("sk_{}", "x".repeat(29))).is_ok());
    }
}
