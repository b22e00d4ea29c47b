//! Webhook endpoints, with their sealed secrets.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{Int, Text, V1, audit_of, int_unless, text_unless, word_texts},
    write,
};
use crate::{
    event::EventPosition,
    ids::WebhookEndpointId,
    lifecycle::Owner,
    tenancy::Actor,
    time::Timestamp,
    webhook::{
        Disabled, DisabledReason, EndpointDescription, EndpointSecrets, EndpointUrl, EventFilter, Health, SealedSecret,
        WebhookEndpoint,
    },
};

word_texts!(DisabledReason);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, WebhookEndpointId>,
    url: Text<'a, EndpointUrl>,
    /// Absent for all types.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    event_types: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a, EndpointDescription>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<Text<'a, DisabledReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<Int<Timestamp>>,
    /// Absent if the endpoint is stored without its secrets.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    secret: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    previous_secret: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_until: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_rounds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<Int<Timestamp>>,
    position: Int<EventPosition>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl<'a> EndpointForm<'a> {
    fn of(endpoint: &'a WebhookEndpoint) -> Self {
        let WebhookEndpoint {
            id,
            owner: _,
            url,
            event_types,
            description,
            disabled,
            secrets: EndpointSecrets { current, previous },
            health: Health { failing_since, failed_rounds, paused_until },
            position,
            audit,
        } = endpoint;
        let all = *event_types == EventFilter::all();
        Self {
            v: V1,
            id: Text::of(id),
            url: Text::of(url),
            event_types: if all { Cow::default() } else { Cow::Borrowed(event_types.as_slice()) },
            description: Text::of_any(description.as_ref()),
            disabled_reason: disabled.map(|disabled| Text::from(disabled.reason)),
            disabled_at: disabled.map(|disabled| Int(disabled.at)),
            secret: Cow::Borrowed(current.as_sealed()),
            previous_secret: previous.as_ref().map(|(secret, _)| secret.as_sealed()).unwrap_or_default().into(),
            previous_until: previous.as_ref().map(|(_, until)| Int(*until)),
            failing_since: failing_since.map(Int),
            failed_rounds: (*failed_rounds > 0).then_some(*failed_rounds),
            paused_until: paused_until.map(Int),
            position: Int(*position),
            created_at: Int(audit.created_at),
            created_by: Text::of(&audit.created_by),
            updated_at: int_unless(audit.created_at, audit.updated_at),
            updated_by: text_unless(&audit.created_by, &audit.updated_by),
        }
    }

    fn take(self, owner: Owner) -> Result<WebhookEndpoint, &'static str> {
        let disabled = match (self.disabled_reason, self.disabled_at) {
            (Some(reason), Some(at)) => Some(Disabled { reason: reason.take(), at: at.0 }),
            (None, None) => None,
            _ => return Err("disabled_at"),
        };
        let sealed = |text: Cow<'_, str>| SealedSecret::from_sealed(text.into_owned());
        let previous = self.previous_until.map(|until| until.0);
        Ok(WebhookEndpoint {
            id: self.id.take(),
            owner,
            url: self.url.take(),
            event_types: EventFilter::from_stored(self.event_types.into_owned()),
            description: Text::take_any(self.description),
            disabled,
            secrets: EndpointSecrets {
                current: sealed(self.secret),
                previous: previous.map(|until| (sealed(self.previous_secret), until)),
            },
            health: Health {
                failing_since: self.failing_since.map(|at| at.0),
                failed_rounds: self.failed_rounds.unwrap_or_default(),
                paused_until: self.paused_until.map(|at| at.0),
            },
            position: self.position.0,
            audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
        })
    }
}

impl Stored for WebhookEndpoint {
    const NAME: &'static str = "webhook_endpoint";

    fn to_document(&self) -> String {
        write(&EndpointForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: EndpointForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner))
    }
}
