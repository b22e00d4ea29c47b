//! Endpoints: who is told of an environment's events, and how that is changed.

use std::{fmt, time::Duration};

use super::{
    filter::EventFilter,
    health::{DisabledReason, Health},
    url::EndpointUrl,
};
use crate::{
    customer::Patch,
    ids::WebhookEndpointId,
    lifecycle::{Audit, Owner},
    store::StoreError,
    tenancy::{EnvironmentScope, PermissionDenied},
    text::text_newtype,
    time::Timestamp,
    violation::{Rule, Violations},
};

text_newtype! {
    /// What an endpoint is for, for people: 1–255 characters, not blank.
    public EndpointDescription, EndpointDescriptionError, "description", max 255, not_blank true
}

/// A secret as stores keep it: sealed by a [`super::SecretVault`]. Only the vault makes and opens one.
///
/// ```
/// use patron_domain::webhook::SealedSecret;
///
/// let kept = SealedSecret::from_sealed("sealed:MfKQ9r8G");
/// assert_eq!(kept.as_sealed(), "sealed:MfKQ9r8G");
/// assert_eq!(format!("{kept:?}"), "SealedSecret(redacted)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(String);

impl SealedSecret {
    /// Takes what a vault sealed, or what a store has kept of it.
    #[must_use]
    pub fn from_sealed(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For stores and vaults.
    #[must_use]
    pub fn as_sealed(&self) -> &str {
        &self.0
    }
}

/// A vault without a key seals nothing, so this shows nothing.
impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(redacted)")
    }
}

/// The secrets deliveries are signed with.
///
/// ```
/// use patron_domain::{testkit::a_time, time::Timestamp, webhook::{EndpointSecrets, SealedSecret}};
///
/// let [old, new] = ["old", "new"].map(SealedSecret::from_sealed);
/// let secrets = EndpointSecrets { current: new, previous: Some((old, a_time())) };
/// assert_eq!(secrets.valid_at(Timestamp::UNIX_EPOCH).count(), 2);
/// assert_eq!(secrets.valid_at(a_time()).count(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSecrets {
    /// The current one.
    pub current: SealedSecret,
    /// The one before, and until when it is still signed with.
    pub previous: Option<(SealedSecret, Timestamp)>,
}

impl EndpointSecrets {
    /// Those to sign with at a time, the current one first.
    pub fn valid_at(&self, now: Timestamp) -> impl Iterator<Item = &SealedSecret> {
        let previous = self.previous.iter().filter(move |(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(previous)
    }
}

/// That, why and since when an endpoint is disabled.
///
/// ```
/// use patron_domain::{testkit::{a_time, a_webhook_endpoint}, webhook::{Disabled, DisabledReason}};
///
/// let mut endpoint = a_webhook_endpoint();
/// endpoint.disabled = Some(Disabled { reason: DisabledReason::Failing, at: a_time() });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disabled {
    /// Why.
    pub reason: DisabledReason,
    /// Since when.
    pub at: Timestamp,
}

/// Somebody's URL that is told of an environment's events.
///
/// ```
/// use patron_domain::{testkit::a_webhook_endpoint, webhook::{EventFilter, WebhookEndpoint}};
///
/// let types = vec!["customer.*".to_owned()];
/// let endpoint = WebhookEndpoint { event_types: EventFilter::new(types).unwrap(), ..a_webhook_endpoint() };
/// assert!(endpoint.event_types.wants("customer.created") && endpoint.disabled.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// The environment whose events it is told of.
    pub owner: Owner,
    /// Where deliveries go.
    pub url: EndpointUrl,
    /// Which events it is told of.
    pub event_types: EventFilter,
    /// What it is for.
    pub description: Option<EndpointDescription>,
    /// Whether deliveries rest; `None` while it is enabled.
    pub disabled: Option<Disabled>,
    /// What deliveries are signed with.
    pub secrets: EndpointSecrets,
    /// How it is doing.
    pub health: Health,
    /// How far in the log everything is delivered, or written down as waiting.
    pub position: i64,
    /// Who made and changed it when.
    pub audit: Audit,
}

/// What is to be changed of an endpoint; what is absent stays.
///
/// ```
/// use patron_domain::{customer::Patch, webhook::EndpointUpdate};
///
/// let update = EndpointUpdate { description: Patch::Clear, enabled: Some(true), ..EndpointUpdate::default() };
/// assert_eq!(update.url, None); // stays
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointUpdate {
    /// Where deliveries go.
    pub url: Option<EndpointUrl>,
    /// Which events it is told of.
    pub event_types: Option<EventFilter>,
    /// What it is for.
    pub description: Patch<EndpointDescription>,
    /// Whether it is told of events. One that is enabled again goes on where it stopped.
    pub enabled: Option<bool>,
}

/// What is asked of an endpoint that exists.
///
/// ```
/// use patron_domain::{testkit::a_time, webhook::{DEFAULT_OVERLAP, EndpointAmendment, SealedSecret}};
///
/// let secret = SealedSecret::from_sealed("what the vault made of it");
/// let rotation = EndpointAmendment::Rotate { secret, overlap_until: a_time().later(DEFAULT_OVERLAP) };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointAmendment {
    /// Change it.
    Update(Box<EndpointUpdate>),
    /// Sign with another secret from now on, and for a while with the one before too.
    Rotate {
        /// The new secret.
        secret: SealedSecret,
        /// Until when both are signed with.
        overlap_until: Timestamp,
    },
}

/// The command for one change of an endpoint.
///
/// ```
/// use patron_domain::{testkit::{a_scope, a_time, a_webhook_endpoint}, webhook::*};
///
/// let endpoint = a_webhook_endpoint();
/// let off = EndpointUpdate { enabled: Some(false), ..EndpointUpdate::default() };
/// let amendment = EndpointAmendment::Update(Box::new(off));
/// let changed = ChangeEndpoint { id: endpoint.id, amendment, at: a_time() }.decide(&a_scope(), endpoint);
/// assert_eq!(changed.disabled.unwrap().reason, DisabledReason::Request);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEndpoint {
    /// The endpoint.
    pub id: WebhookEndpointId,
    /// What is asked.
    pub amendment: EndpointAmendment,
    /// The time.
    pub at: Timestamp,
}

impl ChangeEndpoint {
    /// The endpoint as it is to be. Pure. It leaves alone what only the relay changes: its position, and its health
    /// unless it is enabled anew or sent elsewhere.
    #[must_use]
    pub fn decide(self, scope: &EnvironmentScope, current: WebhookEndpoint) -> WebhookEndpoint {
        let mut endpoint = current;
        match self.amendment {
            EndpointAmendment::Update(update) => update.apply(&mut endpoint, self.at),
            EndpointAmendment::Rotate { secret, overlap_until } => {
                let before = std::mem::replace(&mut endpoint.secrets.current, secret);
                endpoint.secrets.previous = (self.at < overlap_until).then_some((before, overlap_until));
            }
        }
        endpoint.audit.touch(self.at, &scope.actor);
        endpoint
    }
}

impl EndpointUpdate {
    fn apply(self, endpoint: &mut WebhookEndpoint, at: Timestamp) {
        if let Some(url) = self.url
            && url != endpoint.url
        {
            endpoint.url = url;
            endpoint.health = Health::default();
        }
        if let Some(event_types) = self.event_types {
            endpoint.event_types = event_types;
        }
        match self.description {
            Patch::Keep => {}
            Patch::Clear => endpoint.description = None,
            Patch::Set(description) => endpoint.description = Some(description),
        }
        match (self.enabled, endpoint.disabled) {
            (Some(true), Some(_)) => {
                endpoint.disabled = None;
                endpoint.health = Health::default();
            }
            (Some(false), None) => endpoint.disabled = Some(Disabled { reason: DisabledReason::Request, at }),
            _ => {}
        }
    }
}

/// Why an endpoint, or its deliveries, were not made, changed or answered.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{MockClock, event::MockEventLog, ids::*, testkit::*, webhook::*};
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
/// };
/// # futures::executor::block_on(async {
/// assert_eq!(service.delete(&a_caller(), an_id(1)).await, Err(WebhookError::UnknownEndpoint));
/// assert!(matches!(service.delete(&a_reader(), an_id(1)).await, Err(WebhookError::Denied(_))));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The caller may not.
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
    /// The environment has as many endpoints as it can have.
    #[error("an environment can have at most {max} webhook endpoints; delete one that is not used", max = MAX_ENDPOINTS)]
    TooManyEndpoints,
    /// More is to be replayed at once than is written down at once.
    #[error(
        "this would replay more than {max} events at once; name a shorter time, and go through the time in steps",
        max = MAX_REPLAY
    )]
    TooManyEvents,
    /// A secret could not be made, sealed or opened.
    #[error(transparent)]
    Vault(#[from] super::VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most endpoints of an environment.
pub const MAX_ENDPOINTS: u64 = 50;
/// The most deliveries that are replayed at once.
pub const MAX_REPLAY: usize = 10_000;
/// How long the secret before is still signed with after a rotation, unless another time is asked for.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(24 * 3_600);
/// The longest such time.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Why a number of seconds is no overlap.
///
/// ```
/// use patron_domain::webhook::{OverlapError, check_overlap};
///
/// assert_eq!(check_overlap(3_600).unwrap().as_secs(), 3_600);
/// assert_eq!(check_overlap(-1), Err(OverlapError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("overlap_seconds must be a whole number from 0 to {}", MAX_OVERLAP.as_secs())]
pub struct OverlapError;

impl Rule for OverlapError {
    fn rule(&self) -> &'static str {
        "range"
    }
}

/// Checks how long two secrets are to be signed with.
///
/// # Errors
/// [`OverlapError`] outside 0 to [`MAX_OVERLAP`].
pub fn check_overlap(seconds: i64) -> Result<Duration, OverlapError> {
    let overlap = u64::try_from(seconds).map(Duration::from_secs).map_err(|_| OverlapError)?;
    if overlap <= MAX_OVERLAP { Ok(overlap) } else { Err(OverlapError) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ChangeEndpoint, EndpointAmendment, EndpointUpdate, SealedSecret};
    use crate::{
        testkit::{a_scope, a_time, a_webhook_endpoint},
        webhook::{DisabledReason, EndpointUrl, Health},
    };

    fn update(update: EndpointUpdate) -> ChangeEndpoint {
        let amendment = EndpointAmendment::Update(Box::new(update));
        ChangeEndpoint { id: a_webhook_endpoint().id, amendment, at: a_time().later(Duration::from_secs(9)) }
    }

    #[test]
    fn disabling_tells_why_and_enabling_makes_a_new_start() {
        let mut endpoint = a_webhook_endpoint();
        endpoint.health = Health { failing_since: Some(a_time()), failed_rounds: 3, paused_until: None };
        let off = update(EndpointUpdate { enabled: Some(false), ..Default::default() }).decide(&a_scope(), endpoint);
        let disabled = off.disabled.expect("disabled");
        assert_eq!((disabled.reason, off.health.failed_rounds), (DisabledReason::Request, 3));
        let again =
            update(EndpointUpdate { enabled: Some(false), ..Default::default() }).decide(&a_scope(), off.clone());
        assert_eq!(again.disabled, off.disabled, "a second time changes nothing");
        let on = update(EndpointUpdate { enabled: Some(true), ..Default::default() }).decide(&a_scope(), off);
        assert_eq!((on.disabled, on.health), (None, Health::default()));
    }

    #[test]
    fn another_url_is_another_chance() {
        let mut endpoint = a_webhook_endpoint();
        endpoint.health.failed_rounds = 3;
        let same = update(EndpointUpdate { url: Some(endpoint.url.clone()), ..Default::default() });
        assert_eq!(same.decide(&a_scope(), endpoint.clone()).health.failed_rounds, 3);
        let url = EndpointUrl::new("https://elsewhere.example").unwrap();
        let moved = update(EndpointUpdate { url: Some(url), ..Default::default() }).decide(&a_scope(), endpoint);
        assert_eq!(moved.health, Health::default());
    }

    #[test]
    fn a_rotation_keeps_the_secret_before_for_a_while() {
        let endpoint = a_webhook_endpoint();
        let (before, at) = (endpoint.secrets.current.clone(), a_time());
        let rotate = |overlap: u64| {
            let overlap_until = at.later(Duration::from_secs(overlap));
            let amendment = EndpointAmendment::Rotate { secret: SealedSecret::from_sealed("new"), overlap_until };
            ChangeEndpoint { id: endpoint.id, amendment, at }.decide(&a_scope(), endpoint.clone()).secrets
        };
        let secrets = rotate(60);
        let valid = |seconds| secrets.valid_at(at.later(Duration::from_secs(seconds))).cloned().collect::<Vec<_>>();
        assert_eq!(valid(59), [SealedSecret::from_sealed("new"), before]);
        assert_eq!(valid(60), [SealedSecret::from_sealed("new")]);
        assert_eq!(rotate(0).previous, None);
    }
}
