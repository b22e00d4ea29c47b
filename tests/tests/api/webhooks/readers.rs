//! The retention of old events for endpoints that are behind.

use std::{sync::Arc, time::Duration};

use patron_adapters::{
    persistence::{Database, DatabaseUrl, OpenOptions},
    webhooks::EndpointReaders,
};
use patron_domain::{
    event::{EventPosition, EventReaders},
    tenancy::{Quota, SystemScope},
    testkit::{MemoryStore, a_delivery, a_scope, a_time, a_webhook_endpoint},
    webhook::{Delivery, DeliveryKind, DeliveryState, WebhookEndpoint, WebhookRepository},
};
use patron_tests::{
    patron::{Backend, Place},
    wait::TIMEOUT,
};
use rstest::rstest;

fn place(number: i64) -> EventPosition {
    EventPosition::from_stored(number).unwrap()
}

/// Events with a pending retry are kept, however far the endpoint has read.
async fn check(store: Arc<dyn WebhookRepository>) {
    let endpoint = WebhookEndpoint { position: place(90), ..a_webhook_endpoint() };
    store.create_endpoint(&a_scope(), endpoint.clone(), Quota::UNLIMITED, None).await.unwrap();
    let readers = EndpointReaders(store.clone());
    let behind = || async { readers.furthest_behind(&SystemScope::patron(), a_scope().owner).await };
    assert_eq!(behind().await, Ok(Some(place(90))));
    let in_three_days = Some(a_time().later(Duration::from_secs(3 * 86_400)));
    let waits = |number, kind| Delivery {
        kind,
        state: DeliveryState::Waiting { next_attempt_at: in_three_days },
        ..a_delivery(number)
    };
    let through = |number| Delivery { state: DeliveryState::Delivered, ..a_delivery(number) };
    for (delivery, wanted) in [
        (through(3), 90),
        (waits(40, DeliveryKind::First), 39),
        (waits(50, DeliveryKind::First), 39),
        (waits(20, DeliveryKind::Replay), 19),
        (through(20), 39),
        (through(40), 49),
    ] {
        store.add_deliveries(&a_scope(), vec![delivery], a_time(), None).await.unwrap();
        assert_eq!(behind().await, Ok(Some(place(wanted))));
    }
    store.delete_endpoint(&a_scope(), endpoint.id, a_time(), Default::default(), None).await.unwrap();
    assert_eq!(behind().await, Ok(None), "no endpoint must hold events back any more");
}

#[tokio::test]
async fn a_pending_retry_keeps_its_event_in_memory() {
    check(Arc::new(MemoryStore::default())).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_pending_retry_keeps_its_event(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let url = DatabaseUrl::parse(place.database_url()).unwrap();
    let database = Database::open(&url, OpenOptions { timeout: TIMEOUT, ..OpenOptions::default() }).await.unwrap();
    check(database.webhooks.clone()).await;
    database.close().await;
}
