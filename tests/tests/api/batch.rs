//! `POST /customers/batch`, over both databases.

use futures::future::join_all;
use patron_tests::{
    audit,
    patron::{Answer, Backend, Place, Server, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const PATH: &str = "/v1/customers/batch";

async fn batch(server: &Server, key: &str, body: &Value) -> Answer {
    send(server.request(Method::POST, PATH).header("Idempotency-Key", key).json(body)).await
}

fn create(external_id: &str) -> Value {
    json!({ "op": "create", "body": minimal(external_id) })
}

/// The statuses of the items.
fn statuses(answer: &Value) -> Vec<u64> {
    let items = answer["items"].as_array().unwrap();
    for (index, item) in items.iter().enumerate() {
        assert_eq!(item["index"], index);
    }
    items.iter().map(|item| item["status"].as_u64().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn each_change_has_its_own_result(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let old = server.post("/v1/customers", &minimal("old")).await.expect(201)["id"].clone();
    let items = json!([
        create("new"),
        { "op": "create", "body": { "external_id": "old" } },
        { "op": "upsert", "external_id": "fresh", "body": { "name": "Fresh" } },
        { "op": "upsert", "body": { "external_id": "fresh", "name": "Fresher" } },
        { "op": "patch", "id": old, "if_match": "\"1\"", "body": { "metadata": { "plan": "gold" } } },
        { "op": "patch", "external_id": "old", "if_match": "\"1\"", "body": { "name": "Late" } },
        { "op": "update", "external_id": "nowhere", "body": { "name": "X" } },
        { "op": "create", "body": { "external_id": "bad", "email": "x", "metadata": { "a": "\u{0}" } } },
        { "op": "archive", "id": old },
        { "op": "restore", "id": old },
        { "op": "merge", "id": old },
    ]);
    let answer = server.post(PATH, &json!({ "items": items })).await.expect(207);
    assert_eq!(statuses(&answer), [201, 409, 201, 200, 200, 412, 404, 400, 204, 200, 400]);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(6), &json!(5)));
    let item = |index: usize| &answer["items"][index];
    assert_eq!(item(1)["error"]["details"]["external_id"]["existing_id"], old);
    assert_eq!((&item(3)["id"], &item(3)["version"]), (&item(2)["id"], &json!(2)));
    assert_eq!(item(5)["error"]["details"]["if_match"]["current_version"], 2);
    let faults: Vec<_> = item(7)["error"]["details"].as_object().unwrap().keys().collect();
    assert_eq!(faults, ["email", "metadata.a"]);
    assert_eq!((&item(9)["version"], &item(9)["external_id"]), (&json!(4), &json!("old")));
    assert!(item(7).get("id").is_none() && item(9).get("error").is_none());
    assert_eq!((&item(10)["op"], &item(10)["error"]["details"]["op"]["rule"]), (&json!("merge"), &json!("one_of")));
    let found = server.get("/v1/customers/external/fresh").await.expect(200);
    assert_eq!(found["name"], "Fresher");
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn changes_of_one_customer_are_made_in_their_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let id = server.post("/v1/customers", &minimal("first")).await.expect(201)["id"].clone();
    // By its id, by its external id, and after a rename.
    let mut items = vec![json!({ "op": "patch", "id": id, "body": { "external_id": "second" } })];
    for number in 0..50 {
        let named = if number % 2 == 0 { json!("id") } else { json!("external_id") };
        let value = if number % 2 == 0 { id.clone() } else { json!("second") };
        let mut item = json!({ "op": "patch", "body": { "name": format!("{number}") } });
        item[named.as_str().unwrap()] = value;
        items.push(item);
        items.push(create(&format!("other-{number}")));
    }
    let answer = server.post(PATH, &json!({ "items": items })).await.expect(207);
    assert_eq!(answer["failed"], 0, "{:#}", answer);
    let versions: Vec<_> = answer["items"].as_array().unwrap().iter().filter(|item| item["op"] == "patch").collect();
    let versions: Vec<_> = versions.iter().map(|item| item["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, (2..=52).collect::<Vec<_>>());
    assert_eq!(server.get("/v1/customers/external/second").await.expect(200)["name"], "49");
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn an_atomic_batch_is_made_completely_or_not_at_all(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    server.post("/v1/customers", &minimal("taken")).await.expect(201);
    let atomic = |items: Value| json!({ "atomic": true, "items": items });
    let bad = json!({ "op": "create", "body": { "external_id": "x", "email": "x" } });
    let unnamed = json!({ "op": "archive" });
    let refused = server.post(PATH, &atomic(json!([create("a"), bad, unnamed]))).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.error(), ("validation_error", vec!["items[1].email", "items[2].id"]));
    let refused = server.post(PATH, &atomic(json!([create("a"), create("b"), create("taken")]))).await;
    assert_eq!((refused.status, refused.error()), (409, ("already_exists", vec!["items[2].external_id"])));
    let unknown = json!({ "op": "archive", "external_id": "nowhere" });
    let refused = server.post(PATH, &atomic(json!([create("a"), unknown]))).await;
    assert_eq!((refused.status, refused.error()), (404, ("not_found", vec!["items[1]"])));
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 1);

    // Each is decided on the state that the ones before it left.
    let items = json!([
        { "op": "create", "body": { "external_id": "acme", "name": "Acme" } },
        { "op": "patch", "external_id": "acme", "if_match": "\"1\"", "body": { "external_id": "acme-2" } },
        { "op": "archive", "external_id": "acme-2" },
        create("acme"),
        create("acme-2"),
    ]);
    let done = batch(&server, "k", &atomic(items.clone())).await.expect(200);
    assert_eq!(statuses(&done), [201, 200, 204, 201, 201]);
    let again = batch(&server, "k", &atomic(items)).await.expect(200);
    assert_eq!(again, done);
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 4);
    let other = batch(&server, "k", &atomic(json!([create("z")]))).await;
    assert_eq!((other.status, other.error().0), (409, "idempotency_key_reused"));
    audit::is_consistent(&place).await;
}

#[rstest]
#[tokio::test]
async fn a_repeated_batch_makes_only_what_was_not_made(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let with_rate = json!({ "op": "create", "body": full("with-rate") });
    let body = json!({ "items": [create("a"), with_rate, create("b")] });
    let first = batch(&server, "k", &body).await.expect(207);
    assert_eq!(statuses(&first), [201, 404, 201]);
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let second = batch(&server, "k", &body).await.expect(207);
    assert_eq!(statuses(&second), [201, 201, 201]);
    assert_eq!(second["items"][0], first["items"][0]);
    let third = batch(&server, "k", &body).await.expect(207);
    assert_eq!(third, second);
    let other = batch(&server, "k", &json!({ "items": [create("c")] })).await;
    assert_eq!((other.status, other.error()), (409, ("idempotency_key_reused", vec!["Idempotency-Key"])));
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 3);
    audit::is_consistent(&place).await;
}

#[rstest]
#[tokio::test]
async fn concurrent_repetitions_of_a_large_batch_are_made_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut items: Vec<_> = (0..1_000).map(|number| create(&format!("c{number}"))).collect();
    // More than the limit of other bodies.
    items[0]["body"]["metadata"] = (0..7).map(|key| (format!("{key}"), json!("x".repeat(8_000)))).collect();
    for item in &mut items {
        item["note"] = json!("x".repeat(1_500));
    }
    let body = json!({ "items": items });
    for answer in join_all((0..3).map(|_| batch(&server, "k", &body))).await {
        let answer = answer.expect(207);
        assert_eq!(answer["succeeded"], 1_000, "{}", answer["items"]);
    }
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 1_000);
    audit::is_whole(&place).await;
}

#[rstest]
#[tokio::test]
async fn a_batch_as_a_whole_can_be_refused(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let many = |count: usize| vec![json!({ "op": "archive", "external_id": "x" }); count];
    for body in [
        json!({}),
        json!({ "items": [] }),
        json!({ "items": many(1_001) }),
        json!({ "items": many(101), "atomic": true }),
    ] {
        let refused = server.post(PATH, &body).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["items"])));
    }
    let refused = server.post(PATH, &json!({ "items": "x", "atomic": 1 })).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["atomic", "items"]));
    let long = json!({ "items": [], "padding": "x".repeat(8 * 1_048_576) });
    assert_eq!(server.post(PATH, &long).await.status, 413);
    // One item with a thousand faults, a thousand times.
    let faulty = json!({ "op": "create", "body": { "external_id": "x", "tags": vec![1; 1_000] } });
    let refused = server.post(PATH, &json!({ "items": vec![faulty; 1_000] })).await.expect(207);
    assert_eq!(refused["failed"], 1_000);
    assert!(refused.to_string().len() < 9 * 1_048_576);
    let ignored = json!({ "items": [{ "op": "create", "body": { "external_id": "a", "nmae": "A" } }], "mode": 1 });
    let answer = server.post(PATH, &ignored).await;
    assert_eq!(answer.status, 207);
    assert_eq!(answer.header("Patron-Ignored"), Some("mode, items[0].nmae"));
}

/// As a single create does.
#[rstest]
#[tokio::test]
async fn unknown_tax_rates_are_named_beside_other_faults(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let create = |external_id: &str, email: &str, codes: [&str; 2]| {
        let rate = |(code, currency)| json!({ "tax_rate_code": code, "currency": currency });
        let rates: Vec<_> = codes.into_iter().zip(["eur", "usd"]).map(rate).collect();
        let body = json!({ "external_id": external_id, "email": email, "tax_rate_overrides": rates });
        json!({ "op": "create", "body": body })
    };
    let code = "tax_rate_overrides[1].tax_rate_code";
    let bad = create("a", "x", ["VAT", "NONE"]);
    let single = server.post("/v1/customers", &bad["body"]).await;
    assert_eq!((single.status, single.error()), (400, ("validation_error", vec!["email", code])));

    let items = json!([bad, create("b", "", ["VAT", "NONE"]), create("c", "x", ["VAT", "VAT"])]);
    let each = server.post(PATH, &json!({ "items": items })).await.expect(207);
    assert_eq!(statuses(&each), [400, 404, 400]);
    assert_eq!(each["items"][0]["error"], single.body);
    let faults = |item: &Value| item["error"]["details"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        (faults(&each["items"][1]), faults(&each["items"][2])),
        (vec![code.to_owned()], vec!["email".to_owned()])
    );

    let all = server.post(PATH, &json!({ "atomic": true, "items": items })).await;
    let places = ["items[0].email", &format!("items[0].{code}"), &format!("items[1].{code}"), "items[2].email"];
    assert_eq!((all.status, all.error()), (400, ("validation_error", places.to_vec())));
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 0);
}
