//! Reads the log for an endpoint: new deliveries with their bodies.

use std::collections::HashMap;

use super::DeliveryEngine;
use crate::{
    event::{EventCursor, EventLimit, EventQuery, EventRecord},
    ids::{EventId, IdSequence},
    store::StoreError,
    tenancy::SystemScope,
    webhook::{Delivery, DeliveryKind, WebhookEndpoint},
};

/// A part of the log for one endpoint. It keeps the bodies of events instead of their states, which are larger.
///
/// ```
/// use patron_domain::{testkit::{a_webhook_endpoint, a_webhook_service}, webhook::*};
///
/// # futures::executor::block_on(async {
/// let engine = DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") };
/// let mut round: Round = engine.first_round(a_webhook_endpoint()).await.unwrap();
/// let after = round.endpoint.position.into();
/// let (_, page): (_, LogPage) = engine.read_ahead(&round.endpoint, after).await.unwrap();
/// # let _ = (engine.begin(&mut round), page);
/// # });
/// ```
pub struct LogPage {
    pub(super) fresh: Vec<Delivery>,
    pub(super) bodies: HashMap<EventId, Vec<u8>>,
    /// Every event before this place is in this page or is not selected by this endpoint.
    pub(super) reached: EventCursor,
    pub(super) has_more: bool,
}

impl LogPage {
    /// An empty page.
    pub(super) fn empty(reached: EventCursor) -> Self {
        Self { fresh: Vec::new(), bodies: HashMap::new(), reached, has_more: false }
    }
}

impl LogPage {
    /// The size of its bodies in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bodies.values().map(Vec::len).sum()
    }
}

impl DeliveryEngine {
    /// Reads the events after a place in the log that an endpoint selects.
    pub(super) async fn page(
        &self,
        endpoint: &WebhookEndpoint,
        after: EventCursor,
        limit: u16,
    ) -> Result<LogPage, StoreError> {
        let query = EventQuery {
            after,
            types: endpoint.event_types.types(),
            limit: EventLimit::new(limit).unwrap_or_default(),
            bytes: self.options.page,
            ..EventQuery::default()
        };
        let now = self.service.clock.now();
        let mut ids = self.service.ids.start(now);
        let (mut fresh, mut bodies) = (Vec::new(), HashMap::new());
        let sink = Box::new(|event: EventRecord| {
            fresh.push(Delivery::of(&event, endpoint.id, DeliveryKind::First, &mut ids as &mut IdSequence, now));
            if !event.withheld {
                bodies.insert(event.id, self.service.body.event(&event));
            }
        });
        let reached = self.service.events.read_each(&SystemScope::patron(), endpoint.owner, &query, sink).await?;
        Ok(LogPage { fresh, bodies, reached: reached.cursor, has_more: reached.has_more })
    }
}
