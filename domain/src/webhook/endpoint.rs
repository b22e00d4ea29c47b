//! Endpoints: who is told of an environment's events, and how that is changed.

use super::{
    filter::EventFilter,
    health::{DisabledReason, Health},
    rotation::{EndpointSecrets, SealedSecret},
    url::EndpointUrl,
};
use crate::{
    event::EventPosition,
    ids::WebhookEndpointId,
    lifecycle::{Audit, Owner},
    patch::Patch,
    tenancy::EnvironmentScope,
    text::text_newtype,
    time::Timestamp,
};

text_newtype! {
    /// What an endpoint is for, for people: 1–255 characters, not blank; of control characters tabs and line breaks
    /// alone.
    public EndpointDescription, EndpointDescriptionError, "description", max 255, not_blank true, lines true
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
    pub position: EventPosition,
    /// Who made and changed it when.
    pub audit: Audit,
}

impl WebhookEndpoint {
    /// The endpoint as it may be kept where nobody signs: until when a secret before is valid stays, the secrets do not,
    /// sealed or not.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        let none = || SealedSecret::from_sealed("");
        let previous = self.secrets.previous.map(|(_, until)| (none(), until));
        Self { secrets: EndpointSecrets { current: none(), previous }, ..self }
    }
}

/// What is to be changed of an endpoint; what is absent stays.
///
/// ```
/// use patron_domain::{patch::Patch, webhook::EndpointUpdate};
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ChangeEndpoint, EndpointAmendment, EndpointUpdate};
    use crate::{
        testkit::{a_scope, a_time, a_webhook_endpoint},
        webhook::{DisabledReason, EndpointUrl, Health, SealedSecret},
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
