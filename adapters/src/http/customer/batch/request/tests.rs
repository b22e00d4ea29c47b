//! Reading batches.

use serde_json::{Value, json};

use super::*;
use crate::http::json::parse;

fn batch(body: &Value) -> Result<Batch, ApiError> {
    parse(body.to_string().as_bytes(), BatchRequest::read)
}

/// The fault of a batch with one item.
fn refused(item: Value) -> Value {
    let batch = batch(&json!({ "items": [item] })).unwrap();
    serde_json::to_value(batch.items[0].change.as_ref().unwrap_err()).unwrap()
}

#[test]
fn every_operation_is_read() {
    let id = CustomerId::from_u128(7);
    let body = json!({
        "items": [
            { "op": "create", "body": { "external_id": "a" } },
            { "op": "create", "external_id": "a", "body": {} },
            { "op": "upsert", "external_id": "a", "body": { "name": "A" } },
            { "op": "update", "id": id, "if_match": "\"3\"", "body": { "name": "A" } },
            { "op": "patch", "external_id": "a", "body": { "name": null }, "id": null },
            { "op": "archive", "id": id },
            { "op": "restore", "external_id": "a", "body": null },
        ],
    });
    let Batch { atomic, items, unknown } = batch(&body).unwrap();
    assert!(!atomic && unknown.is_empty());
    assert_eq!(items.len(), 7);
    for item in &items {
        assert!(item.change.is_ok(), "{}", item.op);
    }
    assert_eq!(items[3].change.as_ref().unwrap().only_if, preconditions(["\"3\""], []));
}

#[test]
fn faults_are_those_of_the_item_and_of_its_body_together() {
    let fault = refused(json!({ "op": "update", "id": "cust_1", "external_id": "a", "body": { "email": "x" } }));
    let details = fault["details"].as_object().unwrap();
    assert_eq!(details.keys().collect::<Vec<_>>(), ["email", "external_id"]);
    assert_eq!(refused(json!({ "op": "merge" }))["details"]["op"]["rule"], "one_of");
    assert_eq!(refused(json!({ "op": "archive" }))["details"]["id"]["rule"], "required");
    assert_eq!(
        refused(json!({ "op": "archive", "external_id": "a", "body": {} }))["details"]["body"]["rule"],
        "exclusive"
    );
    assert_eq!(refused(json!({ "op": "create" }))["details"]["body"]["rule"], "required");
    assert_eq!(refused(json!({ "op": "create", "id": "cust_1", "body": {} }))["details"]["id"]["rule"], "exclusive");
    assert_eq!(refused(json!({ "op": "archive", "id": "unknown" }))["http_status_code"], 404);
    assert_eq!(refused(json!([]))["details"]["items"]["rule"], "type");
    assert_eq!(refused(json!({ "op": "create", "body": [] }))["http_status_code"], 400);
}

#[test]
fn the_number_of_items_is_limited() {
    let items = |count: usize, atomic: bool| {
        let item = json!({ "op": "archive", "external_id": "a" });
        batch(&json!({ "atomic": atomic, "items": vec![item; count] }))
    };
    for (count, atomic) in [(1, true), (100, true), (1, false), (1_000, false)] {
        assert_eq!(items(count, atomic).map(|batch| batch.items.len()).ok(), Some(count));
    }
    for (count, atomic) in [(0, true), (101, true), (0, false), (1_001, false)] {
        let refused = serde_json::to_value(items(count, atomic).err().unwrap()).unwrap();
        assert_eq!(refused["details"]["items"]["rule"], "max_items");
    }
}

#[test]
fn unknown_members_are_named_with_their_item() {
    let body = json!({ "items": [{ "op": "create", "mode": 1, "body": { "external_id": "a", "nmae": "x" } }] });
    let unknown: Vec<_> = batch(&body).unwrap().unknown.into_iter().map(|one| one.path).collect();
    assert_eq!(unknown, ["items[0].nmae"]);
}

#[test]
fn a_refused_item_says_its_operation_and_its_references() {
    let rates = json!([{ "tax_rate_code": "NONE", "currency": "eur" }, { "tax_rate_code": 7 }]);
    let create = json!({ "op": "create", "body": { "email": "x", "tax_rate_overrides": rates } });
    let read = batch(&json!({ "items": [{ "op": "merge" }, { "op": 7 }, [], create] })).unwrap();
    let ops: Vec<_> = read.items.iter().map(|item| item.op.as_str()).collect();
    assert_eq!(ops, ["merge", "", "", "create"]);
    let place = "tax_rate_overrides[0].tax_rate_code".to_owned();
    assert_eq!(read.items[3].rate_codes, [(place, "NONE".to_owned())]);
    let long = batch(&json!({ "items": [{ "op": "x".repeat(1_000) }] })).unwrap();
    assert_eq!(long.items[0].op.len(), MAX_OP);
}
