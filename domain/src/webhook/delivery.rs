//! One event on its way to one endpoint: attempts, and what they lead to.

use std::time::Duration;

use super::retry::Retries;
use crate::{
    event::{EventPosition, EventRecord},
    ids::{EventId, IdSequence, WebhookDeliveryId, WebhookEndpointId},
    lifecycle::Owner,
    time::Timestamp,
    words::words,
};

/// An event's delivery to an endpoint, with what its last attempt led to.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{testkit::{a_delivery, a_time}, webhook::{Attempt, DeliveryState, Retries}};
///
/// let attempt = Attempt { at: a_time(), took: Duration::from_millis(80), outcome: Ok(204), answer: String::new() };
/// let delivery = a_delivery(1).after(attempt, &Retries::default(), 0);
/// assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// The endpoint's environment.
    pub owner: Owner,
    /// The endpoint.
    pub endpoint_id: WebhookEndpointId,
    /// Why it is made.
    pub kind: DeliveryKind,
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// The thing it is about: the id of a customer or a tax rate. First deliveries of one thing keep their order.
    pub entity_id: String,
    /// Where the event stands in the log.
    pub position: EventPosition,
    /// How far it is.
    pub state: DeliveryState,
    /// How many attempts were made.
    pub attempts: u32,
    /// The last attempt.
    pub last: Option<Attempt>,
    /// Since when it is known.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Why a delivery is made.
///
/// ```
/// use patron_domain::webhook::DeliveryKind;
///
/// assert_eq!(DeliveryKind::parse("replay"), Ok(DeliveryKind::Replay));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryKind {
    /// The event happened.
    First,
    /// Somebody asked for it again. Replays wait for nothing, and nothing waits for them.
    Replay,
    /// Somebody tried the endpoint out.
    Test,
}

words!(DeliveryKind, "first, replay, test", First => "first", Replay => "replay", Test => "test");

/// How far a delivery is.
///
/// ```
/// use patron_domain::{testkit::{a_delivery, a_time}, webhook::{Delivery, DeliveryState}};
///
/// let state = DeliveryState::Waiting { next_attempt_at: Some(a_time()) };
/// assert!(Delivery { state, ..a_delivery(1) }.is_due(a_time()));
/// assert_eq!(state.status().as_str(), "waiting");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its next attempt; without a time, until an earlier delivery of the same thing is through or failed.
    Waiting {
        /// When the next attempt is made.
        next_attempt_at: Option<Timestamp>,
    },
    /// The endpoint took it.
    Delivered,
    /// It was refused to the end. It holds nothing up any more, and can be replayed.
    Failed,
}

/// The word for how far a delivery is.
///
/// ```
/// use patron_domain::webhook::DeliveryStatus;
///
/// assert_eq!(DeliveryStatus::parse("failed"), Ok(DeliveryStatus::Failed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryStatus {
    /// See [`DeliveryState::Waiting`].
    Waiting,
    /// See [`DeliveryState::Delivered`].
    Delivered,
    /// See [`DeliveryState::Failed`].
    Failed,
}

words!(
    DeliveryStatus, "waiting, delivered, failed",
    Waiting => "waiting", Delivered => "delivered", Failed => "failed",
);

impl DeliveryState {
    /// The word for it.
    #[must_use]
    pub fn status(self) -> DeliveryStatus {
        match self {
            Self::Waiting { .. } => DeliveryStatus::Waiting,
            Self::Delivered => DeliveryStatus::Delivered,
            Self::Failed => DeliveryStatus::Failed,
        }
    }
}

/// One attempt, made.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{testkit::a_time, webhook::Attempt};
///
/// let answer = "no longer here".to_owned();
/// let attempt = Attempt { at: a_time(), took: Duration::from_millis(80), outcome: Ok(410), answer };
/// assert!(attempt.is_gone() && !attempt.is_success());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Result<u16, SendFailure>,
    /// The beginning of what the endpoint answered, as text, for its owner to read.
    pub answer: String,
}

/// Why there was no answer.
///
/// ```
/// use patron_domain::webhook::SendFailure;
///
/// assert_eq!(SendFailure::AddressRefused.as_str(), "address_refused");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SendFailure {
    /// The host has no address that this server calls: see [`super::CallPolicy`].
    AddressRefused,
    /// The host's name has no address at all.
    UnknownHost,
    /// Nobody took the connection, or it broke, or TLS could not be agreed on.
    Connection,
    /// It took too long.
    Timeout,
    /// The event is gone from the log, or was erased.
    EventGone,
    /// The server could not make the request.
    Internal,
}

words!(
    SendFailure, "address_refused, unknown_host, connection, timeout, event_gone, internal",
    AddressRefused => "address_refused", UnknownHost => "unknown_host", Connection => "connection",
    Timeout => "timeout", EventGone => "event_gone", Internal => "internal",
);

impl SendFailure {
    /// What happened, and what helps, for a person.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::AddressRefused => {
                "this server does not call the address: it is private (PATRON_WEBHOOKS_ALLOW_PRIVATE) or plain http \
                 (PATRON_WEBHOOKS_ALLOW_HTTP)"
            }
            Self::UnknownHost => "the host's name has no address",
            Self::Connection => "there was no connection, or it broke, or TLS could not be agreed on",
            Self::Timeout => "the answer took too long",
            Self::EventGone => "the event is not in the log any more",
            Self::Internal => "the call could not be made",
        }
    }
}

impl Attempt {
    /// Whether the endpoint took it: any status from 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self.outcome, Ok(200..=299))
    }

    /// Whether the endpoint wants nothing more, ever (410 Gone, as Standard Webhooks has it).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.outcome == Ok(410)
    }
}

impl Delivery {
    /// The delivery of an event of the log to an endpoint, of which nothing was attempted. A replay is due at once.
    #[must_use]
    pub fn of(
        event: &EventRecord,
        endpoint_id: WebhookEndpointId,
        kind: DeliveryKind,
        ids: &mut IdSequence,
        now: Timestamp,
    ) -> Self {
        let next_attempt_at = (kind == DeliveryKind::Replay).then_some(now);
        Self {
            id: ids.next_id(),
            owner: event.owner,
            endpoint_id,
            kind,
            event_id: event.id,
            event_type: event.kind.event_type().as_str().to_owned(),
            entity_id: event.entity.id(),
            position: event.position,
            state: DeliveryState::Waiting { next_attempt_at },
            attempts: 0,
            last: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The delivery after one more attempt: delivered, waiting for the next one, or failed for good. Pure.
    #[must_use]
    pub fn after(mut self, attempt: Attempt, retries: &Retries, jitter: u16) -> Self {
        let ended = attempt.at.later(attempt.took);
        self.attempts = self.attempts.saturating_add(1);
        self.state = match retries.delay(self.attempts, jitter) {
            _ if attempt.is_success() => DeliveryState::Delivered,
            Some(delay) if attempt.outcome != Err(SendFailure::EventGone) => {
                DeliveryState::Waiting { next_attempt_at: Some(ended.later(delay)) }
            }
            _ => DeliveryState::Failed,
        };
        self.updated_at = ended;
        self.last = Some(attempt);
        self
    }

    /// Whether its next attempt is due.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        matches!(self.state, DeliveryState::Waiting { next_attempt_at: Some(at) } if at <= now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Attempt, DeliveryState, SendFailure};
    use crate::{
        testkit::{a_delivery, a_time},
        webhook::Retries,
    };

    fn attempt(outcome: Result<u16, SendFailure>) -> Attempt {
        Attempt { at: a_time(), took: Duration::from_secs(1), outcome, answer: String::new() }
    }

    #[test]
    fn success_is_any_2xx_and_nothing_else() {
        for (status, taken) in
            [(199, false), (200, true), (204, true), (299, true), (302, false), (404, false), (500, false)]
        {
            assert_eq!(attempt(Ok(status)).is_success(), taken, "{status}");
        }
        let delivered = a_delivery(1).after(attempt(Ok(204)), &Retries::default(), 0);
        assert_eq!((delivered.state, delivered.attempts), (DeliveryState::Delivered, 1));
    }

    #[test]
    fn a_failure_waits_longer_each_time_and_fails_in_the_end() {
        let mut delivery = a_delivery(1);
        let mut last = None;
        for number in 1..Retries::ATTEMPTS {
            delivery = delivery.after(attempt(Ok(500)), &Retries::default(), 7);
            let DeliveryState::Waiting { next_attempt_at } = delivery.state else { panic!("after attempt {number}") };
            assert!(next_attempt_at >= last, "after attempt {number}");
            last = next_attempt_at;
        }
        let failed = delivery.after(attempt(Err(SendFailure::Timeout)), &Retries::default(), 7);
        assert_eq!((failed.state, failed.attempts), (DeliveryState::Failed, Retries::ATTEMPTS));
    }

    #[test]
    fn an_event_that_is_gone_is_not_tried_again() {
        let failed = a_delivery(1).after(attempt(Err(SendFailure::EventGone)), &Retries::default(), 7);
        assert_eq!(failed.state, DeliveryState::Failed);
    }
}
