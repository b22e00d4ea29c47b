//! The positions of endpoints in the log, for the retention of events.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use patron_domain::{
    event::{EventPosition, EventReaders},
    lifecycle::Owner,
    page::PageRequest,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
    webhook::{Delivery, WebhookEndpoint, WebhookRepository},
};

/// The endpoints of each environment as readers of its log. They still need the events after their position, and those
/// of waiting deliveries, whose events are read again. Disabled endpoints retain nothing, because an abandoned one
/// would retain the log for ever.
pub struct EndpointReaders(pub Arc<dyn WebhookRepository>);

/// Longer than every wait for an attempt, which is three days at most.
const EVER: Duration = Duration::from_secs(1_000 * 365 * 24 * 3_600);

#[async_trait]
impl EventReaders for EndpointReaders {
    async fn furthest_behind(&self, scope: &SystemScope, owner: Owner) -> Result<Option<EventPosition>, StoreError> {
        let scope = EnvironmentScope::new(owner, scope.actor.clone());
        // Read completely, because an environment has few.
        let endpoints = self.0.endpoints(&scope, PageRequest::whole()).await?.items;
        let mut behind = None;
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.disabled.is_none()) {
            let place = self.place(&scope, endpoint).await?;
            behind = Some(behind.map_or(place, |other: EventPosition| other.min(place)));
        }
        Ok(behind)
    }
}

impl EndpointReaders {
    /// The position up to which an endpoint no longer needs events.
    async fn place(&self, scope: &EnvironmentScope, endpoint: &WebhookEndpoint) -> Result<EventPosition, StoreError> {
        // One of each kind is enough, because they come in the order of the log.
        let waiting = self.0.waiting(scope, endpoint.id, Timestamp::UNIX_EPOCH.later(EVER), 1, 1).await?;
        let before =
            |delivery: &Delivery| EventPosition::from_stored(delivery.position.stored() - 1).unwrap_or_default();
        Ok(waiting.iter().map(before).fold(endpoint.position, EventPosition::min))
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        page::Page,
        testkit::{a_scope, a_time, a_webhook_endpoint},
        webhook::{Disabled, DisabledReason, MockWebhookRepository},
    };

    use super::*;

    #[tokio::test]
    async fn the_enabled_endpoint_that_is_furthest_behind_counts() {
        let disabled = Some(Disabled { reason: DisabledReason::Request, at: a_time() });
        let place = |number| EventPosition::from_stored(number).unwrap();
        let at = |number, disabled| WebhookEndpoint { position: place(number), disabled, ..a_webhook_endpoint() };
        for (endpoints, wanted) in [
            (vec![], None),
            (vec![at(1, disabled)], None),
            (vec![at(9, None), at(7, None), at(1, disabled)], EventPosition::from_stored(7)),
        ] {
            let mut webhooks = MockWebhookRepository::new();
            let items = endpoints.clone();
            webhooks.expect_endpoints().return_once(|_, _| Ok(Page { total: items.len() as u64, items }));
            webhooks.expect_waiting().returning(|_, _, _, _, _| Ok(Vec::new()));
            let readers = EndpointReaders(Arc::new(webhooks));
            assert_eq!(readers.furthest_behind(&SystemScope::patron(), a_scope().owner).await, Ok(wanted));
        }
    }
}
