//! Wrong stores of webhook endpoints and deliveries.

use super::{Fault, Wrong, first, now, reversed};
use crate::{
    event::EventPosition,
    idempotency::Done,
    ids::WebhookEndpointId,
    lifecycle::Owner,
    tenancy::{EnvironmentScope, Quota, SystemScope},
    testkit::MemoryStore,
    webhook::{
        DeliveryQuery, DeliveryState, Health, LeaseClaim, RoundRecord, WebhookEndpoint, WebhookError, WebhookRepository,
    },
};

pub(super) fn pass_on(wrong: &mut Wrong) {
    let (store, webhooks) = (&wrong.store, &mut wrong.webhooks);
    let own = store.clone();
    webhooks
        .expect_create_endpoint()
        .returning(move |scope, one, quota, claim| now(own.create_endpoint(scope, one, quota, claim)));
    let own = store.clone();
    webhooks.expect_endpoints().returning(move |scope, page| now(own.endpoints(scope, page)));
    let own = store.clone();
    webhooks.expect_find_endpoint().returning(move |scope, id| now(own.find_endpoint(scope, id)));
    let own = store.clone();
    webhooks.expect_find_any_endpoint().returning(move |scope, id| now(own.find_any_endpoint(scope, id)));
    let own = store.clone();
    webhooks
        .expect_change_endpoint()
        .returning(move |scope, change, claim| now(own.change_endpoint(scope, change, claim)));
    let own = store.clone();
    webhooks
        .expect_delete_endpoint()
        .returning(move |scope, id, at, only_if, claim| now(own.delete_endpoint(scope, id, at, only_if, claim)));
    let own = store.clone();
    webhooks.expect_deliveries().returning(move |scope, id, query| now(own.deliveries(scope, id, query)));
    let own = store.clone();
    webhooks
        .expect_add_deliveries()
        .returning(move |scope, all, at, claim| now(own.add_deliveries(scope, all, at, claim)));
    let own = store.clone();
    webhooks.expect_add_test().returning(move |scope, test, claim| now(own.add_test(scope, test, claim)));
    let own = store.clone();
    webhooks
        .expect_retry_failed()
        .returning(move |scope, id, at, limit, claim| now(own.retry_failed(scope, id, at, limit, claim)));
    let own = store.clone();
    webhooks.expect_claim().returning(move |scope, claim| now(own.claim(scope, claim)));
    let own = store.clone();
    webhooks.expect_renew().returning(move |scope, id, holder, until| now(own.renew(scope, id, holder, until)));
    let own = store.clone();
    webhooks
        .expect_waiting()
        .returning(move |scope, id, at, first, replays| now(own.waiting(scope, id, at, first, replays)));
    let own = store.clone();
    webhooks.expect_record().returning(move |scope, record| now(own.record(scope, record)));
    let own = store.clone();
    webhooks
        .expect_remove_deliveries()
        .returning(move |scope, before, limit| now(own.remove_deliveries(scope, before, limit)));
}

/// The scope of an endpoint, whatever the caller's.
fn home(store: &MemoryStore, asked: &EnvironmentScope, id: WebhookEndpointId) -> EnvironmentScope {
    let found = now(store.find_any_endpoint(&SystemScope::patron(), id)).unwrap();
    let owner: Owner = found.map_or(asked.owner, |endpoint| endpoint.owner);
    EnvironmentScope::new(owner, asked.actor.clone())
}

/// A store that changes claims.
fn claiming(wrong: &mut Wrong, spoil: fn(LeaseClaim) -> LeaseClaim) {
    let store = wrong.store.clone();
    wrong.webhooks.expect_claim().returning(move |scope, claim| now(store.claim(scope, spoil(claim))));
}

/// A store that changes recorded rounds.
fn recording(wrong: &mut Wrong, spoil: fn(RoundRecord) -> RoundRecord) {
    let store = wrong.store.clone();
    wrong.webhooks.expect_record().returning(move |scope, record| now(store.record(scope, spoil(record))));
}

pub(super) const FAULTS: &[(&str, Fault)] = &[
    ("returns changes of endpoints that it does not keep", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_change_endpoint().returning(move |scope, change, _| {
            let found = now(store.find_endpoint(scope, change.id))?;
            Ok(Done::now(change.decide(scope, &found.ok_or(WebhookError::UnknownEndpoint)?)?))
        });
    }),
    ("loses the position of an endpoint", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_create_endpoint().returning(move |scope, one, quota, claim| {
            now(store.create_endpoint(scope, WebhookEndpoint { position: EventPosition::START, ..one }, quota, claim))
        });
    }),
    ("returns the first endpoints on every page", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_endpoints().returning(move |scope, page| now(store.endpoints(scope, first(page))));
    }),
    ("returns the oldest endpoints first", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_endpoints().returning(move |scope, page| now(store.endpoints(scope, page)).map(reversed));
    }),
    ("allows any number of endpoints", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_create_endpoint().returning(move |scope, one, quota, claim| {
            let answer = now(store.create_endpoint(scope, one.clone(), quota, claim));
            if answer == Err(WebhookError::TooManyEndpoints) { Ok(Done::now(one)) } else { answer }
        });
    }),
    ("shows endpoints of any environment", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_find_endpoint()
            .returning(move |_, id| now(store.find_any_endpoint(&SystemScope::patron(), id)));
    }),
    ("deletes endpoints of any environment", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_delete_endpoint().returning(move |scope, id, at, only_if, claim| {
            now(store.delete_endpoint(&home(&store, scope, id), id, at, only_if, claim))
        });
    }),
    ("shows deliveries of any environment", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_deliveries()
            .returning(move |scope, id, query| now(store.deliveries(&home(&store, scope, id), id, query)));
    }),
    ("leases an endpoint to several holders", |wrong| {
        claiming(wrong, |claim| LeaseClaim { holder: "everybody".to_owned(), ..claim });
    }),
    ("renews another holder's lease", |wrong| {
        wrong.webhooks.expect_renew().returning(|_, _, _, _| Ok(true));
    }),
    ("leases endpoints that are served", |wrong| {
        claiming(wrong, |claim| LeaseClaim { serving: Vec::new(), ..claim });
    }),
    ("ignores the quota of endpoints", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_create_endpoint()
            .returning(move |scope, one, _, claim| now(store.create_endpoint(scope, one, Quota::UNLIMITED, claim)));
    }),
    ("leases more endpoints of one environment than its share", |wrong| {
        claiming(wrong, |claim| LeaseClaim { places: u16::MAX, ..claim });
    }),
    ("leases paused endpoints", |wrong| {
        recording(wrong, |record| RoundRecord { health: Health { paused_until: None, ..record.health }, ..record });
    }),
    ("keeps the deliveries of a round that it refuses", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_record().returning(move |scope, record| {
            let owner = EnvironmentScope::new(record.owner, scope.actor.clone());
            let deliveries = record.fresh.clone();
            let written = now(store.record(scope, record))?;
            if !written {
                let at = deliveries[0].created_at;
                now(store.add_deliveries(&owner, deliveries, at, None)).unwrap();
            }
            Ok(written)
        });
    }),
    ("writes a round behind an event that the log does not hold", |wrong| {
        recording(wrong, |record| RoundRecord { position: record.position.position().into(), ..record });
    }),
    ("does not write a round's changes", |wrong| {
        recording(wrong, |record| RoundRecord { changed: Vec::new(), ..record });
    }),
    ("keeps the lease that a round releases", |wrong| {
        recording(wrong, |record| RoundRecord { lease_until: Some(record.at), ..record });
    }),
    ("returns waiting deliveries in the wrong order", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_waiting().returning(move |scope, id, at, first, replays| {
            let mut found = now(store.waiting(scope, id, at, first, replays))?;
            found.reverse();
            Ok(found)
        });
    }),
    ("returns replays before they are due", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_waiting().returning(move |scope, id, at, first, replays| {
            let late = at.later(std::time::Duration::from_secs(86_400));
            now(store.waiting(scope, id, late, first, replays))
        });
    }),
    ("returns the newest deliveries on every page", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_deliveries().returning(move |scope, id, query| {
            now(store.deliveries(scope, id, DeliveryQuery { before: None, ..query }))
        });
    }),
    ("retries all failed deliveries", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_retry_failed()
            .returning(move |scope, id, at, _, claim| now(store.retry_failed(scope, id, at, u32::MAX, claim)));
    }),
    ("removes no deliveries", |wrong| {
        wrong.webhooks.expect_remove_deliveries().returning(|_, _, _| Ok(0));
    }),
    ("removes deliveries without a limit", |wrong| {
        wrong.webhooks.expect_remove_deliveries().returning(|_, _, limit| Ok(limit.into()));
    }),
    ("removes waiting deliveries", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_add_deliveries().returning(move |scope, mut all, at, claim| {
            let waits = |state| matches!(state, DeliveryState::Waiting { .. });
            all.retain(|one| !waits(one.state));
            now(store.add_deliveries(scope, all, at, claim))
        });
    }),
    ("forgets the keys of changes of endpoints", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_change_endpoint()
            .returning(move |scope, change, _| now(store.change_endpoint(scope, change, None)));
    }),
    ("creates an endpoint again with its key", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_create_endpoint()
            .returning(move |scope, one, quota, _| now(store.create_endpoint(scope, one, quota, None)));
    }),
    ("forgets the key of a deletion", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_delete_endpoint()
            .returning(move |scope, id, at, only_if, _| now(store.delete_endpoint(scope, id, at, only_if, None)));
    }),
    ("replays again with a key", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_add_deliveries()
            .returning(move |scope, all, at, _| now(store.add_deliveries(scope, all, at, None)));
    }),
    ("retries again with a key", |wrong| {
        let store = wrong.store.clone();
        wrong
            .webhooks
            .expect_retry_failed()
            .returning(move |scope, id, at, limit, _| now(store.retry_failed(scope, id, at, limit, None)));
    }),
    ("keeps a test twice with a key", |wrong| {
        let store = wrong.store.clone();
        wrong.webhooks.expect_add_test().returning(move |scope, test, _| now(store.add_test(scope, test, None)));
    }),
];
