//! `POST /v1/customers/search`: what is found, and what is refused where, over both databases.

use patron_tests::{
    patron::{Backend, Place, Server},
    requests::minimal,
};
use rstest::rstest;
use serde_json::{Value, json};

/// Customers that tell the filters apart. Their external ids are the words in the tests below.
async fn fill(server: &Server) {
    let customers = [
        json!({ "external_id": "ada", "name": "Ada Straße 100%", "email": "Ada@example.com", "metadata": { "plan": "gold", "a\"b\\": "c'd" } }),
        json!({ "external_id": "BOB", "name": "ada strasse 1000", "email": "bob@example.com", "metadata": { "plan": "gold", "seat": "1" } }),
        json!({ "external_id": "cy_x", "name": "ΌΣΟΣ E\u{301}a", "address_country": "DE", "metadata": { "plan": "Gold" } }),
        json!({ "external_id": "cyax", "name": "_", "address_country": "FR", "metadata": { "gold": "plan" } }),
        minimal("nameless"),
    ];
    for customer in customers {
        server.post("/v1/customers", &customer).await.expect(201);
    }
}

/// The external ids that a search finds, the oldest first, and the total, which has to be their number.
async fn found(server: &Server, mut body: Value) -> Vec<String> {
    body["order"] = json!("asc");
    let answer = server.post("/v1/customers/search", &body).await.expect(200);
    let ids: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["external_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answer["pagination"]["total"], ids.len(), "{body}");
    ids
}

const ALL: [&str; 5] = ["ada", "BOB", "cy_x", "cyax", "nameless"];

#[rstest]
#[tokio::test]
async fn each_condition_finds_its_own(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    fill(&server).await;
    let text = |field: &str, operator: &str, text: &str| json!({ "filters": [{ "field": field, "operator": operator, "data_type": "string", "value": { "string": text } }] });
    let texts = |field: &str, operator: &str, texts: &[&str]| json!({ "filters": [{ "field": field, "operator": operator, "value": { "array": texts } }] });
    let everybody: &[&str] = &ALL;
    for (body, wanted) in [
        (json!({}), everybody),
        (json!({ "filters": [], "sort": [], "metadata": {}, "status": null, "email": "" }), everybody),
        // With its case.
        (text("name", "eq", "ada strasse 1000"), &["BOB"]),
        (text("name", "eq", "Ada strasse 1000"), &[]),
        (text("email", "eq", "Ada@example.com"), &["ada"]),
        (text("email", "eq", "ada@example.com"), &[]),
        (text("external_id", "eq", "BOB"), &["BOB"]),
        (text("address_country", "eq", "DE"), &["cy_x"]),
        (text("name", "eq", ""), &["nameless"]),
        (text("timezone", "eq", "UTC"), everybody),
        (json!({ "email": "Ada@example.com" }), &["ada"]),
        (json!({ "email": "ADA@example.com" }), &[]),
        (json!({ "external_id": "bob" }), &[]),
        (json!({ "external_id": "BOB" }), &["BOB"]),
        // In any case, also beyond ASCII; % and _ mean themselves.
        (text("name", "contains", "STRASSE"), &["ada", "BOB"]),
        (text("name", "contains", "straße 1"), &["ada", "BOB"]),
        (text("name", "contains", "100%"), &["ada"]),
        (text("name", "contains", "_"), &["cyax"]),
        (text("name", "contains", "όσοσ é"), &["cy_x"]),
        (text("external_id", "contains", "Y_X"), &["cy_x"]),
        (text("name", "starts_with", "ADA STRASSE 1"), &["ada", "BOB"]),
        (text("name", "starts_with", "strasse"), &[]),
        (text("email", "starts_with", "BOB@"), &["BOB"]),
        (text("name", "ieq", "ADA STRASSE 1000"), &["BOB"]),
        (text("email", "contains", "EXAMPLE"), &["ada", "BOB"]),
        (text("name", "not_contains", "straSSe"), &["cy_x", "cyax", "nameless"]),
        (text("name", "not_contains", "%"), &["BOB", "cy_x", "cyax", "nameless"]),
        (texts("external_id", "in", &["ada", "BOB", "bob", "ada"]), &["ada", "BOB"]),
        (texts("name", "in", &["", "_"]), &["cyax", "nameless"]),
        (texts("external_id", "in", &[]), &[]),
        (texts("external_id", "not_in", &["ada", "bob"]), &["BOB", "cy_x", "cyax", "nameless"]),
        (texts("name", "not_in", &["_"]), &["ada", "BOB", "cy_x", "nameless"]),
        (texts("name", "not_in", &[""]), &["ada", "BOB", "cy_x", "cyax"]),
        (texts("name", "not_in", &[]), everybody),
        // None of nothing.
        (json!({ "external_ids": [] }), &[]),
        (json!({ "customer_ids": [] }), &[]),
        (json!({ "external_ids": ["ada", "nobody"] }), &["ada"]),
        (json!({ "external_ids": ["ada,BOB"] }), &[]),
        (json!({ "external_ids": [""] }), &[]),
        (json!({ "customer_ids": ["ada"] }), &[]),
        (json!({ "metadata": { "plan": "gold" } }), &["ada", "BOB"]),
        (json!({ "metadata": { "plan": "gold", "seat": "1" } }), &["BOB"]),
        (json!({ "metadata": { "plan": "gold", "seat": "2" } }), &[]),
        (json!({ "metadata": { "a\"b\\": "c'd" } }), &["ada"]),
        (json!({ "metadata": { "planned": "gold" } }), &[]),
        (json!({ "start_time": "2001-01-01T00:00:00Z", "end_time": "9999-01-01T00:00:00+01:00" }), everybody),
        (json!({ "end_time": "2001-01-01T00:00:00Z" }), &[]),
        (json!({ "status": "archived" }), &[]),
        (json!({ "external_ids": ["ada", "BOB"], "email": "bob@example.com" }), &["BOB"]),
    ] {
        assert_eq!(found(&server, body.clone()).await, wanted, "{body}");
    }
}

#[rstest]
#[tokio::test]
async fn dates_are_compared_to_the_microsecond(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for name in ["one", "two", "three"] {
        server.post("/v1/customers", &minimal(name)).await.expect(201);
    }
    let two = server.get("/v1/customers/external/two").await.expect(200);
    for (operator, wanted) in [
        ("before", &["one"][..]),
        ("lt", &["one"]),
        ("eq", &["two"]),
        ("gte", &["two", "three"]),
        ("gt", &["three"]),
        ("after", &["three"]),
    ] {
        for (field, data_type) in [("created_at", json!("date")), ("updated_at", Value::Null)] {
            let filter = json!({ "field": field, "operator": operator, "data_type": data_type, "value": { "date": two[field] } });
            assert_eq!(found(&server, json!({ "filters": [filter] })).await, wanted, "{field} {operator}");
        }
    }
    let between = json!({ "start_time": two["created_at"], "end_time": two["created_at"] });
    assert_eq!(found(&server, between).await, ["two"]);
    let ids = json!({ "customer_ids": [two["id"], "cust_none"] });
    assert_eq!(found(&server, ids).await, ["two"]);
}

#[rstest]
#[tokio::test]
async fn all_faults_are_reported_with_their_paths(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let filter = |filter: Value| json!({ "filters": [filter] });
    let text = |field: &str, operator: &str| json!({ "filters": [{ "field": field, "operator": operator, "value": { "string": "a" } }] });
    let name_eq = |value: Value| json!({ "filters": [{ "field": "name", "operator": "eq", "value": value }] });
    let date =
        |date: Value| json!({ "filters": [{ "field": "created_at", "operator": "gt", "value": { "date": date } }] });
    for (body, paths) in [
        (json!(null), &[][..]),
        (json!([]), &[]),
        (json!({ "limit": 0 }), &["limit"]),
        (json!({ "limit": 1_001, "offset": -1 }), &["limit", "offset"]),
        (json!({ "limit": "5", "offset": 1.5 }), &["limit", "offset"]),
        (json!({ "status": "gone", "expand": "wallets", "order": "up" }), &["expand", "order", "status"]),
        (json!({ "start_time": "yesterday", "end_time": "2026-01-31" }), &["end_time", "start_time"]),
        (json!({ "start_time": "2026-02-01T00:00:00Z", "end_time": "2026-01-31T00:00:00Z" }), &["end_time"]),
        (
            json!({ "external_ids": "a", "customer_ids": [1, null] }),
            &["customer_ids[0]", "customer_ids[1]", "external_ids"],
        ),
        (json!({ "external_ids": vec!["a"; 1_001] }), &["external_ids"]),
        (json!({ "external_id": 1, "email": [], "include_total": 1 }), &["email", "external_id", "include_total"]),
        (json!({ "metadata": { "plan": null, "a b": 1 } }), &["metadata.plan", "metadata[\"a b\"]"]),
        (
            json!({ "metadata": (0..21).map(|n| (n.to_string(), json!(""))).collect::<serde_json::Map<_, _>>() }),
            &["metadata"],
        ),
        (json!({ "sort": [{ "field": "shoe_size", "direction": "up" }] }), &["sort[0].direction", "sort[0].field"]),
        (json!({ "sort": [{ "direction": "asc" }] }), &["sort[0].field"]),
        (json!({ "sort": [{ "field": "name" }, { "field": "name" }] }), &["sort[1].field"]),
        (json!({ "sort": ["name"] }), &["sort[0]"]),
        (json!({ "starting_after": "cust_1" }), &["starting_after"]),
        (
            json!({ "filters": [{}, 1, null] }),
            &["filters[0].field", "filters[0].operator", "filters[0].value", "filters[1]", "filters[2]"],
        ),
        (
            json!({ "filters": vec![json!({ "field": "name", "operator": "in", "value": { "array": [] } }); 21] }),
            &["filters"],
        ),
        (text("shoe_size", "eq"), &["filters[0].field"]),
        (text("status", "eq"), &["filters[0].field"]),
        (text("name", "like"), &["filters[0].operator"]),
        (text("name", "gt"), &["filters[0].operator"]),
        (text("name", "lt"), &["filters[0].operator"]),
        (text("name", "before"), &["filters[0].operator"]),
        (text("id", "contains"), &["filters[0].operator"]),
        (text("created_at", "contains"), &["filters[0].operator"]),
        (text("created_at", "gt"), &["filters[0].value"]),
        (text("name", "in"), &["filters[0].value"]),
        (filter(json!({ "field": "name", "operator": "contains", "value": { "string": "" } })), &["filters[0].value"]),
        (filter(json!({ "field": "name", "operator": "eq" })), &["filters[0].value"]),
        (name_eq(json!({})), &["filters[0].value"]),
        (name_eq(json!({ "string": null })), &["filters[0].value"]),
        (name_eq(json!({ "string": "a", "array": ["a"] })), &["filters[0].value"]),
        (name_eq(json!("a")), &["filters[0].value"]),
        (name_eq(json!({ "string": 1 })), &["filters[0].value.string"]),
        (name_eq(json!({ "number": 1.5 })), &["filters[0].value"]),
        (name_eq(json!({ "boolean": true })), &["filters[0].value"]),
        (name_eq(json!({ "array": ["a", 1] })), &["filters[0].value", "filters[0].value.array[1]"]),
        (date(json!("soon")), &["filters[0].value.date"]),
        (date(json!("2026-02-30T00:00:00Z")), &["filters[0].value.date"]),
        (
            filter(json!({ "field": "name", "operator": "eq", "data_type": "number", "value": { "string": "1" } })),
            &["filters[0].data_type"],
        ),
        (
            filter(json!({ "field": "name", "operator": "eq", "data_type": "text", "value": { "string": "1" } })),
            &["filters[0].data_type"],
        ),
        (json!({ "email": "a\0b" }), &["email"]),
    ] {
        let answer = server.post("/v1/customers/search", &body).await;
        assert_eq!(
            (answer.status, answer.error()),
            (400, ("validation_error", paths.to_vec())),
            "{body}: {}",
            answer.body
        );
    }
    let empty = server.post_raw("/v1/customers/search", "").await;
    assert_eq!((empty.status, empty.error().0), (400, "validation_error"));
}

/// The table is locked, so a search takes as long as it may: as if it had to read very many customers.
#[tokio::test]
async fn a_search_that_takes_too_long_is_refused_and_names_the_filter_that_costs() {
    let place = Place::fresh(Backend::Postgres).await;
    let server = place.serve_with(&[("PATRON_REQUEST_TIMEOUT_SECONDS", "5")]);
    server.post("/v1/customers", &minimal("a")).await.expect(201);
    let client = patron_tests::rows::connect(place.database_url()).await;
    client.batch_execute("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let value = json!({ "string": "+49" });
    let body = json!({ "filters": [{ "field": "contact", "operator": "starts_with", "value": value }] });
    let answer = server.post("/v1/customers/search", &body).await;
    assert_eq!(answer.error().0, "search_too_broad");
    let refused = answer.expect(400);
    assert_eq!(refused["details"]["contact"]["rule"], "search_too_broad", "{refused}");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(found(&server, body).await, [""; 0]);
}
