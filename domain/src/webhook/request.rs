//! Building signed requests from events.

use super::{
    endpoint::WebhookEndpoint,
    secret::{Message, WebhookSecret, seconds, signature},
    sender::SignedRequest,
    url::EndpointUrl,
    vault::{SecretVault, VaultError},
};
use crate::{event::EventRecord, ids::EventId, lifecycle::Owner, time::Timestamp};

/// Writes the bodies of deliveries.
///
/// ```
/// use patron_domain::{event::EventRecord, ids::EventId, lifecycle::Owner, time::Timestamp, webhook::WebhookBody};
///
/// /// Sends only the event's id; the receiver fetches the rest.
/// struct Thin;
///
/// impl WebhookBody for Thin {
///     fn event(&self, event: &EventRecord) -> Vec<u8> {
///         format!(r#"{{"id":"{}"}}"#, event.id).into_bytes()
///     }
///
///     fn test(&self, id: EventId, _owner: Owner, _at: Timestamp) -> Vec<u8> {
///         format!(r#"{{"id":"{id}"}}"#).into_bytes()
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait WebhookBody: Send + Sync {
    /// The body for an event, as JSON. The same event MUST always give the same bytes.
    fn event(&self, event: &EventRecord) -> Vec<u8>;

    /// The body of a test, of the type [`TEST_EVENT`].
    fn test(&self, id: EventId, owner: Owner, at: Timestamp) -> Vec<u8>;
}

/// The type of a test. No event in the log has it.
pub const TEST_EVENT: &str = "webhook.test";

impl WebhookEndpoint {
    /// A request to this endpoint, signed with every secret that is valid now and can be opened.
    ///
    /// # Errors
    /// When the current secret cannot be opened.
    pub fn request(
        &self,
        vault: &dyn SecretVault,
        event_id: EventId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<SignedRequest, VaultError> {
        Ok(self.signer(vault)?.request(event_id, body, now))
    }

    /// Opens the secrets of this endpoint once, for many requests.
    ///
    /// # Errors
    /// When the current secret cannot be opened.
    pub fn signer(&self, vault: &dyn SecretVault) -> Result<Signer, VaultError> {
        let mut secrets = vec![vault.open(self.id, &self.secrets.current)?];
        // A previous secret that can no longer be opened, because the key was changed, must not stop deliveries.
        let previous = self.secrets.previous.as_ref();
        let previous = previous.and_then(|(sealed, until)| Some((vault.open(self.id, sealed).ok()?, *until)));
        let previous_until = previous.map(|(secret, until)| {
            secrets.push(secret);
            until
        });
        Ok(Signer { owner: self.owner, url: self.url.clone(), secrets, previous_until })
    }
}

/// Builds the requests to one endpoint. Its secrets are opened only once.
///
/// ```
/// use patron_domain::{testkit::*, webhook::{MockSecretVault, SecretVault, WebhookSecret}};
///
/// let (vault, mut endpoint) = (MockSecretVault::plain(), a_webhook_endpoint());
/// endpoint.secrets.current = vault.seal(endpoint.id, &WebhookSecret::from_random([7; 32])).unwrap();
/// let signer = endpoint.signer(&vault).unwrap();
/// let request = signer.request(an_id(1), b"{}".to_vec(), a_time());
/// assert_eq!(endpoint.request(&vault, an_id(1), b"{}".to_vec(), a_time()), Ok(request));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    owner: Owner,
    url: EndpointUrl,
    /// The current one, and the previous one if there is one.
    secrets: Vec<WebhookSecret>,
    previous_until: Option<Timestamp>,
}

impl Signer {
    /// A request, signed with every secret that is valid now.
    #[must_use]
    pub fn request(&self, event_id: EventId, body: Vec<u8>, now: Timestamp) -> SignedRequest {
        let valid = match self.previous_until {
            Some(until) if now < until => &self.secrets[..],
            _ => &self.secrets[..1],
        };
        let id = event_id.to_string();
        let signature = signature(valid, &Message { id: &id, at: now, body: &body });
        SignedRequest { owner: self.owner, url: self.url.clone(), event_id, timestamp: seconds(now), signature, body }
    }
}
