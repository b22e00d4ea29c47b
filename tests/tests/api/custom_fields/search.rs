//! Filters and sorting by custom fields.

use patron_tests::patron::{Backend, Place, Server};
use rstest::rstest;
use serde_json::{Value, json};

use super::{created, define, refuses};

/// The external ids that a filter finds, in order.
async fn found(server: &Server, field: &str, operator: &str, value: Value) -> String {
    let filter = json!({ "field": field, "operator": operator, "value": value });
    let body = json!({ "filters": [filter], "sort": [{ "field": "external_id" }] });
    ids(&server.post("/v1/customers/search", &body).await.expect(200))
}

fn ids(list: &Value) -> String {
    list["items"].as_array().unwrap().iter().map(|one| one["external_id"].as_str().unwrap()).collect()
}

async fn filled(server: &Server) {
    define(server, "note", "string", json!({})).await;
    define(server, "seats", "integer", json!({})).await;
    define(server, "rate", "decimal", json!({})).await;
    define(server, "active", "boolean", json!({})).await;
    define(server, "since", "date", json!({})).await;
    define(server, "tiers", "multi_select", json!({ "options": ["gold", "silver", "lead"] })).await;
    for (id, fields) in [
        ("a", json!({ "note": "Éclair 50%", "seats": 9, "rate": "-0.5", "active": true, "since": "2024-02-29" })),
        ("b", json!({ "note": "éclair", "seats": 10, "rate": "12.50", "active": false, "since": "2025-01-01" })),
        ("c", json!({ "note": "zebra", "seats": -3, "rate": 9, "tiers": ["gold", "lead"] })),
        ("d", json!({ "note": "Apple", "rate": "100.25", "tiers": ["gold"] })),
        ("e", json!({})),
    ] {
        created(server, id, fields).await;
    }
}

#[rstest]
#[tokio::test]
async fn customers_are_found_by_their_values(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    filled(&server).await;
    for (field, operator, value, wanted) in [
        ("note", "eq", json!({ "string": "éclair" }), "b"),
        ("note", "ieq", json!({ "string": "ÉCLAIR" }), "b"),
        ("note", "contains", json!({ "string": "CLAIR" }), "ab"),
        ("note", "contains", json!({ "string": "0%" }), "a"),
        ("note", "in", json!({ "array": ["zebra", "Apple", "apple"] }), "cd"),
        ("note", "eq", json!({ "string": "" }), "e"),
        ("seats", "eq", json!({ "number": 10 }), "b"),
        ("seats", "eq", json!({ "string": "10" }), "b"),
        ("seats", "gt", json!({ "number": 9 }), "b"),
        ("seats", "gte", json!({ "number": 9 }), "ab"),
        ("seats", "lt", json!({ "number": 9.5 }), "ac"),
        ("rate", "gt", json!({ "number": -1 }), "abcd"),
        ("rate", "lt", json!({ "string": "12.5" }), "ac"),
        ("rate", "eq", json!({ "string": "12.5" }), "b"),
        ("active", "eq", json!({ "boolean": true }), "a"),
        ("since", "eq", json!({ "string": "2025-01-01" }), "b"),
        ("since", "before", json!({ "date": "2025-01-01" }), "a"),
        ("since", "after", json!({ "date": "2024-02-28" }), "ab"),
        ("tiers", "eq", json!({ "string": "gold" }), "cd"),
        ("tiers", "contains_all", json!({ "array": ["gold", "lead"] }), "c"),
        ("tiers", "contains_any", json!({ "array": ["silver", "lead"] }), "c"),
        // A value of another type matches nobody.
        ("note", "gt", json!({ "number": 0 }), ""),
        ("seats", "after", json!({ "date": "2024-01-01" }), ""),
    ] {
        let shown = format!("{field} {operator} {value}");
        assert_eq!(found(&server, &format!("custom_fields.{field}"), operator, value).await, wanted, "{shown}");
    }
}

#[rstest]
#[tokio::test]
async fn customers_are_sorted_by_their_values_over_pages(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    filled(&server).await;
    for (field, direction, wanted) in [
        // Texts sort by their bytes without regard to case.
        ("note", "asc", "edcba"),
        ("seats", "asc", "decab"),
        ("seats", "desc", "baced"),
        ("rate", "asc", "eacbd"),
        ("since", "desc", "baedc"),
    ] {
        let mut all = String::new();
        let mut cursor = Value::Null;
        loop {
            let body = json!({
                "limit": 2, "cursor": cursor,
                "sort": [{ "field": format!("custom_fields.{field}"), "direction": direction }],
            });
            let page = server.post("/v1/customers/search", &body).await.expect(200);
            all.push_str(&ids(&page));
            cursor = page["pagination"]["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(all, wanted, "{field} {direction}");
    }
    let listed = server.get("/v1/customers?sort=custom_fields.rate&limit=1").await.expect(200);
    assert_eq!(ids(&listed), "e");
}

#[rstest]
#[tokio::test]
async fn unknown_fields_and_wrong_operators_are_refused(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    filled(&server).await;
    let search = async |filters: Value, sort: Value| {
        server.post("/v1/customers/search", &json!({ "filters": filters, "sort": sort })).await
    };
    let filter =
        |field: &str, operator: &str, value: Value| json!([{ "field": field, "operator": operator, "value": value }]);
    let unknown = search(filter("custom_fields.nobody", "eq", json!({ "string": "x" })), json!([])).await;
    refuses(&unknown, &[("custom_fields.nobody", "known_field")]);
    let unknown = search(json!([]), json!([{ "field": "custom_fields.nobody" }])).await;
    refuses(&unknown, &[("custom_fields.nobody", "known_field")]);
    assert_eq!(server.get("/v1/customers?sort=custom_fields.nobody").await.status, 400);
    for (field, operator, value, wanted) in [
        ("custom_fields.Note", "eq", json!({ "string": "x" }), ("filters[0].field", "one_of")),
        ("custom_fields.note", "not_in", json!({ "array": ["x"] }), ("filters[0].operator", "operator")),
        ("custom_fields.seats", "gt", json!({ "string": "many" }), ("filters[0].value", "type")),
        ("custom_fields.note", "contains", json!({ "string": "" }), ("filters[0].value", "required")),
        ("custom_fields.note", "eq", json!({ "date": "2024-01-01T00:00:00Z" }), ("filters[0].value", "type")),
        ("created_at", "gt", json!({ "date": "2024-01-01" }), ("filters[0].value", "type")),
        ("name", "eq", json!({ "number": 1 }), ("filters[0].value", "type")),
    ] {
        refuses(&search(filter(field, operator, value), json!([])).await, &[wanted]);
    }
}
