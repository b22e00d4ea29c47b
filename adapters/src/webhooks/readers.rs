//! Where endpoints stand in the log, for whoever removes old events.

use std::sync::Arc;

use async_trait::async_trait;
use patron_domain::{
    event::{EventPosition, EventReaders},
    lifecycle::Owner,
    store::{PageRequest, StoreError},
    tenancy::{EnvironmentScope, SystemScope},
    webhook::WebhookRepository,
};

/// The endpoints of each environment as readers of its log. Those that are disabled hold nothing back: an endpoint that
/// nobody looks after would keep the log for ever.
pub struct EndpointReaders(pub Arc<dyn WebhookRepository>);

#[async_trait]
impl EventReaders for EndpointReaders {
    async fn furthest_behind(&self, scope: &SystemScope, owner: Owner) -> Result<Option<EventPosition>, StoreError> {
        let scope = EnvironmentScope { owner, actor: scope.actor.clone() };
        // All of them: there are few in an environment.
        let endpoints = self.0.endpoints(&scope, PageRequest::whole()).await?.items;
        let enabled = endpoints.iter().filter(|endpoint| endpoint.disabled.is_none());
        Ok(enabled.map(|endpoint| endpoint.position).min())
    }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        store::Page,
        testkit::{a_scope, a_time, a_webhook_endpoint},
        webhook::{Disabled, DisabledReason, MockWebhookRepository, WebhookEndpoint},
    };

    use super::*;

    #[tokio::test]
    async fn the_enabled_one_that_is_furthest_behind_counts() {
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
            let readers = EndpointReaders(Arc::new(webhooks));
            assert_eq!(readers.furthest_behind(&SystemScope::patron(), a_scope().owner).await, Ok(wanted));
        }
    }
}
