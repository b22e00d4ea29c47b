//! Several rounds in one record.

use std::collections::HashMap;

use crate::{
    ids::WebhookDeliveryId,
    webhook::{Delivery, RoundRecord},
};

impl RoundRecord {
    /// This round and the next one as one record. If both contain a delivery, its later state is kept.
    ///
    /// ```
    /// use patron_domain::{event::{EventCursor, EventPosition}, testkit::*, webhook::{Health, RoundRecord}};
    ///
    /// let endpoint = a_webhook_endpoint();
    /// let round = |deliveries, position| RoundRecord {
    ///     owner: endpoint.owner,
    ///     endpoint_id: endpoint.id,
    ///     holder: "server 1".to_owned(),
    ///     fresh: deliveries,
    ///     changed: vec![],
    ///     position: EventCursor::unmarked(EventPosition::from_stored(position).unwrap()),
    ///     health: Health::default(),
    ///     disabled: None,
    ///     at: a_time(),
    ///     lease_until: None,
    /// };
    /// let both = round(vec![a_delivery(1)], 1).followed_by(round(vec![a_delivery(2)], 2));
    /// assert_eq!(both, round(vec![a_delivery(1), a_delivery(2)], 2));
    /// ```
    #[must_use]
    pub fn followed_by(self, after: Self) -> Self {
        let Self { mut fresh, mut changed, disabled, .. } = self;
        let mut later: HashMap<WebhookDeliveryId, Delivery> =
            after.changed.into_iter().map(|one| (one.id, one)).collect();
        if !later.is_empty() {
            for known in fresh.iter_mut().chain(&mut changed) {
                if let Some(later) = later.remove(&known.id) {
                    *known = later;
                }
            }
        }
        fresh.extend(after.fresh);
        changed.extend(later.into_values());
        Self { fresh, changed, disabled: disabled.or(after.disabled), ..after }
    }

    /// The number of deliveries in the record.
    #[must_use]
    pub fn deliveries(&self) -> usize {
        self.fresh.len() + self.changed.len()
    }
}
