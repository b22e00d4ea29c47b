//! What is read of the log for an endpoint: fresh deliveries with their bodies.

use std::collections::HashMap;

use patron_domain::{
    event::{EventLimit, EventPosition, EventQuery, EventRecord},
    ids::{EventId, IdSequence},
    store::StoreError,
    tenancy::SystemScope,
    webhook::{Delivery, DeliveryKind, WebhookEndpoint},
};

use super::Relay;

/// A part of the log.
pub(super) struct Page {
    pub(super) fresh: Vec<Delivery>,
    /// The states of events are larger than what is told of them, so no more than that is kept.
    pub(super) bodies: HashMap<EventId, Vec<u8>>,
    /// Nothing up to here is left out.
    pub(super) reached: EventPosition,
    pub(super) has_more: bool,
}

impl Page {
    /// What was read when nothing was.
    pub(super) fn nothing(reached: EventPosition) -> Self {
        Self { fresh: Vec::new(), bodies: HashMap::new(), reached, has_more: false }
    }
}

impl Relay {
    /// Reads on behind a position.
    pub(super) async fn page(
        &self,
        endpoint: &WebhookEndpoint,
        after: EventPosition,
        limit: u16,
    ) -> Result<Page, StoreError> {
        let query = EventQuery {
            after,
            types: endpoint.event_types.types(),
            limit: EventLimit::new(limit).unwrap_or_default(),
            ..EventQuery::default()
        };
        let now = self.service.clock.now();
        let mut ids = self.service.ids.start(now);
        let (mut fresh, mut bodies) = (Vec::new(), HashMap::new());
        let sink = Box::new(|event: EventRecord| {
            fresh.push(Delivery::of(&event, endpoint.id, DeliveryKind::First, &mut ids as &mut IdSequence, now));
            bodies.insert(event.id, self.service.body.event(&event));
        });
        let scope = SystemScope::patron();
        let reached = self.service.events.read_each(&scope, endpoint.owner, &query, sink).await?;
        Ok(Page { fresh, bodies, reached: reached.position, has_more: reached.has_more })
    }
}
