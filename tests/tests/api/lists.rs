//! Rules that all lists share: cursors, parameters, and the errors for invalid parameters.

use patron_tests::{
    patron::{Backend, Place, Server},
    requests::{minimal, tax_rate},
};
use rstest::rstest;
use serde_json::{Value, json};

/// Creates at least two of everything that can be listed; returns the paths of the lists.
async fn fill(server: &Server) -> Vec<String> {
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    for code in ["A", "B", "C"] {
        server.post("/v1/taxes/rates", &tax_rate(code)).await.expect(201);
    }
    let mut customer = minimal("acme");
    customer["tax_rate_overrides"] =
        ["A", "B", "C"].iter().map(|code| json!({ "tax_rate_code": code, "currency": "EUR" })).collect();
    customer["integration_entity_mapping"] =
        ["x", "y", "z"].iter().map(|name| json!({ "provider_type": name, "provider_entity_id": "1" })).collect();
    let customer = id(&server.post("/v1/customers", &customer).await.expect(201));
    for name in ["umbrella", "hooli"] {
        server.post("/v1/customers", &minimal(name)).await.expect(201);
        server.post("/v1/environments", &json!({ "name": name, "type": "development" })).await.expect(201);
        server.post("/v1/secrets/api/keys", &json!({ "name": name, "type": "private_key" })).await.expect(201);
        let link = json!({ "entity_id": customer, "provider_type": name, "provider_entity_id": "1" });
        server.post("/v1/integrations/link", &link).await.expect(200);
    }
    let mut endpoint = String::new();
    for _ in 0..3 {
        let url = json!({ "url": "https://127.0.0.1:9/" });
        endpoint = id(&server.post("/v1/webhooks/endpoints", &url).await.expect(201));
        server.post(&format!("/v1/webhooks/endpoints/{endpoint}/test"), &json!({})).await.expect(200);
    }
    for _ in 0..2 {
        server.post(&format!("/v1/webhooks/endpoints/{endpoint}/test"), &json!({})).await.expect(200);
    }
    vec![
        "/v1/customers".to_owned(),
        "/v1/taxes/rates".to_owned(),
        "/v1/taxes/associations".to_owned(),
        format!("/v1/integrations/mappings?entity_type=customer&entity_id={customer}"),
        "/v1/environments".to_owned(),
        "/v1/secrets/api/keys".to_owned(),
        "/v1/webhooks/endpoints".to_owned(),
        format!("/v1/webhooks/endpoints/{endpoint}/deliveries"),
        format!("/v1/customers/{customer}/history"),
        "/v1/events".to_owned(),
    ]
}

fn with(path: &str, parameter: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}{parameter}")
}

#[rstest]
#[tokio::test]
async fn every_list_can_be_read_to_its_end_by_cursor(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for list in fill(&server).await {
        // `last_used_at` of a key changes between two reads.
        let ids = |answer: &Value| -> Vec<Value> {
            answer["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
        };
        let whole = ids(&server.get(&with(&list, "limit=1000")).await.expect(200));
        let count = whole.len();
        assert!(count >= 3, "{list}: {whole:?}");
        let (mut items, mut cursor) = (Vec::new(), String::new());
        for page in 0.. {
            assert!(page <= count, "{list} does not end");
            let name = ["cursor", "starting_after", "after"][page % 3];
            let next = if cursor.is_empty() { String::new() } else { format!("&{name}={cursor}") };
            let answer = server.get(&with(&list, &format!("limit=1{next}"))).await.expect(200);
            items.extend(ids(&answer));
            // The event log always returns a cursor, so that a reader can ask for later events.
            let next = answer["pagination"].get("next_cursor").or_else(|| answer.get("next_cursor"));
            match next.filter(|_| answer.get("has_more") != Some(&json!(false))) {
                Some(next) => next.as_str().unwrap().clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(items, whole, "{list}");

        for refused in ["cursor=nonsense", &format!("cursor={cursor}&after={cursor}x"), "limit=0", "limit=1001"] {
            let answer = server.get(&with(&list, refused)).await;
            assert_eq!((answer.status, answer.error().0), (400, "validation_error"), "{list} {refused}");
        }
    }
}

#[tokio::test]
async fn every_list_checks_the_same_parameters() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    for list in fill(&server).await.iter().filter(|list| *list != "/v1/events") {
        for (parameters, path) in [
            ("start_time=yesterday", "start_time"),
            ("end_time=2026-01-31", "end_time"),
            ("start_time=2026-01-02T00:00:00Z&end_time=2026-01-01T00:00:00Z", "end_time"),
            ("order=up", "order"),
            ("limit=ten", "limit"),
            ("offset=-1", "offset"),
            ("limit=%FF", "limit"),
        ] {
            let answer = server.get(&with(list, parameters)).await;
            assert_eq!((answer.status, answer.error()), (400, ("validation_error", vec![path])), "{list} {parameters}");
        }
        let time = "start_time=2020-01-01T00:00:00+01:00&end_time=2099-01-01T00:00:00%2B01:00&order=asc&unknown=1";
        assert_eq!(server.get(&with(list, time)).await.status, 200, "{list}");
    }
}

#[tokio::test]
async fn environments_are_listed_like_everything_else_and_like_flexprice() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    server.post("/v1/environments", &json!({ "name": "E", "type": "development" })).await.expect(201);
    let list = server.get("/v1/environments?limit=1").await.expect(200);
    assert_eq!(list["items"], list["environments"]);
    assert_eq!((&list["total"], &list["limit"], &list["offset"]), (&json!(2), &json!(1), &json!(0)));
    let pagination = &list["pagination"];
    assert_eq!((&pagination["total"], &pagination["limit"], &pagination["offset"]), (&json!(2), &json!(1), &json!(0)));
    assert!(pagination["next_cursor"].is_string());
}

#[tokio::test]
async fn entity_types_that_only_flexprice_has_return_empty_lists() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let mut customer = minimal("acme");
    customer["integration_entity_mapping"] = json!([{ "provider_type": "crm", "provider_entity_id": "1" }]);
    let id = server.post("/v1/customers", &customer).await.expect(201)["id"].as_str().unwrap().to_owned();
    for kind in ["subscription", "plan", "invoice"] {
        for list in [
            format!("/v1/integrations/mappings?entity_type={kind}&entity_id={id}"),
            format!("/v1/integrations/mappings?entity_type={kind}&provider_type=crm&provider_entity_id=1"),
            format!("/v1/taxes/associations?entity_type={kind}"),
        ] {
            assert_eq!(server.get(&list).await.expect(200)["items"], json!([]), "{list}");
        }
        let link = json!({ "entity_type": kind, "entity_id": id, "provider_type": "x", "provider_entity_id": "1" });
        let refused = server.post("/v1/integrations/link", &link).await;
        assert_eq!((refused.status, refused.error().1), (400, vec!["entity_type"]));
        let tax = json!({ "entity_type": kind, "entity_id": id, "tax_rate_code": "X" });
        let refused = server.post("/v1/taxes/associations", &tax).await;
        assert!(refused.status == 400 && refused.error().1.contains(&"entity_type"), "{:#}", refused.body);
    }
    let unknown =
        server.get("/v1/integrations/mappings?entity_type=spaceship&provider_type=crm&provider_entity_id=1").await;
    assert_eq!((unknown.status, unknown.error().1), (400, vec!["entity_type"]));
}

#[tokio::test]
async fn a_search_limits_its_values_and_has_one_direction_for_each_field() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    for (id, name) in [("a", "Zoe"), ("b", "ada"), ("c", "İSTANBUL A.Ş.")] {
        server.post("/v1/customers", &json!({ "external_id": id, "name": name })).await.expect(201);
    }
    let found = async |body: Value| {
        let answer = server.post("/v1/customers/search", &body).await.expect(200);
        answer["items"].as_array().unwrap().iter().map(|item| item["external_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found(json!({ "sort": [{ "field": "name" }] })).await, ["b", "c", "a"]);
    assert_eq!(found(json!({ "sort": [{ "field": "name" }], "order": "desc" })).await, ["a", "c", "b"]);
    assert_eq!(found(json!({ "sort": [{ "field": "created_at" }] })).await, ["c", "b", "a"]);
    assert_eq!(found(json!({})).await, ["c", "b", "a"]);
    let contains =
        |text: &str| json!({ "filters": [{ "field": "name", "operator": "contains", "value": { "string": text } }] });
    for text in ["istanbul", "ISTANBUL", "ıstanbul", "i\u{307}stanbul"] {
        assert_eq!(found(contains(text)).await, ["c"], "{text}");
    }

    let ids = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    let many = |ours: usize, theirs: usize| {
        let none_of = json!({ "field": "name", "operator": "not_in", "value": { "array": ids(theirs) } });
        json!({ "external_ids": ids(ours), "filters": [none_of] })
    };
    server.post("/v1/customers/search", &many(500, 500)).await.expect(200);
    let refused = server.post("/v1/customers/search", &many(500, 501)).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["filters"]));
    assert_eq!(refused.body["details"]["filters"]["rule"], "max_values");

    let page = json!({ "limit": 1, "sort": [{ "field": "name" }] });
    let next = server.post("/v1/customers/search", &page).await.expect(200)["pagination"]["next_cursor"].clone();
    assert_eq!(found(json!({ "sort": [{ "field": "name" }], "cursor": next })).await, ["c", "a"]);
    let refused = server.post("/v1/customers/search", &json!({ "cursor": next })).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["cursor"]), "a cursor for another sort order");
    let refused = server.post("/v1/customers/search", &json!({ "cursor": "x", "starting_after": "y" })).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["cursor"]));
}
