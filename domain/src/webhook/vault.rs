//! The port that seals the secrets of endpoints, so that stores need not be trusted with them.

use super::{rotation::SealedSecret, secret::WebhookSecret};
use crate::ids::WebhookEndpointId;

/// Why a secret could not be made, sealed or opened. Texts hold nothing of it.
///
/// ```
/// use patron_domain::{testkit::{a_time, a_webhook_endpoint, an_id}, webhook::{MockSecretVault, VaultError}};
///
/// let request = a_webhook_endpoint().request(&MockSecretVault::plain(), an_id(1), vec![], a_time());
/// assert_eq!(request, Err(VaultError::Sealed), "this secret was sealed by no vault");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There was no randomness.
    #[error(transparent)]
    Randomness(#[from] crate::ids::RandomnessUnavailable),
    /// It was sealed with a key that is not known here, or altered.
    #[error("a webhook secret cannot be opened: it was sealed with a key that PATRON_SECRETS_KEY does not hold")]
    Sealed,
}

/// Seals secrets for stores, and opens them.
///
/// ```
/// use patron_domain::{ids::WebhookEndpointId, webhook::*};
///
/// /// Keeps secrets as they are, for a store that is encrypted itself.
/// struct Plain;
///
/// impl SecretVault for Plain {
///     fn seal(&self, id: WebhookEndpointId, secret: &WebhookSecret) -> Result<SealedSecret, VaultError> {
///         Ok(SealedSecret::from_sealed(format!("{id}:{}", secret.expose())))
///     }
///
///     fn open(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<WebhookSecret, VaultError> {
///         let text = sealed.as_sealed().strip_prefix(&format!("{id}:")).ok_or(VaultError::Sealed)?;
///         WebhookSecret::parse(text).map_err(|_| VaultError::Sealed)
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait SecretVault: Send + Sync {
    /// Seals a secret of an endpoint, so that it opens for that endpoint alone.
    ///
    /// # Errors
    /// [`VaultError`].
    fn seal(&self, id: WebhookEndpointId, secret: &WebhookSecret) -> Result<SealedSecret, VaultError>;

    /// Opens what was sealed for an endpoint.
    ///
    /// # Errors
    /// [`VaultError::Sealed`] when it was not sealed by this vault, for this endpoint.
    fn open(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<WebhookSecret, VaultError>;
}
