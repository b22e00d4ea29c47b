//! Webhooks: an environment's events, delivered to URLs in order, signed, at least once.

mod address;
mod delivery;
mod endpoint;
mod engine;
mod error;
mod filter;
mod health;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod pace;
mod port;
mod replay;
mod request;
mod reseal;
mod retry;
mod rotation;
mod round;
mod secret;
mod sender;
mod service;
mod url;
mod vault;
mod verify;

pub use address::{CallPolicy, NotCalled, is_public};
pub use delivery::{Attempt, Delivery, DeliveryKind, DeliveryState, DeliveryStatus, SendFailure};
pub use endpoint::{
    ChangeEndpoint, Disabled, EndpointAmendment, EndpointDescription, EndpointDescriptionError, EndpointUpdate,
    WebhookEndpoint,
};
pub use engine::{Attempts, DeliveryEngine, DeliveryError, DeliveryOptions, LogPage, Round, RoundOutcome, RoundResult};
pub use error::{MAX_ENDPOINTS, MAX_REPLAY, WebhookError, check_endpoints};
pub use filter::{EventFilter, EventFilterError};
pub use health::{DISABLE_AFTER, DisabledReason, Health, Tally};
pub use pace::ReplayPace;
#[cfg(any(test, feature = "mock"))]
pub use port::MockWebhookRepository;
pub use port::{DeliveryQuery, LeaseClaim, RoundRecord, WebhookRepository};
pub use replay::Replay;
#[cfg(any(test, feature = "mock"))]
pub use request::MockWebhookBody;
pub use request::{Signer, TEST_EVENT, WebhookBody};
pub use reseal::{Resealed, Resealing};
pub use retry::{MAX_RETRY_AFTER, Retries};
pub use rotation::{DEFAULT_OVERLAP, EndpointSecrets, MAX_OVERLAP, OverlapError, SealedSecret, check_overlap};
pub use round::{Lane, RoundEnd, end, plan};
pub use secret::{Message, WebhookSecret, WebhookSecretError, seconds, signature};
#[cfg(any(test, feature = "mock"))]
pub use sender::MockWebhookSender;
pub use sender::{SignedRequest, WebhookSender};
pub use service::{NewEndpoint, WebhookService};
pub use url::{EndpointUrl, EndpointUrlError};
#[cfg(any(test, feature = "mock"))]
pub use vault::MockSecretVault;
pub use vault::{SecretVault, VaultError};
pub use verify::{Arrival, TOLERANCE, Unverified, verify};
