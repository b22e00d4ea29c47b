//! Endpoints: the receivers of an environment's events, and changes of them.

use super::{
    filter::EventFilter,
    health::{DisabledReason, Health},
    rotation::{EndpointSecrets, SealedSecret},
    url::EndpointUrl,
};
use crate::{
    event::EventPosition,
    ids::WebhookEndpointId,
    lifecycle::{Audit, Owner, Precondition, Version, VersionConflict},
    patch::Patch,
    tenancy::EnvironmentScope,
    text::text_newtype,
    time::Timestamp,
};

text_newtype! {
    /// The description of an endpoint: 1–255 characters, not blank. Tabs and line breaks are the only control
    /// characters allowed.
    public EndpointDescription, EndpointDescriptionError, "description", max 255, not_blank true, lines true
}

/// Why and since when an endpoint is disabled.
///
/// ```
/// use patron_domain::{testkit::{a_time, a_webhook_endpoint}, webhook::{Disabled, DisabledReason}};
///
/// let mut endpoint = a_webhook_endpoint();
/// endpoint.disabled = Some(Disabled { reason: DisabledReason::Failing, at: a_time() });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disabled {
    /// The reason.
    pub reason: DisabledReason,
    /// The time.
    pub at: Timestamp,
}

/// A URL that receives an environment's events.
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
    /// The id.
    pub id: WebhookEndpointId,
    /// The environment whose events it receives.
    pub owner: Owner,
    /// The URL of deliveries.
    pub url: EndpointUrl,
    /// The events that it receives.
    pub event_types: EventFilter,
    /// The description.
    pub description: Option<EndpointDescription>,
    /// Why and since when it is disabled; `None` while it is enabled.
    pub disabled: Option<Disabled>,
    /// The secrets that deliveries are signed with.
    pub secrets: EndpointSecrets,
    /// Its health.
    pub health: Health,
    /// The position in the log up to which every event is delivered or recorded as waiting.
    pub position: EventPosition,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

impl WebhookEndpoint {
    /// The version: the time of its last change, by a person or by Patron, which disables endpoints.
    #[must_use]
    pub fn version(&self) -> Version {
        let disabled = self.disabled.and_then(|disabled| Version::from_stored(disabled.at.micros()));
        disabled.map_or(self.audit.version(), |at| at.max(self.audit.version()))
    }

    /// The endpoint without its secrets, sealed or not, for places that do not sign. The end of a previous secret's
    /// validity is kept.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        let none = || SealedSecret::from_sealed("");
        let previous = self.secrets.previous.map(|(_, until)| (none(), until));
        Self { secrets: EndpointSecrets { current: none(), previous }, ..self }
    }
}

/// A change of an endpoint. Absent fields keep their values.
///
/// ```
/// use patron_domain::{patch::Patch, webhook::EndpointUpdate};
///
/// let update = EndpointUpdate { description: Patch::Clear, enabled: Some(true), ..EndpointUpdate::default() };
/// assert_eq!(update.url, None); // unchanged
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointUpdate {
    /// The new URL.
    pub url: Option<EndpointUrl>,
    /// The new events.
    pub event_types: Option<EventFilter>,
    /// The new description.
    pub description: Patch<EndpointDescription>,
    /// Whether it receives events. When it is enabled again, it continues where it stopped.
    pub enabled: Option<bool>,
}

/// A requested change of an existing endpoint.
///
/// ```
/// use patron_domain::{testkit::a_time, webhook::{DEFAULT_OVERLAP, EndpointAmendment, SealedSecret}};
///
/// let secret = SealedSecret::from_sealed("the text from the vault");
/// let rotation = EndpointAmendment::Rotate { secret, overlap_until: a_time().later(DEFAULT_OVERLAP) };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointAmendment {
    /// Change it.
    Update(Box<EndpointUpdate>),
    /// Sign with a new secret from now on, and with the present one too for some time.
    Rotate {
        /// The new secret.
        secret: SealedSecret,
        /// The time until which both are used.
        overlap_until: Timestamp,
    },
}

/// The command for one change of an endpoint.
///
/// ```
/// use patron_domain::{lifecycle::Precondition, testkit::{a_scope, a_time, a_webhook_endpoint}, webhook::*};
///
/// let endpoint = a_webhook_endpoint();
/// let off = EndpointUpdate { enabled: Some(false), ..EndpointUpdate::default() };
/// let amendment = EndpointAmendment::Update(Box::new(off));
/// let change = ChangeEndpoint { id: endpoint.id, amendment, at: a_time(), only_if: Precondition::None };
/// let changed = change.decide(&a_scope(), &endpoint).unwrap();
/// assert_eq!(changed.disabled.unwrap().reason, DisabledReason::Request);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEndpoint {
    /// The endpoint.
    pub id: WebhookEndpointId,
    /// The requested change.
    pub amendment: EndpointAmendment,
    /// The time of the change.
    pub at: Timestamp,
    /// The version that the endpoint must have: see [`WebhookEndpoint::version`].
    pub only_if: Precondition,
}

impl ChangeEndpoint {
    /// The endpoint after the change. Pure. The fields that only the relay changes stay as they are: the position, and
    /// the health unless the endpoint is enabled again or gets another URL.
    ///
    /// # Errors
    /// When the endpoint does not have the expected version.
    pub fn decide(
        self,
        scope: &EnvironmentScope,
        current: &WebhookEndpoint,
    ) -> Result<WebhookEndpoint, VersionConflict> {
        self.only_if.check(Some(current.version()))?;
        let mut endpoint = current.clone();
        match self.amendment {
            EndpointAmendment::Update(update) => update.apply(&mut endpoint, self.at),
            EndpointAmendment::Rotate { secret, overlap_until } => {
                let before = std::mem::replace(&mut endpoint.secrets.current, secret);
                endpoint.secrets.previous = (self.at < overlap_until).then_some((before, overlap_until));
            }
        }
        if endpoint != *current {
            endpoint.audit.advance(self.at, &scope.actor);
        }
        Ok(endpoint)
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
        ChangeEndpoint {
            id: a_webhook_endpoint().id,
            amendment,
            at: a_time().later(Duration::from_secs(9)),
            only_if: Default::default(),
        }
    }

    #[test]
    fn disabling_records_the_reason_and_enabling_resets_the_health() {
        let mut endpoint = a_webhook_endpoint();
        endpoint.health = Health { failing_since: Some(a_time()), failed_rounds: 3, paused_until: None };
        let off = update(EndpointUpdate { enabled: Some(false), ..Default::default() })
            .decide(&a_scope(), &endpoint)
            .unwrap();
        let disabled = off.disabled.expect("disabled");
        assert_eq!((disabled.reason, off.health.failed_rounds), (DisabledReason::Request, 3));
        let again =
            update(EndpointUpdate { enabled: Some(false), ..Default::default() }).decide(&a_scope(), &off).unwrap();
        assert_eq!(again.disabled, off.disabled, "disabling again changes nothing");
        let on = update(EndpointUpdate { enabled: Some(true), ..Default::default() }).decide(&a_scope(), &off).unwrap();
        assert_eq!((on.disabled, on.health), (None, Health::default()));
    }

    #[test]
    fn another_url_resets_the_health() {
        let mut endpoint = a_webhook_endpoint();
        endpoint.health.failed_rounds = 3;
        let same = update(EndpointUpdate { url: Some(endpoint.url.clone()), ..Default::default() });
        assert_eq!(same.decide(&a_scope(), &endpoint).unwrap().health.failed_rounds, 3);
        let url = EndpointUrl::new("https://elsewhere.example").unwrap();
        let moved =
            update(EndpointUpdate { url: Some(url), ..Default::default() }).decide(&a_scope(), &endpoint).unwrap();
        assert_eq!(moved.health, Health::default());
    }

    #[test]
    fn a_rotation_keeps_the_previous_secret_for_the_overlap() {
        let endpoint = a_webhook_endpoint();
        let (before, at) = (endpoint.secrets.current.clone(), a_time());
        let rotate = |overlap: u64| {
            let overlap_until = at.later(Duration::from_secs(overlap));
            let amendment = EndpointAmendment::Rotate { secret: SealedSecret::from_sealed("new"), overlap_until };
            ChangeEndpoint { id: endpoint.id, amendment, at, only_if: Default::default() }
                .decide(&a_scope(), &endpoint)
                .unwrap()
                .secrets
        };
        let secrets = rotate(60);
        let valid = |seconds| secrets.valid_at(at.later(Duration::from_secs(seconds))).cloned().collect::<Vec<_>>();
        assert_eq!(valid(59), [SealedSecret::from_sealed("new"), before]);
        assert_eq!(valid(60), [SealedSecret::from_sealed("new")]);
        assert_eq!(rotate(0).previous, None);
    }
}
