//! Values of customers: each of its type, in every kind of write.

use patron_tests::patron::{Backend, Place, Server};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{FIELDS, created, define, patch, refuses, sent, with};

/// Defines a field of each type, named after it.
async fn all_types(server: &Server) {
    for kind in ["string", "integer", "decimal", "boolean", "date"] {
        define(server, kind, kind, json!({})).await;
    }
    for kind in ["select", "multi_select"] {
        define(server, kind, kind, json!({ "options": ["gold", "silver", "Österreich"] })).await;
    }
}

#[rstest]
#[tokio::test]
async fn values_of_each_type_are_stored_returned_and_in_the_history(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    all_types(&server).await;
    let none = server.post("/v1/customers", &json!({ "external_id": "none" })).await.expect(201);
    assert_eq!(none["custom_fields"], json!({}));
    let given = json!({
        "string": "Ünïcode 🦀", "integer": -5, "decimal": "012.50", "boolean": false, "date": "2024-02-29",
        "select": "gold", "multi_select": ["silver", "Österreich"],
    });
    let mut wanted = given.clone();
    wanted["decimal"] = json!("12.5");
    let path = created(&server, "acme", given).await;
    let shown = server.get(&path).await.expect(200);
    assert_eq!(shown["custom_fields"], wanted);
    let listed = server.get("/v1/customers?external_id=acme").await.expect(200);
    assert_eq!(listed["items"][0]["custom_fields"], wanted);

    // A merge patch changes and clears single values; a number is a decimal too.
    let merged = json!({ "custom_fields": { "decimal": 1.25, "string": null, "multi_select": [], "integer": 0 } });
    let changed = patch(&server, &path, &merged).await.expect(200);
    let left = json!({ "integer": 0, "decimal": "1.25", "boolean": false, "date": "2024-02-29", "select": "gold" });
    assert_eq!(changed["custom_fields"], left);
    // The same again changes nothing, nor does what was read.
    let tag = patch(&server, &path, &merged).await;
    let again = sent(&server, Method::PUT, &path, &json!({ "custom_fields": left })).await;
    assert_eq!(tag.header("etag"), again.header("etag"));
    // PUT replaces, and null is as absent.
    let kept = sent(&server, Method::PUT, &path, &json!({ "name": "Acme", "custom_fields": null })).await.expect(200);
    assert_eq!(kept["custom_fields"], left);
    let replaced = json!({ "custom_fields": { "string": "x", "integer": null } });
    let replaced = sent(&server, Method::PUT, &path, &replaced).await.expect(200);
    assert_eq!(replaced["custom_fields"], json!({ "string": "x" }));
    let cleared = patch(&server, &path, &json!({ "custom_fields": null })).await.expect(200);
    assert_eq!(cleared["custom_fields"], json!({}));

    let history = server.get(&format!("{path}/history")).await.expect(200);
    let events = history["items"].as_array().unwrap();
    let states: Vec<&Value> = events.iter().map(|event| &event["data"]["custom_fields"]).collect();
    assert_eq!(states.len(), 5, "{history}");
    assert_eq!((states[0], states[1], states[3]), (&wanted, &left, &json!({ "string": "x" })));
    assert_eq!(events[1]["changed"], json!(["custom_fields"]));
}

#[rstest]
#[tokio::test]
async fn every_wrong_value_is_refused_at_its_path(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    all_types(&server).await;
    let long = "ä".repeat(501);
    for (fields, wanted) in [
        (
            json!({ "string": 5, "integer": "5", "decimal": true, "boolean": "true", "date": 2024 }),
            vec![("string", "type"), ("integer", "type"), ("decimal", "type"), ("boolean", "type"), ("date", "type")],
        ),
        (
            json!({ "string": {}, "select": ["gold"], "multi_select": "gold", "integer": 1.5 }),
            vec![("string", "type"), ("select", "type"), ("multi_select", "type"), ("integer", "type")],
        ),
        (
            json!({ "string": long, "decimal": "1,5", "date": "2026-02-29" }),
            vec![("string", "max_length"), ("decimal", "decimal"), ("date", "date")],
        ),
        (
            json!({ "string": " ", "integer": 9_007_199_254_740_992_i64, "date": "2026-1-1" }),
            vec![("string", "not_blank"), ("integer", "range"), ("date", "date")],
        ),
        (
            json!({ "select": "Gold", "multi_select": ["gold", "lead"] }),
            vec![("select", "one_of"), ("multi_select[1]", "one_of")],
        ),
        (json!({ "multi_select": ["gold", "gold"] }), vec![("multi_select[1]", "unique")]),
        (json!({ "multi_select": [7] }), vec![("multi_select[0]", "type")]),
        (json!({ "decimal": "1".repeat(29), "nobody": 1 }), vec![("decimal", "decimal"), ("nobody", "known_field")]),
    ] {
        let refused = server.post("/v1/customers", &with("acme", &fields)).await;
        let wanted: Vec<_> = wanted.iter().map(|(path, rule)| (format!("custom_fields.{path}"), *rule)).collect();
        refuses(&refused, &wanted.iter().map(|(path, rule)| (path.as_str(), *rule)).collect::<Vec<_>>());
    }
    let odd = server.post("/v1/customers", &with("acme", &json!({ "no such": 1 }))).await;
    refuses(&odd, &[("custom_fields[\"no such\"]", "known_field")]);
    let list = server.post("/v1/customers", &json!({ "external_id": "acme", "custom_fields": [] })).await;
    refuses(&list, &[("custom_fields", "type")]);
    let limits = json!({
        "string": "ä".repeat(500), "integer": 9_007_199_254_740_991_i64, "decimal": "1".repeat(28),
        "date": "9999-12-31", "nobody": null,
    });
    created(&server, "acme", limits).await;
}

#[rstest]
#[tokio::test]
async fn a_required_field_binds_writes_from_then_on(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    define(&server, "seats", "integer", json!({})).await;
    define(&server, "note", "string", json!({})).await;
    let path = created(&server, "early", json!({})).await;
    patch(&server, &format!("{FIELDS}/seats"), &json!({ "required": true })).await.expect(200);

    assert_eq!(server.get(&path).await.expect(200)["custom_fields"], json!({}), "reads never break");
    let missing = [("custom_fields.seats", "required")];
    refuses(&server.post("/v1/customers", &json!({ "external_id": "late" })).await, &missing);
    refuses(&sent(&server, Method::PUT, "/v1/customers/external/late", &json!({})).await, &missing);
    patch(&server, &path, &json!({ "name": "Early" })).await.expect(200);
    refuses(&patch(&server, &path, &json!({ "custom_fields": { "note": "x" } })).await, &missing);
    refuses(&sent(&server, Method::PUT, &path, &json!({ "custom_fields": {} })).await, &missing);
    let fields = json!({ "custom_fields": { "seats": 1 } });
    patch(&server, &path, &fields).await.expect(200);
    patch(&server, &path, &json!({ "custom_fields": { "note": "x" } })).await.expect(200);
    refuses(&patch(&server, &path, &json!({ "custom_fields": { "seats": null } })).await, &missing);
    sent(&server, Method::PUT, "/v1/customers/external/late", &fields).await.expect(201);
    // Archiving and restoring send no custom fields.
    patch(&server, &format!("{FIELDS}/note"), &json!({ "required": true })).await.expect(200);
    let late = server.get("/v1/customers/external/late").await.expect(200);
    let late = format!("/v1/customers/{}", late["id"].as_str().unwrap());
    assert_eq!(super::delete(&server, &late).await.status, 204);
    server.post(&format!("{late}/restore"), &json!({})).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn a_value_stays_valid_when_its_option_goes(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    define(&server, "tier", "select", json!({ "options": ["gold", "silver"] })).await;
    define(&server, "note", "string", json!({})).await;
    let path = created(&server, "acme", json!({ "tier": "gold" })).await;
    patch(&server, &format!("{FIELDS}/tier"), &json!({ "options": ["silver"] })).await.expect(200);
    let same = json!({ "custom_fields": { "tier": "gold", "note": "x" } });
    let kept = sent(&server, Method::PUT, &path, &same).await.expect(200);
    assert_eq!(kept["custom_fields"], same["custom_fields"]);
    refuses(
        &server.post("/v1/customers", &with("other", &json!({ "tier": "gold" }))).await,
        &[("custom_fields.tier", "one_of")],
    );
}
