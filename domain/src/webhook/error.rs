//! Errors of webhook operations.

use std::time::Duration;

use crate::{
    idempotency::{IdempotencyKeyReused, from_once_error},
    lifecycle::VersionConflict,
    store::StoreError,
    tenancy::{PermissionDenied, Quota, QuotaReached, Quoted},
    violation::Violations,
};

/// Why an operation on endpoints or deliveries failed.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{lifecycle::Precondition, MockClock, event::MockEventLog, idempotency::MockIdempotencyRecords, ids::*, testkit::*, webhook::*};
///
/// let service = WebhookService {
///     webhooks: Arc::new(MockWebhookRepository::empty()),
///     events: Arc::new(MockEventLog::empty()),
///     sender: Arc::new(MockWebhookSender::answering(204)),
///     vault: Arc::new(MockSecretVault::plain()),
///     body: Arc::new(MockWebhookBody::naming_types()),
///     clock: Arc::new(MockClock::at(a_time())),
///     ids: Arc::new(MockIdGenerator::from_time()),
///     randomness: Arc::new(MockRandomness::always([7; 32])),
///     records: Arc::new(MockIdempotencyRecords::empty()),
///     idempotency_ttl: patron_domain::customer::DEFAULT_IDEMPOTENCY_TTL,
///     quotas: patron_domain::tenancy::Quotas::default(),
///     replays: patron_domain::webhook::ReplayPace::default(),
/// };
/// # futures::executor::block_on(async {
/// assert_eq!(service.delete(&a_caller(), an_id(1), Precondition::None, None).await, Err(WebhookError::UnknownEndpoint));
/// assert!(matches!(service.delete(&a_reader(), an_id(1), Precondition::None, None).await, Err(WebhookError::Denied(_))));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// A value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The caller's environment has no such endpoint.
    #[error("there is no webhook endpoint with this id")]
    UnknownEndpoint,
    /// The caller's environment has no such event.
    #[error("there is no event with this id; it may have been removed")]
    UnknownEvent,
    /// The environment has the maximum number of endpoints.
    #[error("an environment can have at most {max} webhook endpoints; delete one that is no longer used", max = MAX_ENDPOINTS)]
    TooManyEndpoints,
    /// The environment has as many endpoints as its quota allows.
    #[error(transparent)]
    Quota(#[from] QuotaReached),
    /// The replay would create more deliveries than allowed at once.
    #[error(
        "this would replay more than {max} events at once; use a shorter period, and replay the whole period in steps",
        max = MAX_REPLAY
    )]
    TooManyEvents,
    /// Too many events were replayed to the endpoint lately.
    #[error("too many events were replayed to this endpoint lately; repeat the request in {} s", wait.as_secs() + 1)]
    TooManyReplays {
        /// The time after which a replay is accepted.
        wait: Duration,
    },
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The endpoint is not at the version that the client expects.
    #[error(transparent)]
    VersionConflict(#[from] VersionConflict),
    /// A secret could not be generated, sealed or opened.
    #[error(transparent)]
    Vault(#[from] super::VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(WebhookError);

/// The maximum number of endpoints in an environment.
pub const MAX_ENDPOINTS: u64 = 50;
/// The maximum number of deliveries in one replay.
pub const MAX_REPLAY: usize = 10_000;

/// Checks whether an environment with `count` endpoints may get one more.
///
/// ```
/// use patron_domain::{tenancy::Quota, webhook::{MAX_ENDPOINTS, WebhookError, check_endpoints}};
///
/// assert!(check_endpoints(1, Quota::of(2)).is_ok());
/// assert!(matches!(check_endpoints(2, Quota::of(2)), Err(WebhookError::Quota(_))));
/// assert_eq!(check_endpoints(MAX_ENDPOINTS, Quota::UNLIMITED), Err(WebhookError::TooManyEndpoints));
/// ```
///
/// # Errors
/// [`WebhookError::TooManyEndpoints`] at [`MAX_ENDPOINTS`], and [`WebhookError::Quota`] when the quota is reached.
pub fn check_endpoints(count: u64, quota: Quota) -> Result<(), WebhookError> {
    if count >= MAX_ENDPOINTS {
        return Err(WebhookError::TooManyEndpoints);
    }
    Ok(quota.admit(Quoted::Endpoints, count)?)
}
