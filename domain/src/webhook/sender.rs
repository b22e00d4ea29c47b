//! The port that sends requests to endpoints.

use async_trait::async_trait;

use super::{address::NotCalled, delivery::Attempt, url::EndpointUrl};
use crate::{ids::EventId, lifecycle::Owner};

/// One signed request to an endpoint.
///
/// ```
/// use patron_domain::{testkit::*, webhook::{MockSecretVault, SecretVault, WebhookSecret}};
///
/// let (vault, mut endpoint) = (MockSecretVault::plain(), a_webhook_endpoint());
/// endpoint.secrets.current = vault.seal(endpoint.id, &WebhookSecret::from_random([7; 32])).unwrap();
/// let request = endpoint.request(&vault, an_id(1), b"{}".to_vec(), a_time()).unwrap();
/// assert!(request.signature.starts_with("v1,"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The owner of the endpoint. Environments take turns.
    pub owner: Owner,
    /// The URL.
    pub url: EndpointUrl,
    /// `webhook-id`.
    pub event_id: EventId,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends requests to endpoints.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{
///     testkit::a_time,
///     webhook::{Attempt, CallPolicy, EndpointUrl, NotCalled, SendFailure, SignedRequest, WebhookSender},
/// };
///
/// /// Sends nothing.
/// struct Offline;
///
/// #[async_trait::async_trait]
/// impl WebhookSender for Offline {
///     async fn send(&self, _request: SignedRequest) -> Attempt {
///         let outcome = Err(SendFailure::Connection);
///         Attempt { at: a_time(), took: Duration::ZERO, outcome, answer: String::new(), retry_after: None }
///     }
///
///     fn not_called(&self, url: &EndpointUrl) -> Option<NotCalled> {
///         CallPolicy::default().check(url).err()
///     }
/// }
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Makes one attempt.
    ///
    /// The attempt MUST connect only to addresses that the [`super::CallPolicy`] allows, MUST NOT follow redirects,
    /// MUST end within ten seconds after the endpoint's name was looked up, whatever the endpoint does. Slow names or
    /// endpoints of one environment MUST NOT block another. MUST NOT keep more than the beginning of a response.
    async fn send(&self, request: SignedRequest) -> Attempt;

    /// Why every attempt to this URL would be refused, as far as the URL shows without a look-up; `None` when it may be
    /// called. For the warning in an endpoint's response.
    fn not_called(&self, url: &EndpointUrl) -> Option<NotCalled>;
}
