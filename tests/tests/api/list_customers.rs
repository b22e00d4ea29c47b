//! `GET /v1/customers` and its pages, over both databases.

use patron_tests::{
    patron::{Backend, Place, Server, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

fn external_ids(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["external_id"].as_str().unwrap()).collect()
}

async fn fill(server: &Server, names: &[&str]) {
    for name in names {
        server.post("/v1/customers", &minimal(name)).await.expect(201);
    }
}

#[rstest]
#[tokio::test]
async fn parameters_filter_and_sort(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let empty = server.get("/v1/customers").await.expect(200);
    assert_eq!(empty, json!({ "items": [], "pagination": { "total": 0, "limit": 50, "offset": 0 } }));
    fill(&server, &["b,c", "a", "C"]).await;
    let a = server.get("/v1/customers/external/a").await.expect(200);
    let (id, at) = (a["id"].as_str().unwrap(), a["created_at"].as_str().unwrap());
    for (query, wanted) in [
        ("", &["C", "a", "b,c"][..]),
        ("?order=asc", &["b,c", "a", "C"]),
        ("?status=&order=&expand=&limit=&external_id=&email=&unknown=1", &["C", "a", "b,c"]),
        ("?sort=external_id&order=asc", &["C", "a", "b,c"]),
        ("?sort=external_id", &["C", "a", "b,c"]),
        ("?sort=external_id&order=desc", &["b,c", "a", "C"]),
        ("?sort=created_at", &["C", "a", "b,c"]),
        ("?limit=1&offset=1", &["a"]),
        ("?offset=9223372036854775807", &[]),
        ("?external_id=a", &["a"]),
        ("?external_id=A", &[]),
        ("?external_ids=b,c&external_ids=C", &["C", "b,c"]),
        ("?external_ids=a,C", &[]),
        ("?external_ids[]=b,c&external_ids%5B%5D=C", &["C", "b,c"]),
        (&format!("?customer_ids={id}&customer_ids=cust_x"), &["a"]),
        (&format!("?start_time={at}"), &["C", "a"]),
        (&format!("?end_time={at}"), &["a", "b,c"]),
        ("?email=nobody@example.com", &[]),
        ("?end_time=2020-01-01T00:00:00+01:00", &[]),
        ("?start_time=2020-01-01T00:00:00%2B01:00", &["C", "a", "b,c"]),
        ("?status=archived", &[]),
        ("?status=deleted", &[]),
    ] {
        let answer = server.get(&format!("/v1/customers{query}")).await.expect(200);
        assert_eq!(external_ids(&answer), wanted, "{query}");
        assert!(answer["pagination"]["total"].is_u64(), "{query}");
    }
    let uncounted = server.get("/v1/customers?include_total=false").await.expect(200);
    assert_eq!(uncounted["pagination"], json!({ "limit": 50, "offset": 0 }));
    let broken =
        "limit=0&offset=x&status=x&order=x&expand=x&sort=x&start_time=x&end_time=x&include_total=x&starting_after=x";
    let refused = server.get(&format!("/v1/customers?{broken}")).await;
    let paths = vec![
        "end_time",
        "expand",
        "include_total",
        "limit",
        "offset",
        "order",
        "sort",
        "start_time",
        "starting_after",
        "status",
    ];
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", paths)));
}

#[rstest]
#[tokio::test]
async fn integrations_are_shown_on_request(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let mut created = server.post("/v1/customers", &full("acme")).await.expect(201);
    fill(&server, &["plain"]).await;
    let expanded = server.get("/v1/customers?expand=integrations&order=asc").await.expect(200);
    assert_eq!(expanded["items"][0], created);
    assert_eq!(expanded["items"][1]["integrations"], json!([]));
    let search = json!({ "expand": "integrations", "order": "asc" });
    assert_eq!(server.post("/v1/customers/search", &search).await.expect(200), expanded);
    created.as_object_mut().unwrap().remove("integrations");
    let bare = server.get("/v1/customers?external_id=acme").await.expect(200);
    assert_eq!(bare["items"], json!([created]));
}

/// Many customers share one creation time, so that only their ids decide where a page ends.
#[rstest]
#[tokio::test]
async fn pages_neither_repeat_nor_miss_customers_with_equal_times(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for number in 0..40 {
        let body =
            json!({ "external_id": format!("c{number}"), "name": if number % 2 == 0 { "Same" } else { "same" } });
        server.post("/v1/customers", &body).await.expect(201);
    }
    let (same, columns) = (1_700_000_000_000_000_i64, "created_at = 1700000000000000, updated_at = 1700000000000000");
    let columns = format!("{columns} WHERE external_id NOT LIKE 'c1%'");
    place.set_in_documents("customers", "created_at", &json!(same), &columns).await;
    for sort in [
        json!({}),
        json!({ "order": "asc" }),
        json!({ "sort": [{ "field": "name" }] }),
        json!({ "sort": [{ "field": "name", "direction": "asc" }, { "field": "created_at", "direction": "desc" }] }),
        json!({ "sort": [{ "field": "updated_at", "direction": "asc" }], "filters": [{ "field": "name", "operator": "contains", "value": { "string": "SAME" } }] }),
        json!({ "sort": [{ "field": "email" }] }),
    ] {
        let mut whole = sort.clone();
        whole["limit"] = json!(1_000);
        let whole = server.post("/v1/customers/search", &whole).await.expect(200);
        assert_eq!(whole["pagination"].get("next_cursor"), None);
        let mut body = sort.clone();
        body["limit"] = json!(7);
        let (mut by_cursor, mut by_offset) = (Vec::new(), Vec::new());
        for number in 0.. {
            let page = server.post("/v1/customers/search", &body).await.expect(200);
            assert_eq!(page["pagination"]["total"], 40, "{sort}");
            by_cursor.extend(page["items"].as_array().unwrap().clone());
            let mut at = sort.clone();
            (at["limit"], at["offset"]) = (json!(7), json!(7 * number));
            by_offset.extend(
                server.post("/v1/customers/search", &at).await.expect(200)["items"].as_array().unwrap().clone(),
            );
            let Some(next) = page["pagination"].get("next_cursor") else { break };
            assert!(!next.as_str().unwrap().contains("ame"), "a cursor must hold no personal data");
            body["starting_after"] = next.clone();
        }
        assert_eq!(Value::from(by_cursor), whole["items"], "{sort}");
        assert_eq!(Value::from(by_offset), whole["items"], "{sort}");
    }
}

#[rstest]
#[tokio::test]
async fn a_cursor_is_valid_only_for_its_own_list(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    fill(&server, &["a", "b", "c"]).await;
    let first = server.get("/v1/customers?limit=1").await.expect(200);
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("/v1/customers?limit=2&starting_after={cursor}")).await.expect(200);
    assert_eq!(external_ids(&second), ["b", "a"]);
    assert_eq!(second["pagination"], json!({ "total": 3, "limit": 2, "offset": 0 }));
    for query in [
        format!("order=asc&starting_after={cursor}"),
        format!("sort=name&starting_after={cursor}"),
        format!("offset=1&starting_after={cursor}"),
        format!("starting_after={}", &cursor[2..]),
        "starting_after=%F0%9F%A6%80".to_owned(),
    ] {
        let refused = server.get(&format!("/v1/customers?{query}")).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["starting_after"])), "{query}");
    }
}

#[rstest]
#[tokio::test]
async fn a_reader_searches_only_its_own_environment(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    fill(&server, &["ours"]).await;
    let own = server.get("/v1/customers/external/ours").await.expect(200);
    let (tenant, environment) = (own["tenant_id"].as_str().unwrap(), own["environment_id"].as_str().unwrap());
    let arguments = ["environments", "create", "--tenant", tenant, "--name", "E", "--type", "production", "--json"];
    let other: Value = serde_json::from_str(&place.run_ok(&arguments)).unwrap();
    let key = |environment: &str| {
        let key =
            place.run_ok(&["keys", "create", "--environment", environment, "--name", "k", "--role", "all_reader"]);
        key.trim().to_owned()
    };
    let searches = [json!({}), json!({ "customer_ids": [own["id"]] }), json!({ "external_id": "ours" })];
    for (key, total) in [(key(environment), 1), (key(other["id"].as_str().unwrap()), 0)] {
        for body in &searches {
            let search = server.request_as(&key, Method::POST, "/v1/customers/search").json(body);
            assert_eq!(send(search).await.expect(200)["pagination"]["total"], total);
        }
        let list = send(server.request_as(&key, Method::GET, "/v1/customers")).await.expect(200);
        assert_eq!(list["pagination"]["total"], total);
        let write = server.request_as(&key, Method::POST, "/v1/customers").json(&minimal("x"));
        assert_eq!(send(write).await.status, 403);
    }
    let nobody = send(server.anonymous(Method::POST, "/v1/customers/search").json(&json!(null))).await;
    assert_eq!(nobody.status, 401);
}
