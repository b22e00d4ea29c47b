//! Webhooks: an environment's events, delivered to somebody's URLs, signed, in order, at least once.

mod address;
mod delivery;
mod endpoint;
mod filter;
mod health;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod port;
mod request;
mod retry;
mod round;
mod secret;
mod service;
mod url;

pub use address::is_public;
pub use delivery::{Attempt, Delivery, DeliveryKind, DeliveryState, DeliveryStatus, SendFailure};
pub use endpoint::{
    ChangeEndpoint, DEFAULT_OVERLAP, Disabled, EndpointAmendment, EndpointDescription, EndpointDescriptionError,
    EndpointSecrets, EndpointUpdate, MAX_ENDPOINTS, MAX_OVERLAP, MAX_REPLAY, OverlapError, SealedSecret,
    WebhookEndpoint, WebhookError, check_overlap,
};
pub use filter::{EventFilter, EventFilterError};
pub use health::{DISABLE_AFTER, DisabledReason, Health, Tally};
pub use port::{
    DeliveryQuery, LeaseClaim, RoundRecord, SecretVault, SignedRequest, VaultError, WebhookRepository, WebhookSender,
};
#[cfg(any(test, feature = "mock"))]
pub use port::{MockSecretVault, MockWebhookRepository, MockWebhookSender};
#[cfg(any(test, feature = "mock"))]
pub use request::MockWebhookBody;
pub use request::{TEST_EVENT, WebhookBody};
pub use retry::Retries;
pub use round::{Lane, RoundEnd, end, plan};
pub use secret::{Message, WebhookSecret, WebhookSecretError, seconds, signature};
pub use service::{NewEndpoint, Replay, WebhookService};
pub use url::{EndpointUrl, EndpointUrlError};
