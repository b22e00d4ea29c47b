//! The port that seals the secrets of endpoints, so that access to the store does not reveal them.

use super::{rotation::SealedSecret, secret::WebhookSecret};
use crate::ids::WebhookEndpointId;

/// Why a secret could not be generated, sealed or opened. The messages contain no part of it.
///
/// ```
/// use patron_domain::{testkit::{a_time, a_webhook_endpoint, an_id}, webhook::{MockSecretVault, VaultError}};
///
/// let request = a_webhook_endpoint().request(&MockSecretVault::plain(), an_id(1), vec![], a_time());
/// assert_eq!(request, Err(VaultError::Sealed), "no vault sealed this secret");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No randomness was available.
    #[error(transparent)]
    Randomness(#[from] crate::ids::RandomnessUnavailable),
    /// The secret was sealed with an unknown key, or altered.
    #[error("a webhook secret cannot be opened: it was sealed with a key that is not configured, or was altered")]
    Sealed,
}

/// Seals secrets for stores, and opens them.
///
/// ```
/// use patron_domain::{ids::WebhookEndpointId, webhook::*};
///
/// /// Stores secrets in the clear, for a store that is itself encrypted.
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
    /// Seals a secret so that it opens only for this endpoint.
    ///
    /// # Errors
    /// [`VaultError`].
    fn seal(&self, id: WebhookEndpointId, secret: &WebhookSecret) -> Result<SealedSecret, VaultError>;

    /// Opens a secret that was sealed for an endpoint.
    ///
    /// # Errors
    /// [`VaultError::Sealed`] when it was not sealed by this vault for this endpoint.
    fn open(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<WebhookSecret, VaultError>;

    /// Seals a secret again with the current key; `None` when it is already sealed with that key.
    ///
    /// # Errors
    /// [`VaultError`] when it cannot be opened or sealed.
    fn reseal(&self, id: WebhookEndpointId, sealed: &SealedSecret) -> Result<Option<SealedSecret>, VaultError> {
        self.seal(id, &self.open(id, sealed)?).map(Some)
    }
}
