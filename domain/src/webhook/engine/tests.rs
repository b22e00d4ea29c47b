use futures::executor::block_on;

use super::*;
use crate::{
    event::EventPosition,
    testkit::{a_delivery, a_time, a_webhook_endpoint, a_webhook_service},
    webhook::{Delivery, DeliveryState, DisabledReason, Health, Tally},
};

fn engine() -> DeliveryEngine {
    DeliveryEngine { service: a_webhook_service(), options: DeliveryOptions::named("server 1") }
}

fn record(fresh: Vec<Delivery>, changed: Vec<Delivery>, position: i64) -> RoundRecord {
    let endpoint = a_webhook_endpoint();
    RoundRecord {
        owner: endpoint.owner,
        endpoint_id: endpoint.id,
        holder: "server 1".to_owned(),
        fresh,
        changed,
        position: EventPosition::from_stored(position).unwrap().into(),
        health: Health::default(),
        disabled: None,
        at: a_time(),
        lease_until: None,
    }
}

#[test]
fn two_rounds_are_combined_with_the_later_state_of_each_delivery() {
    let delivered = |position| Delivery { state: DeliveryState::Delivered, ..a_delivery(position) };
    let first = record(vec![a_delivery(2), a_delivery(3)], vec![a_delivery(1)], 3);
    let disabled = Some(DisabledReason::Gone);
    let changed = vec![delivered(0), delivered(1), delivered(2)];
    let second = RoundRecord { disabled, ..record(vec![a_delivery(4)], changed, 4) };
    let fresh = vec![delivered(2), a_delivery(3), a_delivery(4)];
    let wanted = RoundRecord { disabled, ..record(fresh, vec![delivered(1), delivered(0)], 4) };
    assert_eq!(first.followed_by(second), wanted);
}

/// A round without attempts, finished with this failure.
fn finished(failed: Option<DeliveryError>, tally: Tally) -> (RoundRecord, RoundOutcome) {
    let engine = engine();
    let mut round = block_on(engine.first_round(a_webhook_endpoint())).unwrap();
    let attempts = engine.begin(&mut round);
    assert!(attempts.lanes.is_empty());
    engine.finish(round, RoundResult { lanes: attempts.lanes, tally, failed }, false)
}

#[test]
fn an_endpoint_whose_secrets_cannot_be_opened_pauses_for_a_minute_and_releases_its_lease() {
    let (record, outcome) = finished(Some(VaultError::Sealed.into()), Tally::default());
    assert!(record.health.paused_until > Some(record.at.later(Duration::from_secs(59))));
    assert_eq!((record.lease_until, outcome.more, outcome.smooth), (None, false, false));
}

#[test]
fn an_endpoint_that_fails_pauses_and_one_that_is_gone_is_disabled() {
    let (failed, _) = finished(None, Tally { failed: 1, ..Tally::default() });
    assert!(failed.health.is_suspect() && failed.disabled.is_none());
    let (gone, _) = finished(None, Tally { gone: true, ..Tally::default() });
    assert_eq!(gone.disabled, Some(DisabledReason::Gone));
}
