//! Single fields and objects: what `PUT` and `PATCH` make of them, and how they are found.

use patron_tests::{
    patron::{Backend, Place, Server},
    requests::{everything, minimal, tax_rate},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{patch, path, put};

#[rstest]
#[tokio::test]
async fn put_replaces_and_patch_merges_objects(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let created = server.post("/v1/customers", &everything("acme")).await.expect(201);
    let path = path(&created);

    let patched = json!({
        "shipping_address": { "line2": null, "city": "", "name": "Ada" },
        "electronic_address": { "value": "1" },
        "billing_currency": null,
        "tax_treatment": null,
        "customer_type": "individual",
        "preferred_locales": null,
    });
    let now = patch(&server, &path, &patched).await.expect(200);
    let mut address = created["shipping_address"].clone();
    for (field, value) in [("line2", ""), ("city", ""), ("name", "Ada")] {
        address[field] = json!(value);
    }
    assert_eq!(now["shipping_address"], address);
    assert_eq!(now["electronic_address"], json!({ "scheme": "0204", "value": "1" }));
    assert_eq!((now.get("billing_currency"), &now["tax_treatment"]), (None, &json!("taxable")));
    assert_eq!((&now["customer_type"], &now["preferred_locales"]), (&json!("individual"), &json!([])));
    assert_eq!(now["legal_name"], created["legal_name"]);

    let replaced = json!({
        "shipping_address": { "city": "Kiel" },
        "electronic_address": { "scheme": "9930", "value": "2" },
        "legal_name": null,
        "buyer_reference": "",
        "tags": null,
    });
    let now = put(&server, &path, &replaced).await.expect(200);
    assert_eq!((&now["shipping_address"]["city"], &now["shipping_address"]["line1"]), (&json!("Kiel"), &json!("")));
    assert_eq!(now["electronic_address"], json!({ "scheme": "9930", "value": "2" }));
    assert_eq!((&now["legal_name"], &now["buyer_reference"]), (&created["legal_name"], &json!("")));
    assert_eq!(now["tags"], created["tags"]);

    let cleared = json!({ "shipping_address": {}, "electronic_address": {}, "customer_type": "", "tags": [] });
    let now = put(&server, &path, &cleared).await.expect(200);
    for field in ["shipping_address", "electronic_address", "customer_type"] {
        assert_eq!(now.get(field), None, "{field}");
    }
    assert_eq!(now["tags"], json!([]));

    let half = patch(&server, &path, &json!({ "electronic_address": { "scheme": "0204" } })).await;
    assert_eq!((half.status, half.error()), (400, ("validation_error", vec!["electronic_address.value"])));
    assert_eq!(server.get(&path).await.expect(200), now);

    let history = server.get(&format!("{path}/history")).await.expect(200);
    let changed = &history["items"][3]["changed"];
    assert_eq!(*changed, json!(["customer_type", "electronic_address", "shipping_address", "tags"]));
    assert_eq!(history["items"][0]["data"]["shipping_address"], created["shipping_address"]);
}

#[rstest]
#[tokio::test]
async fn a_read_customer_can_be_sent_back_and_fixed_fields_stay(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let created = server.post("/v1/customers", &everything("acme")).await.expect(201);
    let path = path(&created);
    let answer = put(&server, &path, &created).await;
    assert_eq!(answer.header("patron-ignored"), Some("integrations"));
    let mut same = answer.expect(200);
    same["updated_at"] = created["updated_at"].clone();
    assert_eq!(same, created);

    for (field, value) in [
        ("id", json!("cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE")),
        ("tenant_id", json!("tenant_01JDG3W9Z5X0M8R2K7T4B6Q1NE")),
        ("environment_id", json!("x")),
        ("status", json!("archived")),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("created_by", json!("me")),
    ] {
        let mut body = json!({ "name": "B" });
        body[field] = value;
        for answer in [put(&server, &path, &body).await, patch(&server, &path, &body).await] {
            assert_eq!((answer.status, answer.error()), (400, ("validation_error", vec![field])));
            assert_eq!(answer.body["details"][field]["rule"], "fixed");
        }
    }
    let refused = patch(&server, &path, &json!({ "status": 7 })).await;
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["status"])));
    assert_eq!(server.get(&path).await.expect(200)["name"], created["name"]);
}

/// The external ids of what a search finds, in its order.
async fn found(server: &Server, body: Value) -> Vec<String> {
    let found = server.post("/v1/customers/search", &body).await.expect(200);
    found["items"].as_array().unwrap().iter().map(|one| one["external_id"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn every_single_field_is_a_filter_and_a_sort_key(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for (id, legal_name, city, more) in [
        ("a", "ÜBER Straße", "Zürich", json!({ "customer_type": "company", "tax_treatment": "exempt" })),
        ("b", "über strasse", "ÄGYPTEN", json!({ "billing_currency": "EUR" })),
        ("c", "Acme", "aachen", json!({ "customer_type": "individual" })),
        ("d", "", "", json!({})),
    ] {
        let mut body = minimal(id);
        body["legal_name"] = json!(legal_name);
        body["address_city"] = json!(city);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.post("/v1/customers", &body).await.expect(201);
    }
    let filter = |field: &str, operator: &str, value: Value| {
        json!({
            "filters": [{ "field": field, "operator": operator, "value": value }],
            "sort": [{ "field": "external_id", "direction": "asc" }],
        })
    };
    let text = |text: &str| json!({ "string": text });
    for (field, operator, value, wanted) in [
        ("legal_name", "ieq", text("über STRASSE"), "ab"),
        ("legal_name", "eq", text("über strasse"), "b"),
        ("legal_name", "ieq", text(""), "d"),
        ("legal_name", "contains", text("STRASSE"), "ab"),
        ("legal_name", "not_contains", text("ü"), "cd"),
        ("address_city", "ieq", text("ägypten"), "b"),
        ("address_city", "contains", text("AACH"), "c"),
        ("tax_treatment", "eq", text("taxable"), "bcd"),
        ("tax_treatment", "ieq", text("EXEMPT"), "a"),
        ("customer_type", "in", json!({ "array": ["company", ""] }), "abd"),
        ("customer_type", "not_in", json!({ "array": ["company"] }), "bcd"),
        ("billing_currency", "eq", text("eur"), "b"),
        ("timezone", "contains", text("utc"), "abcd"),
    ] {
        let ids = found(&server, filter(field, operator, value.clone())).await;
        assert_eq!(ids.concat(), wanted, "{field} {operator} {value}");
    }
    for (field, direction, wanted) in [
        ("address_city", "asc", "dcab"),
        ("legal_name", "desc", "bacd"),
        ("tax_treatment", "asc", "abcd"),
        ("customer_type", "desc", "cabd"),
        ("id", "asc", "abcd"),
    ] {
        let keys = json!([
            { "field": field, "direction": direction }, { "field": "external_id", "direction": if field == "legal_name" { "desc" } else { "asc" } },
        ]);
        let body = |more: Value| {
            let mut body = json!({ "sort": keys, "limit": 3 });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let first = server.post("/v1/customers/search", &body(json!({}))).await.expect(200);
        let cursor = first["pagination"]["next_cursor"].clone();
        let mut ids = found(&server, body(json!({}))).await;
        ids.extend(found(&server, body(json!({ "cursor": cursor }))).await);
        assert_eq!(ids.concat(), wanted, "{field}");
    }
    let by_query = server.get("/v1/customers?sort=address_city").await.expect(200);
    assert_eq!(by_query["items"][0]["external_id"], "d");
    let refused = server.post("/v1/customers/search", &filter("id", "ieq", text("x"))).await;
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["filters[0].operator"])));
}
