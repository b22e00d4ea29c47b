//! `patron events verify` and `head`: every change of the log that is made directly in the database is found and named.

use std::fs;

use patron_domain::event::chain::SealedEvent;
use patron_tests::{
    patron::{Backend, Place, Server, send},
    requests::{minimal, tax_rate},
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::assert_refused;

/// A rate, three customers, and a change of the first: positions 1 to 5. Returns the ids of the customers.
async fn story(server: &Server) -> Vec<String> {
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let mut ids = Vec::new();
    for external_id in ["a", "b", "c"] {
        let body = json!({ "external_id": external_id, "name": "Ada Lovelace" });
        let created = server.post("/v1/customers", &body).await.expect(201);
        ids.push(created["id"].as_str().expect("an id").to_owned());
    }
    let patch = server.request(Method::PATCH, &format!("/v1/customers/{}", ids[0]));
    send(patch.json(&json!({ "name": "Grace Hopper" }))).await.expect(200);
    ids
}

async fn erase(server: &Server, id: &str) {
    let body = json!({ "customer_id": id, "request_channel": "api", "cooldown_days": 0 });
    let request = server.post("/v1/privacy/deletion-requests", &body).await.expect(202);
    let path = format!("/v1/privacy/deletion-requests/{}", request["id"].as_str().expect("an id"));
    wait::until(async || {
        let found = server.get(&path).await.expect(200);
        if found["state"] == "completed" { Ok(()) } else { Err(("it is not completed", found)) }
    })
    .await;
}

fn head(place: &Place) -> String {
    place.run_ok(&["events", "head"]).trim().to_owned()
}

/// The environment's log is whole.
#[track_caller]
fn assert_whole(place: &Place, words: &[&str]) {
    let told = place.run_ok(&["events", "verify"]);
    for word in words {
        assert!(told.contains(word), "{word:?} is missing in: {told}");
    }
}

/// A fault is found in the database and in an export of it.
#[track_caller]
fn assert_found(place: &Place, kept: Option<&str>, words: &[&str]) {
    let kept: Vec<&str> = kept.iter().flat_map(|kept| ["--head", *kept]).collect();
    assert_refused(&place.run(&[&["events", "verify"], kept.as_slice()].concat()), 1, words);
    let file = exported(place);
    let verify = ["events", "verify", file.to_str().expect("a path")];
    assert_refused(&place.run(&[verify.as_slice(), kept.as_slice()].concat()), 1, words);
}

fn exported(place: &Place) -> std::path::PathBuf {
    let file = place.path().join("sealed.ndjson");
    fs::write(&file, place.run_ok(&["events", "export", "--sealed"])).expect("a file");
    file
}

/// The condition for an event. There is one environment.
fn at(position: i64) -> String {
    format!("WHERE position = {position}")
}

#[rstest]
#[tokio::test]
async fn a_changed_a_removed_and_an_inserted_row_are_named(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    assert_whole(&place, &["the log is unchanged (events: 0,", "head: 0:0000"]);
    story(&server).await;
    let kept = head(&place);
    assert!(kept.starts_with("5:"), "{kept}");
    assert_whole(&place, &["the log is unchanged (events: 5,", &kept]);
    let file = exported(&place);
    let told = place.run_ok(&["events", "verify", file.to_str().unwrap(), "--head", &kept]);
    assert!(told.contains("the log is unchanged (events: 5,"), "{told}");

    let replaced = |from: &str, to: &str| match backend {
        Backend::Sqlite => format!("document = replace(document, '{from}', '{to}')"),
        Backend::Postgres => format!("document = replace(document::text, '{from}', '{to}')::json"),
    };
    let event = |change: &str, position: i64| format!("UPDATE events SET {change} {}", at(position));
    let customers = |from, to| format!("UPDATE customers SET {}", replaced(from, to));
    // Each change, the statement that takes it back, and what is found.
    for (change, back, words) in [
        (
            event("actor = actor || '!'", 2),
            event("actor = replace(actor, '!', '')", 2),
            "position 2 was changed: its env",
        ),
        (event("sequence = 7", 4), event("sequence = 1", 4), "position 4 was changed: its envelope"),
        (event("kind = kind + 50", 1), event("kind = kind - 50", 1), "position 1 was changed: its envelope"),
        // The state of an earlier version is in the event, the present one in the row of the customer.
        (event(&replaced("Ada", "Eva"), 2), event(&replaced("Eva", "Ada"), 2), "position 2 was changed: its state"),
        (customers("Grace", "Eva"), customers("Eva", "Grace"), "position 5 was changed: its state"),
    ] {
        place.execute(&change).await;
        assert_found(&place, None, &[words]);
        place.execute(&back).await;
        assert_whole(&place, &["the log is unchanged (events: 5,"]);
    }
    place.execute(&event("document = NULL, salt = NULL", 2)).await;
    assert_found(&place, None, &["the state of the event at position 2 was removed, and the log has no erasure"]);
}

#[rstest]
#[tokio::test]
async fn a_removed_an_added_and_a_cut_event_are_named(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    story(&server).await;
    let kept = head(&place);
    place
        .execute(
            "INSERT INTO events (environment, position, id, entity_kind, entity, sequence, kind, at, logged_at, actor, hash) \
             SELECT environment, 6, entity, entity_kind, entity, 9, kind, at, logged_at, actor, hash FROM events \
             WHERE position = 5",
        )
        .await;
    let words = ["an event was inserted at position 6"];
    assert_refused(&place.run(&["events", "verify"]), 1, &words);
    place.execute("DELETE FROM events WHERE position = 6").await;
    assert_whole(&place, &["the log is unchanged (events: 5,"]);

    // The end of the log is cut, and the log's own row tells that too.
    place.execute("DELETE FROM events WHERE position = 5").await;
    assert_refused(&place.run(&["events", "verify"]), 1, &["it ends at position 4, and had an event at position 5"]);
    let last = "(SELECT hash FROM events WHERE position = 4)";
    place.execute(&format!("UPDATE logs SET position = 4, hash = {last} WHERE position = 5")).await;
    assert_whole(&place, &["the log is unchanged (events: 4,"]);
    assert_found(&place, Some(&kept), &["it ends at position 4, and had an event at position 5"]);

    place.execute("DELETE FROM events WHERE position = 2").await;
    assert_found(&place, None, &["the event at position 2 was removed"]);
}

#[rstest]
#[tokio::test]
async fn a_chain_that_was_computed_again_is_found_against_a_kept_head(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    story(&server).await;
    let kept = head(&place);
    let sealed = place.run_ok(&["events", "export", "--sealed"]);
    let mut lines = sealed.lines();
    let heading: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let anchor = heading["anchor"].as_str().unwrap();
    let mut hash = anchor.parse::<patron_domain::event::chain::ChainHead>().unwrap().hash;
    place.execute("UPDATE events SET actor = 'mallory' WHERE position = 3").await;
    let bytes = |hash: &dyn std::fmt::Display| match backend {
        Backend::Sqlite => format!("X'{hash}'"),
        Backend::Postgres => format!("'\\x{hash}'"),
    };
    for line in lines {
        let mut event: SealedEvent<'_> = serde_json::from_str(line).unwrap();
        if event.position == 3 {
            event.actor = "mallory".into();
        }
        hash = event.hash_after(&hash);
        place.execute(&format!("UPDATE events SET hash = {} {}", bytes(&hash), at(event.position))).await;
    }
    place.execute(&format!("UPDATE logs SET hash = {} WHERE position = 5", bytes(&hash))).await;
    assert_whole(&place, &["the log is unchanged (events: 5,"]);
    assert_found(&place, Some(&kept), &["the hashes were computed again: the event at position 5"]);
}

#[rstest]
#[tokio::test]
async fn an_erasure_keeps_the_chain_whole(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let ids = story(&server).await;
    let kept = head(&place);
    erase(&server, &ids[1]).await;
    erase(&server, &ids[0]).await;
    // A suppressed customer is not exported either.
    let body = json!({ "customer_id": ids[2], "request_channel": "api", "cooldown_days": 7 });
    server.post("/v1/privacy/deletion-requests", &body).await.expect(202);
    server.post("/v1/customers", &minimal("later")).await.expect(201);
    let told = place.run_ok(&["events", "verify", "--head", &kept]);
    assert!(told.contains("the log is unchanged (events: 11, erased states: 3"), "{told}");
    let file = exported(&place);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("Lovelace") && !text.contains("Hopper"), "{text}");
    assert!(text.contains("later"));
    let told = place.run_ok(&["events", "verify", file.to_str().unwrap(), "--head", &kept]);
    assert!(told.contains("the log is unchanged (events: 11, erased states: 4"), "{told}");
    let salts = place.number("SELECT count(*) FROM events WHERE salt IS NOT NULL").await;
    assert_eq!(salts, 3, "the rate, the suppressed customer, and the later one");
}

#[rstest]
#[tokio::test]
async fn an_export_is_verified_without_a_database(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    story(&server).await;
    let file = exported(&place);
    let text = fs::read_to_string(&file).unwrap();
    let nowhere = "sqlite://nowhere.db";
    let path = file.to_str().unwrap();
    let verify = ["--database-url", nowhere, "events", "verify", path];
    assert!(place.run_ok(&verify).contains("the log is unchanged (events: 5,"));
    let line = |number: usize| text.lines().nth(number).unwrap().to_owned();
    for (changed, words) in [
        (text.replace("Grace", "Eva"), "line 6: the event at position 5 was changed: its state"),
        (text.replace(&format!("{}\n", line(2)), ""), "line 3: the event at position 2 was removed"),
        (text.replace(&line(2), &format!("{}\n{}", line(2), line(2))), "line 4: an event was inserted at position 2"),
        (text.replace(&line(4), "{}"), "line 5: it is not an event"),
        (text.replace(&format!("{}\n", line(0)), ""), "line 1: it is not the first line"),
        (String::new(), "it is empty"),
    ] {
        fs::write(&file, changed).unwrap();
        assert_refused(&place.run(&verify), 1, &[words]);
    }
    assert_eq!(place.run(&["events", "verify", "--head", "5"]).status.code(), Some(2), "it is not a head");
}
