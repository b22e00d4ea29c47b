//! Delivering once more what an endpoint was, or was not, told before.

use super::{Delivery, DeliveryKind, MAX_REPLAY, WebhookEndpoint, WebhookError, WebhookService};
use crate::{
    event::{EventLimit, EventPosition, EventQuery, EventRecord},
    idempotency::{Done, IdempotentRequest},
    ids::{EventId, WebhookEndpointId},
    tenancy::{Caller, EnvironmentScope, Permission, SystemScope},
    time::Timestamp,
};

/// What is to be delivered once more.
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
    /// One event, whatever types the endpoint wants.
    Event(EventId),
    /// The events of a time, both ends included, of the types that the endpoint wants.
    Between(Timestamp, Timestamp),
    /// Everything that failed for good.
    Failed,
}

impl Replay {
    /// The events of a time; `None` when it ends before it begins.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from <= to).then_some(Self::Between(from, to))
    }
}

impl WebhookService {
    /// Has events delivered to an endpoint once more, and answers how many. They are on their way within seconds.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, endpoint or event are unknown, there are too many, or the store fails.
    pub async fn replay(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
        what: Replay,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<u64>, WebhookError> {
        self.replay_in(caller.authorise(Permission::Administer)?, id, what, request).await
    }

    /// The same for the command line, which finds the endpoint in whatever environment it is.
    ///
    /// # Errors
    /// When endpoint or event are unknown, there are too many, or the store fails.
    pub async fn replay_any(
        &self,
        scope: &SystemScope,
        id: WebhookEndpointId,
        what: Replay,
    ) -> Result<u64, WebhookError> {
        let found = self.webhooks.find_any_endpoint(scope, id).await?.ok_or(WebhookError::UnknownEndpoint)?;
        let scope = EnvironmentScope { owner: found.owner, actor: scope.actor.clone() };
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
        let mut ids = self.ids.start(now);
        let events = match what {
            Replay::Failed => {
                // No platform of ours counts MAX_REPLAY beyond 32 bits.
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
            after: EventPosition::START,
            types: endpoint.event_types.types(),
            from: Some(from),
            until: Some(until),
            limit: EventLimit::new(EventLimit::MAX).unwrap_or_default(),
            ..EventQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let page = self.events.read(scope, &query).await?;
            // The frozen states are not needed here, and would fill the memory.
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
