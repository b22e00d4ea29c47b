//! How imports end: their events, what is removed, and what a quota refuses.

use patron_tests::{
    audit,
    patron::{Backend, Place, Server},
    receiver::Receiver,
    requests::minimal,
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{counts, done, errors, import, upload};

const FILE: &str = "external_id,name\na,Ada Lovelace\n,nameless\n";

/// Waits until an import has a state.
async fn reaches(server: &Server, id: &Value, state: &str) -> Value {
    let path = format!("/v1/imports/{}", id.as_str().unwrap());
    let mut found = Value::Null;
    until(async || {
        found = server.get(&path).await.expect(200);
        if found["state"] == state { Ok(()) } else { Err(format!("it is {}", found["state"])) }
    })
    .await;
    found
}

#[rstest]
#[tokio::test]
async fn the_end_of_an_import_is_an_event(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")]);
    let receiver = Receiver::start().await;
    let endpoint = json!({ "url": receiver.url(), "event_types": ["import.*"] });
    server.post("/v1/webhooks/endpoints", &endpoint).await.expect(201);

    let ended = import(&server, "format=csv&mode=upsert", FILE).await;
    let waiting = import(&server, "format=csv&mode=upsert&confirm=true&again=true", FILE).await;
    let cancel = format!("/v1/imports/{}/cancel", waiting["id"].as_str().unwrap());
    let cancelled = server.post(&cancel, &json!({})).await.expect(200);
    import(&server, "format=csv&mode=upsert&dry_run=true", FILE).await;

    // A dry run writes no event, not even when it ends by itself.
    let events = server.get("/v1/events?entity_type=import").await.expect(200)["items"].clone();
    let types: Vec<_> = events.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["import.completed", "import.cancelled"]);
    let event = &events[0];
    assert_eq!(event["entity"], json!({ "type": "import", "id": ended["id"] }));
    assert_eq!((&event["sequence"], &event["actor"]), (&json!(1), &ended["created_by"]));
    assert_eq!(
        event["data"],
        json!({
            "id": ended["id"], "state": "completed_with_errors", "format": "csv", "preset": "patron", "mode": "upsert",
            "bytes": FILE.len(), "rows": 2, "counts": { "created": 1, "updated": 0, "unchanged": 0, "failed": 1 },
            "created_at": ended["created_at"], "created_by": ended["created_by"], "ended_at": ended["ended_at"],
        })
    );
    assert_eq!(events[1]["data"]["state"], cancelled["state"]);
    let one = server.get(&format!("/v1/events?entity_id={}", ended["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(one["items"], json!([event]));
    // It comes after the events of the rows.
    let all = server.get("/v1/events").await.expect(200);
    assert_eq!((&all["items"][0]["type"], &all["items"][1]["type"]), (&json!("customer.created"), &event["type"]));

    let received = receiver.wait_for(2).await;
    let body = received[0].json();
    assert_eq!((&body["event_type"], &body["event_id"]), (&event["type"], &event["id"]));
    assert_eq!((&body["import"], &body["entity_type"]), (&event["data"], &json!("import")));
    assert!(!String::from_utf8_lossy(&received[0].body).contains("Ada"));
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn an_import_that_waits_too_long_ends_and_its_details_are_removed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let pieces = "SELECT count(*) FROM import_pieces";
    let ready = import(&server, "format=csv&mode=upsert&confirm=true", FILE).await;
    assert_eq!(place.number(pieces).await, 1);
    assert_eq!(
        (ready["diffs"].as_array().unwrap().len(), errors(&server, &ready).await[0]["row"].clone()),
        (1, json!(2))
    );
    place.execute("UPDATE imports SET due_at = 1").await;
    let cancelled = reaches(&server, &ready["id"], "cancelled").await;
    assert!(cancelled["failure"].as_str().unwrap().contains("not started within 7 days"), "{cancelled:#}");
    assert_eq!(place.number(pieces).await, 0);
    let events = server.get("/v1/events?type=import.cancelled").await.expect(200);
    assert_eq!(events["items"][0]["actor"], "system");

    // What it holds about customers is removed later.
    assert_eq!(errors(&server, &cancelled).await.as_array().unwrap().len(), 1);
    place.execute("UPDATE imports SET due_at = 1").await;
    until(async || match place.number("SELECT count(*) FROM imports WHERE due_at IS NOT NULL").await {
        0 => Ok(()),
        left => Err(format!("{left} imports are not forgotten")),
    })
    .await;
    assert_eq!(place.number("SELECT count(*) FROM import_rows").await, 0);
    let forgotten = server.get(&format!("/v1/imports/{}", ready["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(
        (&forgotten["state"], &forgotten["diffs"], counts(&forgotten)),
        (&json!("cancelled"), &json!([]), [1, 0, 0, 1])
    );
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn an_interrupted_upload_fails_and_leaves_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let ready = import(&server, "format=csv&confirm=true", FILE).await;
    // As if the server had been killed during the upload.
    place.set_in_documents("imports", "state", &json!("uploading"), "state = 0, due_at = 1").await;
    let failed = reaches(&server, &ready["id"], "failed").await;
    assert_eq!(failed["failure"], "the upload was interrupted; upload the file again");
    assert_eq!(place.number("SELECT count(*) FROM import_pieces").await, 0);
    let events = server.get("/v1/events?type=import.failed").await.expect(200);
    assert_eq!(events["items"][0]["entity"]["id"], ready["id"]);
}

#[rstest]
#[tokio::test]
async fn a_quota_limits_the_bytes_of_files(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[("PATRON_QUOTA_IMPORT_BYTES", "2097152")]);
    // Each file is rounded up to a MiB.
    let first = import(&server, "format=csv&confirm=true", FILE).await;
    import(&server, "format=csv&confirm=true&again=true", FILE).await;
    let refused = upload(&server, "format=csv&again=true", FILE).await;
    let (code, _) = refused.error();
    assert_eq!((refused.status, code), (400, "invalid_operation"));
    let message = refused.body["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("the quota of this environment is 2097152 bytes in the files of imports;"),
        "{refused:?}"
    );
    assert_eq!(place.number("SELECT count(*) FROM imports").await, 2);
    // The end of an import frees its bytes.
    server.post(&format!("/v1/imports/{}/cancel", first["id"].as_str().unwrap()), &json!({})).await.expect(200);
    let third = upload(&server, "format=csv&again=true", FILE).await.expect(202);
    assert_eq!(done(&server, &third["id"]).await["state"], "completed_with_errors");
    server.post("/v1/customers", &minimal("b")).await.expect(201);
}

#[rstest]
#[tokio::test]
async fn imports_and_their_rows_are_counted(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[("PATRON_METRICS_PUBLIC", "true")]);
    import(&server, "format=csv&mode=upsert&dry_run=true", FILE).await;
    import(&server, "format=csv&mode=upsert", FILE).await;
    let ready = import(&server, "format=csv&mode=upsert&confirm=true&again=true", FILE).await;
    server.post(&format!("/v1/imports/{}/cancel", ready["id"].as_str().unwrap()), &json!({})).await.expect(200);
    let page = server.anonymous(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    for line in [
        "patron_imports_total{state=\"completed_with_errors\"} 1",
        "patron_imports_total{state=\"cancelled\"} 1",
        // Checks and dry runs do not count.
        "patron_import_rows_total{outcome=\"created\"} 1",
        "patron_import_rows_total{outcome=\"failed\"} 1",
        "patron_import_rows_left{phase=\"check\"} ",
        "patron_import_rows_left{phase=\"write\"} ",
        "patron_import_file_bytes ",
    ] {
        assert!(page.lines().any(|found| found.starts_with(line)), "no {line} in\n{page}");
    }
}
