//! From an event to a signed request.

use super::{
    endpoint::WebhookEndpoint,
    secret::{Message, seconds, signature},
    sender::SignedRequest,
    vault::{SecretVault, VaultError},
};
use crate::{event::EventRecord, ids::EventId, lifecycle::Owner, time::Timestamp};

/// Writes the bodies of deliveries.
///
/// ```
/// use patron_domain::{event::EventRecord, ids::EventId, lifecycle::Owner, time::Timestamp, webhook::WebhookBody};
///
/// /// Tells which event it is; whoever is told asks for the rest.
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
    /// The body for an event, as JSON. The same event MUST give the same bytes each time.
    fn event(&self, event: &EventRecord) -> Vec<u8>;

    /// The body of a test, of the type [`TEST_EVENT`].
    fn test(&self, id: EventId, owner: Owner, at: Timestamp) -> Vec<u8>;
}

/// The type of a test, which no event in the log has.
pub const TEST_EVENT: &str = "webhook.test";

impl WebhookEndpoint {
    /// A request to this endpoint, signed with every secret that is valid now and opens.
    ///
    /// # Errors
    /// When the current secret does not open.
    pub fn request(
        &self,
        vault: &dyn SecretVault,
        event_id: EventId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<SignedRequest, VaultError> {
        let mut secrets = vec![vault.open(self.id, &self.secrets.current)?];
        // One before that opens no more, because the key was changed, is no reason to be silent.
        secrets.extend(self.secrets.valid_at(now).skip(1).filter_map(|sealed| vault.open(self.id, sealed).ok()));
        let id = event_id.to_string();
        let signature = signature(&secrets, &Message { id: &id, at: now, body: &body });
        Ok(SignedRequest { url: self.url.clone(), event_id, timestamp: seconds(now), signature, body })
    }
}
