//! The program is killed again and again while customers and tax rates change and webhooks are being delivered, over both
//! databases. Every acknowledged change has one event, no sequence has a gap, and each event arrives at every endpoint, in
//! order for each customer and rate.
//!
//! Runs a few kills by default; `tests/crash webhooks` runs 200.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use patron_domain::ids::WebhookEndpointKind;
use patron_tests::{
    audit,
    changes::{Step, Stories, Whereabouts},
    patron::{Backend, Place, Server},
    receiver::{Received, Receiver, Reply},
    rounds::rounds,
    wait::TIMEOUT,
};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::sleep;

const CLIENTS: usize = 8;
/// Allows deliveries to this machine, with all retries within ten seconds and the shortest possible lease.
const QUICK: [(&str, &str); 3] = [
    ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ("PATRON_WEBHOOKS_RETRY_SECONDS", "10"),
    ("PATRON_WEBHOOKS_LEASE_SECONDS", "2"),
];

/// An event of the log.
struct Event {
    id: String,
    entity: String,
    sequence: i64,
    step: Step,
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_no_event_and_no_delivery(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let mut server = place.serve_with(&QUICK);
    let steady = Receiver::start().await;
    // This receiver fails now and then, so that kills also happen during retries.
    let moody = Receiver::answering(|number, _| Reply::status(if number % 11 == 7 { 500 } else { 204 })).await;
    let mut endpoints = Vec::new();
    for receiver in [&steady, &moody] {
        let made = server.post("/v1/webhooks/endpoints", &json!({ "url": receiver.url() })).await.expect(201);
        endpoints.push(made["id"].as_str().unwrap().to_owned());
    }
    server.post("/v1/taxes/rates", &patron_tests::requests::tax_rate("VAT")).await.expect(201);

    let (whereabouts, stop) = (Whereabouts::of(&server), Arc::new(AtomicBool::new(false)));
    let (clients, told) = (whereabouts.clone(), stop.clone());
    let load = tokio::spawn(async move { clients.change_all(CLIENTS, told).await });
    let (kills, begun, mut delivering) = (rounds(3), Instant::now(), 0);
    for kill in 0..kills {
        let before = steady.count();
        // At a different moment each time.
        sleep(Duration::from_millis(u64::try_from(500 + 137 * kill % 500).unwrap())).await;
        delivering += usize::from(steady.count() > before);
        server.kill();
        server = place.serve_with(&QUICK);
        whereabouts.is_now(&server);
        assert!(!load.is_finished(), "the clients stopped too early");
    }
    sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let stories = load.await.unwrap();
    let lasted = begun.elapsed().as_secs();

    let events = log(&server).await;
    everything_acknowledged_is_there_once(&stories, &events);
    for id in &endpoints {
        until_delivered(&place, id, events.len()).await;
    }
    audit::is_whole(&place).await;
    println!("{backend:?}: {kills} kills in {lasted} s, {delivering} of them while deliveries arrived");
    let open: usize = stories.values().map(|story| story.open.len()).sum();
    println!("{} entities, {} events, {open} changes without an answer", stories.len(), events.len());
    for (name, receiver) in [("steady", &steady), ("moody", &moody)] {
        everything_arrived_in_order(name, &receiver.all(), &events);
    }
}

/// Reads the whole log by cursor, like any reader.
async fn log(server: &Server) -> Vec<Event> {
    let (mut events, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/events?limit=1000{after}")).await.expect(200);
        events.extend(page["items"].as_array().unwrap().iter().map(event));
        after = format!("&after={}", page["next_cursor"].as_str().unwrap());
        if page["has_more"] == false {
            return events;
        }
    }
}

fn event(event: &Value) -> Event {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Event {
        id: text(&event["id"]),
        entity: text(&event["entity"]["id"]),
        sequence: event["sequence"].as_i64().unwrap(),
        step: (text(&event["type"]), text(&event["data"]["name"])),
    }
}

/// Checks that each entity has the events of its story, in order and numbered from 1, and that there are no others.
fn everything_acknowledged_is_there_once(stories: &Stories, events: &[Event]) {
    let mut by_entity: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in events {
        by_entity.entry(&event.entity).or_default().push(event);
    }
    let mut found = BTreeSet::new();
    for (entity, events) in by_entity {
        for (event, number) in events.iter().zip(1..) {
            assert_eq!(event.sequence, number, "the sequence of {entity}");
        }
        // The story of a rate is stored under its code, which is its first name.
        let name = if entity.starts_with("cust_") { entity } else { &events[0].step.1 };
        if name == "VAT" {
            continue;
        }
        let story = stories.get(name).unwrap_or_else(|| panic!("no client created {name}"));
        found.insert(name.clone());
        let acknowledged: Vec<_> =
            events.iter().map(|event| &event.step).filter(|step| !story.open.contains(step)).collect();
        assert_eq!(acknowledged, story.done.iter().collect::<Vec<_>>(), "{name}");
        let open: Vec<_> = events.iter().map(|event| &event.step).filter(|step| story.open.contains(step)).collect();
        assert_eq!(open.len(), open.iter().collect::<BTreeSet<_>>().len(), "{name} has a change twice: {open:?}");
    }
    for (name, story) in stories {
        assert!(found.contains(name) || story.done.is_empty(), "{name} is not in the log");
    }
}

/// Waits until the tables show that every event was delivered.
async fn until_delivered(place: &Place, endpoint: &str, events: usize) {
    let endpoint_key = place.key::<WebhookEndpointKind>(endpoint);
    // The status 1 is `delivered`.
    let delivered = format!("SELECT count(*) FROM webhook_deliveries WHERE endpoint = {endpoint_key} AND status = 1");
    let (begun, expected) = (Instant::now(), i64::try_from(events).unwrap());
    let (mut last, mut moved) = (-1, Instant::now());
    while last < expected {
        let now = place.number(&delivered).await;
        if now > last {
            (last, moved) = (now, Instant::now());
        }
        assert!(moved.elapsed() < TIMEOUT, "{last} of {expected} are delivered, and there is no progress");
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(last, expected, "there must be one delivery for each event");
    println!("everything was delivered to {endpoint} {} s after the last change", begun.elapsed().as_secs());
}

/// Checks that each event was accepted at least once, and never sent before the entity's previous event was accepted.
fn everything_arrived_in_order(name: &str, arrived: &[Received], events: &[Event]) {
    let (mut taken, mut reached) = (BTreeSet::new(), BTreeMap::<String, i64>::new());
    let mut twice = 0;
    for received in arrived {
        let body = received.json();
        let (entity, sequence) = (body["entity_id"].as_str().unwrap(), body["sequence"].as_i64().unwrap());
        let reached = reached.entry(entity.to_owned()).or_default();
        assert!(sequence <= *reached + 1, "{name} got event {sequence} of {entity} after accepting only {reached}");
        if received.status == 204 {
            *reached = sequence.max(*reached);
            twice += usize::from(!taken.insert(received.header("webhook-id").to_owned()));
        }
    }
    let expected: BTreeSet<_> = events.iter().map(|event| event.id.clone()).collect();
    assert_eq!(taken.len(), expected.len(), "{name} took other events than there are");
    assert!(taken == expected, "{name} took other events than there are");
    println!("{name}: {} requests, {} events accepted, {twice} repeated", arrived.len(), taken.len());
}
