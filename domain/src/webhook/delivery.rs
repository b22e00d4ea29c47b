//! The delivery of one event to one endpoint: its attempts and their results.

use std::time::Duration;

use super::retry::{MAX_RETRY_AFTER, Retries};
use crate::{
    event::{EventPosition, EventRecord},
    ids::{EventId, IdSequence, WebhookDeliveryId, WebhookEndpointId},
    lifecycle::Owner,
    time::Timestamp,
    words::words,
};

/// The delivery of an event to an endpoint, with the result of its last attempt.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{testkit::{a_delivery, a_time}, webhook::{Attempt, DeliveryState, Retries}};
///
/// let attempt = Attempt { at: a_time(), took: Duration::from_millis(80), outcome: Ok(204), answer: String::new(), retry_after: None };
/// let delivery = a_delivery(1).after(attempt, &Retries::default(), 0);
/// assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The id.
    pub id: WebhookDeliveryId,
    /// The endpoint's environment.
    pub owner: Owner,
    /// The endpoint.
    pub endpoint_id: WebhookEndpointId,
    /// The reason for the delivery.
    pub kind: DeliveryKind,
    /// The event.
    pub event_id: EventId,
    /// The event's type.
    pub event_type: String,
    /// The subject of the event: the id of a customer or tax rate. First deliveries of one subject keep their order.
    pub entity_id: String,
    /// The event's position in the log.
    pub position: EventPosition,
    /// The state.
    pub state: DeliveryState,
    /// The number of attempts made.
    pub attempts: u32,
    /// The last attempt.
    pub last: Option<Attempt>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The reason for a delivery.
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
    /// A replay was requested. Replays wait for no other delivery, and none waits for them.
    Replay,
    /// A test of the endpoint was requested.
    Test,
}

words!(DeliveryKind, "first, replay, test", First => "first", Replay => "replay", Test => "test");

/// The state of a delivery.
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
    /// It waits for its next attempt. Without a time, it waits until an earlier delivery of the same subject is
    /// delivered or has failed.
    Waiting {
        /// The time of the next attempt.
        next_attempt_at: Option<Timestamp>,
    },
    /// The endpoint accepted it.
    Delivered,
    /// All attempts failed. It blocks no other delivery, and can be replayed.
    Failed,
}

/// The status of a delivery, without details.
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
    /// The status without details.
    #[must_use]
    pub fn status(self) -> DeliveryStatus {
        match self {
            Self::Waiting { .. } => DeliveryStatus::Waiting,
            Self::Delivered => DeliveryStatus::Delivered,
            Self::Failed => DeliveryStatus::Failed,
        }
    }
}

/// The result of one attempt.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{testkit::a_time, webhook::Attempt};
///
/// let answer = "no longer here".to_owned();
/// let attempt = Attempt { at: a_time(), took: Duration::from_millis(80), outcome: Ok(410), answer, retry_after: None };
/// assert!(attempt.is_gone() && !attempt.is_success());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The start time.
    pub at: Timestamp,
    /// The duration.
    pub took: Duration,
    /// The HTTP status, or the reason why there is none.
    pub outcome: Result<u16, SendFailure>,
    /// The beginning of the endpoint's response as text, for its owner.
    pub answer: String,
    /// How long the endpoint asked to wait (`Retry-After`, RFC 9110, section 10.2.3). It is not stored.
    pub retry_after: Option<Duration>,
}

/// Why there was no response.
///
/// ```
/// use patron_domain::webhook::SendFailure;
///
/// assert_eq!(SendFailure::AddressRefused.as_str(), "address_refused");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SendFailure {
    /// The host has no address that this server may call: see [`super::CallPolicy`].
    AddressRefused,
    /// The host's name has no address.
    UnknownHost,
    /// The connection was refused or broke, or TLS failed.
    Connection,
    /// It took too long.
    Timeout,
    /// The event was removed from the log or erased.
    EventGone,
    /// The event's customer is suppressed. The delivery waits until it is visible again or erased.
    Withheld,
    /// The server could not make the request.
    Internal,
}

words!(
    SendFailure, "address_refused, unknown_host, connection, timeout, event_gone, withheld, internal",
    AddressRefused => "address_refused", UnknownHost => "unknown_host", Connection => "connection",
    Timeout => "timeout", EventGone => "event_gone", Withheld => "withheld", Internal => "internal",
);

impl SendFailure {
    /// The failure that callers see: an unknown host looks like a refused one. Otherwise any client that can create an
    /// endpoint could find out which names exist in the server's own network.
    ///
    /// ```
    /// use patron_domain::webhook::SendFailure;
    ///
    /// assert_eq!(SendFailure::UnknownHost.shown(), SendFailure::AddressRefused);
    /// assert_eq!(SendFailure::Timeout.shown(), SendFailure::Timeout);
    /// ```
    #[must_use]
    pub const fn shown(self) -> Self {
        if matches!(self, Self::UnknownHost) { Self::AddressRefused } else { self }
    }

    /// The failure and a possible remedy, for people.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::AddressRefused => {
                "this server does not call the address: the host is unknown or private, or the URL is plain http"
            }
            Self::UnknownHost => "the host's name has no address",
            Self::Connection => "the connection was refused or broke, or TLS failed",
            Self::Timeout => "the response took too long",
            Self::EventGone => "the event is no longer in the log",
            Self::Withheld => "the customer is suppressed, because its deletion was requested",
            Self::Internal => "the call could not be made",
        }
    }
}

impl Attempt {
    /// Whether the endpoint accepted the delivery: any status from 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self.outcome, Ok(200..=299))
    }

    /// The time before which the endpoint wants no request, at most [`MAX_RETRY_AFTER`] after the attempt. Only responses
    /// with the status 429 or 503 count.
    ///
    /// ```
    /// use std::time::Duration;
    /// use patron_domain::{testkit::a_time, webhook::Attempt};
    ///
    /// let (took, minute) = (Duration::ZERO, Duration::from_secs(60));
    /// let busy = Attempt { at: a_time(), took, outcome: Ok(503), answer: String::new(), retry_after: Some(minute) };
    /// assert_eq!(busy.not_before(), Some(a_time().later(minute)));
    /// ```
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        let wait = self.retry_after.filter(|_| matches!(self.outcome, Ok(429 | 503)))?;
        Some(self.at.later(self.took).later(wait.min(MAX_RETRY_AFTER)))
    }

    /// Whether the endpoint wants no more deliveries: 410 Gone, as Standard Webhooks defines it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.outcome == Ok(410)
    }
}

/// The wait of a withheld delivery, unless something makes it due before.
const WITHHELD: Duration = Duration::from_secs(300);

impl Delivery {
    /// A new delivery of an event of the log to an endpoint, before any attempt. A replay is due immediately.
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

    /// The delivery after one more attempt: delivered, waiting for the next one, or failed. Pure.
    #[must_use]
    pub fn after(mut self, attempt: Attempt, retries: &Retries, jitter: u16) -> Self {
        let ended = attempt.at.later(attempt.took);
        if attempt.outcome == Err(SendFailure::Withheld) {
            // Nothing was sent.
            self.state = DeliveryState::Waiting { next_attempt_at: Some(ended.later(WITHHELD)) };
            return self;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.state = match retries.delay(self.attempts, jitter) {
            _ if attempt.is_success() => DeliveryState::Delivered,
            Some(delay) if attempt.outcome != Err(SendFailure::EventGone) => {
                let planned = ended.later(delay);
                DeliveryState::Waiting {
                    next_attempt_at: Some(attempt.not_before().map_or(planned, |at| at.max(planned))),
                }
            }
            _ => DeliveryState::Failed,
        };
        self.updated_at = ended;
        self.last = Some(Attempt { retry_after: None, ..attempt });
        self
    }

    /// Whether the next attempt is due.
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
        Attempt { at: a_time(), took: Duration::from_secs(1), outcome, answer: String::new(), retry_after: None }
    }

    #[test]
    fn only_2xx_is_a_success() {
        for (status, taken) in
            [(199, false), (200, true), (204, true), (299, true), (302, false), (404, false), (500, false)]
        {
            assert_eq!(attempt(Ok(status)).is_success(), taken, "{status}");
        }
        let delivered = a_delivery(1).after(attempt(Ok(204)), &Retries::default(), 0);
        assert_eq!((delivered.state, delivered.attempts), (DeliveryState::Delivered, 1));
    }

    #[test]
    fn the_waits_grow_and_the_delivery_fails_in_the_end() {
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
    fn a_wish_to_wait_can_delay_the_next_attempt_but_not_hasten_it() {
        let wait = |retry_after| {
            let asked = Attempt { retry_after: Some(Duration::from_secs(retry_after)), ..attempt(Ok(429)) };
            let delivery = a_delivery(1).after(asked, &Retries::default(), u16::MAX / 2);
            assert_eq!(delivery.last.map(|last| last.retry_after), Some(None));
            match delivery.state {
                DeliveryState::Waiting { next_attempt_at: Some(at) } => (at.micros() - a_time().micros()) / 1_000_000,
                other => panic!("{other:?}"),
            }
        };
        // The attempt took a second.
        assert_eq!([0, 60, 86_400].map(wait), [5, 61, 3_601]);
    }

    #[test]
    fn a_removed_event_is_not_retried() {
        let failed = a_delivery(1).after(attempt(Err(SendFailure::EventGone)), &Retries::default(), 7);
        assert_eq!(failed.state, DeliveryState::Failed);
    }
}
