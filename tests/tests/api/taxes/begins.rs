//! Scheduled changes of rates that begin.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patron_domain::time::Timestamp;
use patron_tests::{
    patron::{Backend, Place, Server},
    wait,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{RATES, a_rate, id};

/// Schedules a value a moment ahead, and returns the id of the change.
async fn schedule(server: &Server, rate: &Value, ahead: Duration, value: &str) -> String {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let from = Timestamp::from_micros(i64::try_from(micros).unwrap()).unwrap().later(ahead);
    let body = json!({ "effective_from": from, "percentage_value": value });
    let change = server.post(&format!("{RATES}/{}/changes", id(rate)), &body).await.expect(201);
    id(&change).to_owned()
}

/// The events of changes that have begun.
async fn begun(server: &Server) -> Vec<Value> {
    let events = server.get("/v1/events?type=tax_rate.value_changed").await.expect(200);
    events["items"].as_array().unwrap().clone()
}

/// Waits for a number of such events, and returns them.
async fn until(server: &Server, count: usize) -> Vec<Value> {
    let all = async || {
        let all = begun(server).await;
        if all.len() >= count { Ok(all) } else { Err(all) }
    };
    wait::until(all).await
}

fn changes(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["detail"]["tax_rate_change_id"].as_str().unwrap()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_begins_is_one_event_also_if_no_server_ran(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    // Servers on one PostgreSQL database compete for the changes.
    let other = (backend == Backend::Postgres).then(|| place.serve());
    let rate = a_rate(&server, "VAT").await;
    let first = schedule(&server, &rate, Duration::from_secs(3), "20").await;
    schedule(&server, &rate, Duration::from_secs(3_600), "30").await;
    assert_eq!(begun(&server).await, Vec::<Value>::new(), "{first} has not begun");

    let events = until(&server, 1).await;
    assert_eq!(changes(&events), [first.as_str()]);
    let event = &events[0];
    let shown = server.get(&format!("{RATES}/{}", id(&rate))).await.expect(200);
    assert_eq!(event["data"], shown);
    let summary = (&event["type"], &event["sequence"], event["actor"].as_str(), &shown["percentage_value"]);
    assert_eq!(summary, (&json!("tax_rate.value_changed"), &json!(4), Some("system"), &json!("20")));

    // Another begins while no server runs.
    let second = schedule(&server, &rate, Duration::from_secs(4), "21").await;
    server.kill();
    drop(other);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let server = place.serve();
    assert_eq!(changes(&until(&server, 2).await), [first.as_str(), second.as_str()]);

    // A restart repeats nothing. A later change shows that the job has run again.
    server.kill();
    let server = place.serve();
    let last = schedule(&server, &rate, Duration::from_secs(2), "22").await;
    assert_eq!(changes(&until(&server, 3).await), [first.as_str(), second.as_str(), last.as_str()]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn removed_changes_and_changes_in_the_past_do_not_begin(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let path = format!("{RATES}/{}/changes", id(&rate));
    let past = json!({ "effective_from": "2020-07-01T00:00:00Z", "percentage_value": "16", "correction": true });
    server.post(&path, &past).await.expect(201);
    let removed = schedule(&server, &rate, Duration::from_secs(20), "20").await;
    assert_eq!(super::delete(&server, &format!("{path}/{removed}")).await.status, 204);
    let other = a_rate(&server, "GST").await;
    let begins = schedule(&server, &other, Duration::from_secs(2), "5").await;
    assert_eq!(changes(&until(&server, 1).await), [begins.as_str()]);
}
