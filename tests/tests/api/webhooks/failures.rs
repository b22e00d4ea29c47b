//! Failed deliveries: retries, giving up, replays, and the disabling of endpoints.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use patron_tests::{
    patron::{Backend, Place, send},
    receiver::{Receiver, Reply},
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{ENDPOINTS, QUICK, customer, endpoint, rename, until};

#[rstest]
#[tokio::test]
async fn a_failed_delivery_is_retried_and_delays_only_its_own_customer(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    // The first three attempts of one customer's first event fail.
    let failures = std::sync::atomic::AtomicUsize::new(0);
    let receiver = Receiver::answering(move |_, body| {
        let bad = body["customer"]["external_id"] == "bad" && body["sequence"] == 1;
        let fails = bad && failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
        Reply::status(if fails { 503 } else { 200 })
    })
    .await;
    let server = place.serve_with(&QUICK);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    let bad = customer(&server, "bad").await;
    rename(&server, &bad["id"], "Later").await;
    customer(&server, "good").await;
    until(&server, &id, "delivered", 3).await;
    let seen: Vec<_> = receiver.all().iter().map(|one| (one.json(), one.status)).collect();
    let of_bad: Vec<_> = seen.iter().filter(|(body, _)| body["customer"]["external_id"] == "bad").collect();
    let of_bad: Vec<_> = of_bad.iter().map(|(body, status)| (body["sequence"].as_u64().unwrap(), *status)).collect();
    assert_eq!(of_bad, [(1, 503), (1, 503), (1, 503), (1, 200), (2, 200)]);
    let ids: Vec<_> = receiver.all().iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!(ids[0], seen[0].0["event_id"].as_str().unwrap(), "the id must be the event's in every attempt");
}

#[rstest]
#[tokio::test]
async fn a_receiver_that_asks_to_wait_gets_nothing_until_then(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
    #[values(429, 503)] status: u16,
) {
    let place = Place::fresh(backend).await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = times.clone();
    let receiver = Receiver::answering(move |number, _| {
        noted.lock().unwrap().push(Instant::now());
        match number {
            0 => Reply { headers: "Retry-After: 4\r\n".to_owned(), ..Reply::status(status) },
            _ => Reply::status(204),
        }
    })
    .await;
    let server = place.serve_with(&QUICK);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    customer(&server, "first").await;
    receiver.wait_for(1).await;
    // The wish holds for all deliveries, not only for the one that got it.
    customer(&server, "second").await;
    until(&server, &id, "delivered", 2).await;
    let times = times.lock().unwrap().clone();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= Duration::from_millis(3_900), "{:?}", times[1] - times[0]);
}

#[rstest]
#[tokio::test]
async fn replays_of_an_endpoint_are_limited(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&QUICK);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    for number in 0..300 {
        customer(&server, &format!("customer-{number}")).await;
    }
    let replay = async |id: &str| {
        let period = json!({ "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z" });
        server.post(&format!("{ENDPOINTS}/{id}/replay"), &period).await
    };
    assert_eq!(replay(&id).await.expect(200)["replayed"], 300);
    let refused = replay(&id).await;
    assert_eq!((refused.status, refused.error().0), (429, "too_many_requests"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    let (other, _) = endpoint(&server, &receiver.url()).await;
    assert_eq!(replay(&other).await.expect(200)["replayed"], 300, "another endpoint");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(replay(&id).await.expect(200)["replayed"], 300);
}

#[rstest]
#[tokio::test]
async fn a_delivery_that_always_fails_is_listed_stops_blocking_and_can_be_replayed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let mended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let works = mended.clone();
    let receiver = Receiver::answering(move |_, body| {
        let bad = body["sequence"] == 1 && body["customer"]["external_id"] == "bad";
        let fails = bad && !works.load(std::sync::atomic::Ordering::Relaxed);
        Reply { body: b"no, thank you".to_vec(), ..Reply::status(if fails { 500 } else { 200 }) }
    })
    .await;
    let server = place.serve_with(&[QUICK[0], ("PATRON_WEBHOOKS_RETRY_SECONDS", "2"), QUICK[2]]);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    customer(&server, "other").await;
    let bad = customer(&server, "bad").await;
    rename(&server, &bad["id"], "Later").await;
    let failed = until(&server, &id, "failed", 1).await;
    assert_eq!((&failed[0]["attempts"], &failed[0]["last_attempt"]["http_status"]), (&json!(13), &json!(500)));
    assert_eq!(failed[0]["last_attempt"]["answer"], "no, thank you");
    until(&server, &id, "delivered", 2).await;

    mended.store(true, std::sync::atomic::Ordering::Relaxed);
    let replay = |body: Value| {
        let (server, path) = (&server, format!("{ENDPOINTS}/{id}/replay"));
        async move { server.post(&path, &body).await }
    };
    assert_eq!(replay(json!({ "failed": true })).await.expect(200)["replayed"], 1);
    until(&server, &id, "delivered", 3).await;
    assert_eq!(replay(json!({ "failed": true })).await.expect(200)["replayed"], 0);
    // A replay of one event, and of all events in a time range.
    let before = receiver.all().len();
    let event = failed[0]["event_id"].clone();
    assert_eq!(replay(json!({ "event_id": event })).await.expect(200)["replayed"], 1);
    let again = receiver.wait_for(before + 1).await;
    assert_eq!(again[before].json()["event_id"], event);
    let between = json!({ "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z" });
    assert_eq!(replay(between).await.expect(200)["replayed"], 3);
    receiver.wait_for(before + 4).await;
    let printed = place.run_ok(&["webhooks", "replay", &id, "--event", event.as_str().unwrap()]);
    assert_eq!(printed, "1 event will be sent again\n");
    receiver.wait_for(before + 5).await;
    let backwards = ["--from", "2021-01-01T00:00:00Z", "--to", "2020-01-01T00:00:00Z"];
    let refused = place.run(&[&["webhooks", "replay", id.as_str()][..], &backwards[..]].concat());
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--to must not lie before --from"));
    // A replay request must name exactly one selection of events.
    for (body, status) in [
        (json!({}), 400),
        (json!({ "failed": false }), 400),
        (json!({ "failed": true, "event_id": event }), 400),
        (json!({ "from": "2020-01-01T00:00:00Z" }), 400),
        (json!({ "from": "2021-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z" }), 400),
        (json!({ "event_id": "evt_01JDG3W9Z5X0M8R2K7T4B6Q1NE" }), 404),
    ] {
        assert_eq!(replay(body.clone()).await.status, status, "{body}");
    }
}

#[rstest]
#[tokio::test]
async fn a_failing_endpoint_is_disabled_and_resumes_where_it_stopped(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let mended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let works = mended.clone();
    let receiver = Receiver::answering(move |_, _| {
        Reply::status(if works.load(std::sync::atomic::Ordering::Relaxed) { 200 } else { 500 })
    })
    .await;
    let healthy = Receiver::start().await;
    let server = place.serve_with(&[QUICK[0], QUICK[1], QUICK[2], ("PATRON_WEBHOOKS_DISABLE_AFTER_SECONDS", "2")]);
    let (id, _) = endpoint(&server, &receiver.url()).await;
    endpoint(&server, &healthy.url()).await;
    for number in 0..30 {
        customer(&server, &format!("c{number}")).await;
    }
    let path = format!("{ENDPOINTS}/{id}");
    let until_disabled = async |path: &str| {
        wait::until(async || {
            let found = server.get(path).await.expect(200);
            if found["enabled"] == false { Ok(found) } else { Err(found) }
        })
        .await
    };
    let disabled = until_disabled(&path).await;
    assert_eq!(disabled["disabled_reason"], "failing");
    assert!(disabled["disabled_at"].is_string() && disabled["failing_since"].is_string());
    healthy.wait_for(30).await;
    mended.store(true, std::sync::atomic::Ordering::Relaxed);
    let enabled = send(server.request(Method::PUT, &path).json(&json!({ "enabled": true }))).await.expect(200);
    assert_eq!((&enabled["enabled"], enabled.get("disabled_reason")), (&json!(true), None));
    until(&server, &id, "delivered", 30).await;
    let gone = Receiver::answering(|_, _| Reply::status(410)).await;
    let (id, _) = endpoint(&server, &gone.url()).await;
    customer(&server, "last").await;
    gone.wait_for(1).await;
    assert_eq!(until_disabled(&format!("{ENDPOINTS}/{id}")).await["disabled_reason"], "gone");
}
