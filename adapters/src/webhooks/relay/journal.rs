//! Writing rounds down while the next ones are under way.
//!
//! One write at a time is under way; what the rounds meanwhile come to is written together when it has ended. So attempts do
//! not wait for the disk, and the store writes less often. What is not written down yet when the process dies is delivered
//! once more, in its order, by whoever takes over: the position stands before it.

use std::{collections::HashMap, sync::Arc};

use patron_domain::{
    ids::WebhookDeliveryId,
    store::StoreError,
    tenancy::SystemScope,
    webhook::{Delivery, RoundRecord},
};
use tokio::task::JoinHandle;

use super::Relay;

/// The most deliveries that wait to be written down: with these, the next round waits for the store.
const MOST: usize = 1_024;

/// What is to be written down of one endpoint.
pub(super) struct Journal {
    relay: Arc<Relay>,
    under_way: Option<JoinHandle<Result<bool, StoreError>>>,
    pending: Option<RoundRecord>,
}

impl Journal {
    pub(super) fn new(relay: Arc<Relay>) -> Self {
        Self { relay, under_way: None, pending: None }
    }

    /// Takes a round. `false` when the lease was lost: then nothing more is to be done.
    pub(super) async fn add(&mut self, record: RoundRecord) -> Result<bool, StoreError> {
        let next = match self.pending.take() {
            None => record,
            Some(before) => together(before, record),
        };
        let full = next.fresh.len() + next.changed.len() >= MOST;
        self.pending = Some(next);
        if (full || self.under_way.as_ref().is_some_and(JoinHandle::is_finished)) && !self.landed().await? {
            return Ok(false);
        }
        self.begin();
        Ok(true)
    }

    /// Waits until everything is written down. `false` when the lease was lost.
    pub(super) async fn close(mut self) -> Result<bool, StoreError> {
        loop {
            if !self.landed().await? {
                return Ok(false);
            }
            if self.pending.is_none() {
                return Ok(true);
            }
            self.begin();
        }
    }

    /// Begins to write what is pending, unless a write is under way.
    fn begin(&mut self) {
        if self.under_way.is_some() {
            return;
        }
        if let Some(record) = self.pending.take() {
            let relay = self.relay.clone();
            let write = async move { relay.service.webhooks.record(&SystemScope::patron(), record).await };
            self.under_way = Some(tokio::spawn(write));
        }
    }

    /// What the write under way came to.
    async fn landed(&mut self) -> Result<bool, StoreError> {
        match self.under_way.take() {
            None => Ok(true),
            Some(write) => write.await.unwrap_or_else(|_| Err(StoreError::unavailable("the write broke off"))),
        }
    }
}

/// Two rounds as one: of a delivery in both, what became of it last.
fn together(before: RoundRecord, after: RoundRecord) -> RoundRecord {
    let RoundRecord { mut fresh, mut changed, disabled, .. } = before;
    let mut later: HashMap<WebhookDeliveryId, Delivery> = after.changed.into_iter().map(|one| (one.id, one)).collect();
    if !later.is_empty() {
        for known in fresh.iter_mut().chain(&mut changed) {
            if let Some(later) = later.remove(&known.id) {
                *known = later;
            }
        }
    }
    fresh.extend(after.fresh);
    changed.extend(later.into_values());
    RoundRecord { fresh, changed, disabled: disabled.or(after.disabled), ..after }
}

#[cfg(test)]
mod tests {
    use patron_domain::{
        event::EventPosition,
        testkit::{a_delivery, a_time, a_webhook_endpoint},
        webhook::{DeliveryState, DisabledReason, Health},
    };

    use super::*;

    fn record(fresh: Vec<Delivery>, changed: Vec<Delivery>, position: i64) -> RoundRecord {
        let endpoint = a_webhook_endpoint();
        RoundRecord {
            owner: endpoint.owner,
            endpoint_id: endpoint.id,
            holder: "relay".to_owned(),
            fresh,
            changed,
            position: EventPosition::from_stored(position).unwrap(),
            health: Health::default(),
            disabled: None,
            at: a_time(),
            lease_until: None,
        }
    }

    #[test]
    fn of_two_rounds_what_came_last_is_written_and_no_delivery_twice() {
        let delivered = |position| Delivery { state: DeliveryState::Delivered, ..a_delivery(position) };
        let first = record(vec![a_delivery(2), a_delivery(3)], vec![a_delivery(1)], 3);
        let disabled = Some(DisabledReason::Gone);
        let changed = vec![delivered(0), delivered(1), delivered(2)];
        let second = RoundRecord { disabled, ..record(vec![a_delivery(4)], changed, 4) };
        let fresh = vec![delivered(2), a_delivery(3), a_delivery(4)];
        let wanted = RoundRecord { disabled, ..record(fresh, vec![delivered(1), delivered(0)], 4) };
        assert_eq!(together(first, second), wanted);
    }
}
