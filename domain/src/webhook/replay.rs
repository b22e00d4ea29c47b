//! Replays: delivering events to an endpoint again.

use super::{Delivery, DeliveryKind, MAX_REPLAY, WebhookEndpoint, WebhookError, WebhookService};
use crate::{
    event::{EventCursor, EventLimit, EventQuery, EventRecord},
    idempotency::{Done, IdempotentRequest},
    ids::{EventId, WebhookEndpointId},
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission, SystemScope},
    time::Timestamp,
};

/// The events to deliver again.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{testkit::a_time, webhook::Replay};
///
/// let (from, to) = (a_time(), a_time().later(Duration::from_secs(3_600)));
/// let the_hour_of_the_outage = Replay::between(from, to).unwrap();
/// assert_eq!(Replay::between(to, from), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// One event, even if the endpoint does not select its type.
    Event(EventId),
    /// The events of a period, both ends included, of the types that the endpoint selects.
    Between(Timestamp, Timestamp),
    /// All failed deliveries.
    Failed,
}

impl Replay {
    /// The events of a period; `None` when it ends before it begins.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from <= to).then_some(Self::Between(from, to))
    }
}

impl WebhookService {
    /// Delivers events to an endpoint again, and returns their number. The deliveries start within seconds.
    ///
    /// # Errors
    /// When the caller is neither a `super_admin` nor a `webhook_admin`, the endpoint or event is unknown, there are
    /// too many events, too many events were replayed to the endpoint lately, or the store fails.
    pub async fn replay(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        what: Replay,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<u64>, WebhookError> {
        let scope = caller.authorise(Permission::AdministerWebhooks)?;
        let now = self.clock.now();
        self.replays.admit(id, now).map_err(|wait| WebhookError::TooManyReplays { wait })?;
        let done = self.replay_in(scope, id, what, request).await?;
        if !done.replayed && !scope.origin.is_dry_run() {
            self.replays.count(id, done.value, now);
        }
        Ok(done)
    }

    /// The same for the command line, with an endpoint of any environment.
    ///
    /// # Errors
    /// When the endpoint or event is unknown, there are too many events, or the store fails.
    pub async fn replay_any(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
        what: Replay,
    ) -> Result<u64, WebhookError> {
        let found = self.webhooks.find_any_endpoint(scope, id).await?.ok_or(WebhookError::UnknownEndpoint)?;
        let scope = EnvironmentScope::new(found.owner, scope.actor.clone());
        Ok(self.replay_in(&scope, id, what, None).await?.value)
    }

    async fn replay_in(
        &self,
        scope: &EnvironmentScope,
        id: WebhookEndpointId,
        what: Replay,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<u64>, WebhookError> {
        let now = self.clock.now();
        let claim = self.claim(scope, request, now);
        if let Some(count) = self.before(scope, claim.as_ref()).await? {
            return Ok(Done::before(count));
        }
        let endpoint = self.find(scope, id).await?;
        let mut ids = scope.origin.ids(&*self.ids, now);
        let events = match what {
            Replay::Failed => {
                // MAX_REPLAY fits into 32 bits.
                let limit = u32::try_from(MAX_REPLAY).unwrap_or(u32::MAX);
                return Ok(self.webhooks.retry_failed(scope, id, now, limit, claim).await?);
            }
            Replay::Event(event) => vec![self.events.find(scope, event).await?.ok_or(WebhookError::UnknownEvent)?],
            Replay::Between(from, until) => self.between(scope, &endpoint, from, until).await?,
        };
        let deliveries: Vec<_> =
            events.iter().map(|event| Delivery::of(event, id, DeliveryKind::Replay, &mut ids, now)).collect();
        if deliveries.is_empty() && claim.is_none() {
            return Ok(Done::now(0));
        }
        Ok(self.webhooks.add_deliveries(scope, deliveries, now, claim).await?)
    }

    async fn between(
        &self,
        scope: &EnvironmentScope,
        endpoint: &WebhookEndpoint,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<EventRecord>, WebhookError> {
        let mut query = EventQuery {
            after: EventCursor::START,
            types: endpoint.event_types.types(),
            from: Some(from),
            until: Some(until),
            limit: EventLimit::new(EventLimit::MAX).unwrap_or_default(),
            ..EventQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let page = self.events.read(scope, &query).await.map_err(StoreError::from)?;
            // The events' states are not needed here, and would take too much memory.
            found.extend(page.events.into_iter().map(|event| EventRecord { state: None, ..event }));
            if found.len() > MAX_REPLAY {
                return Err(WebhookError::TooManyEvents);
            }
            if !page.has_more {
                return Ok(found);
            }
            query.after = page.reached;
        }
    }
}
