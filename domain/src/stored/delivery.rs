//! Deliveries to webhook endpoints, with their last attempt.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{Int, Text, V1, int_unless, text_unless, word_texts},
    write,
};
use crate::{
    event::EventPosition,
    ids::{EventId, WebhookDeliveryId, WebhookEndpointId},
    lifecycle::Owner,
    time::Timestamp,
    webhook::{Attempt, Delivery, DeliveryKind, DeliveryState, DeliveryStatus, SendFailure},
};

word_texts!(DeliveryKind, DeliveryStatus, SendFailure);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, WebhookDeliveryId>,
    endpoint_id: Text<'a, WebhookEndpointId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Text<'a, DeliveryKind>>,
    event_id: Text<'a, EventId>,
    event_type: Cow<'a, str>,
    entity_id: Cow<'a, str>,
    position: Int<EventPosition>,
    status: Text<'a, DeliveryStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt: Option<AttemptForm<'a>>,
    created_at: Int<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttemptForm<'a> {
    at: Int<Timestamp>,
    took_micros: u64,
    /// Either this or the next member is present.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Text<'a, SendFailure>>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    answer: Cow<'a, str>,
}

impl<'a> AttemptForm<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        Self {
            at: Int(attempt.at),
            // An attempt takes seconds, so this fits.
            took_micros: u64::try_from(attempt.took.as_micros()).unwrap_or(u64::MAX),
            status: attempt.outcome.ok(),
            failure: attempt.outcome.err().map(Text::from),
            answer: Cow::Borrowed(&attempt.answer),
        }
    }

    fn take(self) -> Result<Attempt, &'static str> {
        let outcome = match (self.status, self.failure) {
            (Some(status), None) => Ok(status),
            (None, Some(failure)) => Err(failure.take()),
            _ => return Err("last_attempt"),
        };
        let took = Duration::from_micros(self.took_micros);
        Ok(Attempt { at: self.at.0, took, outcome, answer: self.answer.into_owned(), retry_after: None })
    }
}

impl<'a> DeliveryForm<'a> {
    fn of(delivery: &'a Delivery) -> Self {
        let next_attempt_at = match delivery.state {
            DeliveryState::Waiting { next_attempt_at } => next_attempt_at,
            DeliveryState::Delivered | DeliveryState::Failed => None,
        };
        Self {
            v: V1,
            id: Text::of(&delivery.id),
            endpoint_id: Text::of(&delivery.endpoint_id),
            kind: text_unless(&DeliveryKind::First, &delivery.kind),
            event_id: Text::of(&delivery.event_id),
            event_type: Cow::Borrowed(&delivery.event_type),
            entity_id: Cow::Borrowed(&delivery.entity_id),
            position: Int(delivery.position),
            status: Text::from(delivery.state.status()),
            next_attempt_at: next_attempt_at.map(Int),
            attempts: (delivery.attempts > 0).then_some(delivery.attempts),
            last_attempt: delivery.last.as_ref().map(AttemptForm::of),
            created_at: Int(delivery.created_at),
            updated_at: int_unless(delivery.created_at, delivery.updated_at),
        }
    }

    fn take(self, owner: Owner) -> Result<Delivery, &'static str> {
        let state = match (self.status.take(), self.next_attempt_at) {
            (DeliveryStatus::Waiting, next) => DeliveryState::Waiting { next_attempt_at: next.map(|next| next.0) },
            (DeliveryStatus::Delivered, None) => DeliveryState::Delivered,
            (DeliveryStatus::Failed, None) => DeliveryState::Failed,
            (DeliveryStatus::Delivered | DeliveryStatus::Failed, Some(_)) => return Err("next_attempt_at"),
        };
        Ok(Delivery {
            id: self.id.take(),
            owner,
            endpoint_id: self.endpoint_id.take(),
            kind: Text::take_any(self.kind).unwrap_or(DeliveryKind::First),
            event_id: self.event_id.take(),
            event_type: self.event_type.into_owned(),
            entity_id: self.entity_id.into_owned(),
            position: self.position.0,
            state,
            attempts: self.attempts.unwrap_or_default(),
            last: self.last_attempt.map(AttemptForm::take).transpose()?,
            created_at: self.created_at.0,
            updated_at: self.updated_at.map_or(self.created_at.0, |at| at.0),
        })
    }
}

impl Stored for Delivery {
    const NAME: &'static str = "webhook_delivery";

    fn to_document(&self) -> String {
        write(&DeliveryForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: DeliveryForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner))
    }
}
