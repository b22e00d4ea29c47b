//! The secret of an API key.

use std::fmt;

use crate::{ids::crockford, violation::Rule};

/// An API key as a client presents it: `sk_` and printable ASCII. It is never stored or logged, and is shown only once.
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

/// Why a text is not a valid [`ApiKeySecret`].
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

/// Why an operator may not choose this text as a key.
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
    /// The minimum length of a presented key, which may be older than [`Self::MIN_CHOSEN_CHARS`].
    pub const MIN_CHARS: usize = 16;
    /// The minimum length of a key that an operator chooses. Only its hash is stored, and the hash of a short key could
    /// be reversed by guessing.
    pub const MIN_CHOSEN_CHARS: usize = 32;
    /// The maximum length.
    pub const MAX_CHARS: usize = 255;

    const PREFIX: &'static str = "sk_";

    /// Builds a key of 256 random bits: `sk_` and 52 Crockford base-32 characters.
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

    /// Checks a key that a client presents.
    ///
    /// # Errors
    /// When the text cannot be a key. The error does not contain the text.
    pub fn new(text: impl Into<String>) -> Result<Self, ApiKeySecretError> {
        let text = text.into();
        let plausible = text.starts_with(Self::PREFIX) && text.bytes().all(|b| b.is_ascii_graphic());
        let length_fits = (Self::MIN_CHARS..=Self::MAX_CHARS).contains(&text.len());
        if plausible && length_fits { Ok(Self(text)) } else { Err(ApiKeySecretError) }
    }

    /// Checks a new key that an operator chose.
    ///
    /// # Errors
    /// When the text cannot be a key, or has fewer than [`Self::MIN_CHOSEN_CHARS`] characters. The error does not
    /// contain it.
    pub fn chosen(text: impl Into<String>) -> Result<Self, ChosenKeyError> {
        let key = Self::new(text).map_err(|_| ChosenKeyError)?;
        if key.0.len() < Self::MIN_CHOSEN_CHARS { Err(ChosenKeyError) } else { Ok(key) }
    }

    /// The key itself. Callers must not log or store it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The part that may be shown: the first five and the last two characters, as in `sk_01***8W`.
    #[must_use]
    pub fn display_id(&self) -> String {
        // All ASCII and at least 16 characters long, by this type's invariant.
        format!("{}***{}", &self.0[..5], &self.0[self.0.len() - 2..])
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeySecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiKeySecret, ChosenKeyError};

    #[test]
    fn a_key_has_256_bits_and_its_display_id_does_not_reveal_it() {
        let key = ApiKeySecret::from_random([0xFF; 32]);
        assert_eq!(key.expose(), format!("sk_7{z}7{z}", z = "Z".repeat(25)));
        assert_eq!(key.display_id(), "sk_7Z***ZZ");
        assert_eq!(format!("{key:?}"), "ApiKeySecret(redacted)");
        assert_ne!(ApiKeySecret::from_random([1; 32]), ApiKeySecret::from_random([2; 32]));
    }

    #[test]
    fn text_that_cannot_be_a_key_is_refused_before_any_look_up() {
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
