//! Tax rates, tax associations and explained taxes, over both databases.

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server, send},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const RATES: &str = "/v1/taxes/rates";
const ASSOCIATIONS: &str = "/v1/taxes/associations";

async fn put(server: &Server, path: &str, body: &Value) -> Answer {
    send(server.request(Method::PUT, path).json(body)).await
}

async fn delete(server: &Server, path: &str) -> Answer {
    send(server.request(Method::DELETE, path)).await
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

async fn a_rate(server: &Server, code: &str) -> Value {
    server.post(RATES, &tax_rate(code)).await.expect(201)
}

async fn a_customer(server: &Server, external_id: &str) -> String {
    id(&server.post("/v1/customers", &minimal(external_id)).await.expect(201)).to_owned()
}

fn tax(customer: &str, code: &str) -> Value {
    json!({ "tax_rate_code": code, "entity_type": "customer", "entity_id": customer })
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str, paths: &[&str]) {
    assert_eq!((answer.status, answer.error()), (status, (code, paths.to_vec())), "{:#}", answer.body);
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(id).collect()
}

#[rstest]
#[tokio::test]
async fn a_rate_is_changed_listed_and_put_away(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut body = tax_rate("VAT");
    body["description"] = json!("why");
    body["metadata"] = json!({ "a": "b" });
    let rate = server.post(RATES, &body).await.expect(201);
    let path = format!("{RATES}/{}", id(&rate));

    let nothing = json!({ "name": null, "description": null, "metadata": null, "code": null, "whatever": 1 });
    let mut same = put(&server, &path, &nothing).await.expect(200);
    assert!(same["updated_at"].as_str() >= rate["updated_at"].as_str());
    same["updated_at"] = rate["updated_at"].clone();
    assert_eq!(same, rate);

    let change = json!({
        "code": "MWST", "name": "Mehrwertsteuer", "description": "", "metadata": {}, "scope": "ONETIME",
        "tax_rate_status": "INACTIVE", "percentage_value": "7.50",
    });
    let changed = put(&server, &path, &change).await.expect(200);
    for (field, wanted) in [
        ("code", json!("MWST")),
        ("name", json!("Mehrwertsteuer")),
        ("description", json!("")),
        ("metadata", json!({})),
        ("scope", json!("ONETIME")),
        ("tax_rate_status", json!("INACTIVE")),
        ("percentage_value", json!("7.5")),
    ] {
        assert_eq!(changed[field], wanted, "{field}");
    }
    assert_eq!(server.get(&path).await.expect(200), changed, "INACTIVE is really stored");
    let fixed = put(&server, &path, &json!({ "tax_rate_type": "fixed", "fixed_value": "5" })).await.expect(200);
    assert_eq!((&fixed["tax_rate_type"], &fixed["fixed_value"]), (&json!("fixed"), &json!("5")));
    assert_eq!(fixed.get("percentage_value"), None);

    for (change, paths) in [
        (json!({ "name": "", "code": "" }), vec!["code", "name"]),
        (json!({ "percentage_value": "101" }), vec!["percentage_value"]),
        (json!({ "tax_rate_type": "percentage" }), vec!["percentage_value"]),
        (json!({ "percentage_value": "1", "fixed_value": "1" }), vec!["fixed_value"]),
        (json!({ "tax_rate_status": "off", "scope": 1 }), vec!["scope", "tax_rate_status"]),
    ] {
        let answer = put(&server, &path, &change).await;
        let mut found = answer.error().1;
        found.sort_unstable();
        assert_eq!((answer.status, found), (400, paths), "{:#}", answer.body);
    }
    a_rate(&server, "VAT").await;
    refused(&put(&server, &path, &json!({ "code": "VAT" })).await, 409, "already_exists", &["code"]);
    for path in [format!("{RATES}/taxrate_01JDG3W9Z5X0M8R2K7T4B6Q1NE"), format!("{RATES}/x")] {
        refused(&put(&server, &path, &json!({})).await, 404, "not_found", &[]);
        refused(&delete(&server, &path).await, 404, "not_found", &[]);
    }

    let gone = delete(&server, &path).await;
    assert_eq!((gone.status, gone.body), (204, Value::Null));
    assert_eq!(server.get(&path).await.expect(200)["status"], "archived");
    refused(&delete(&server, &path).await, 404, "not_found", &[]);
    refused(&put(&server, &path, &json!({ "name": "n" })).await, 400, "invalid_operation", &[]);
    a_rate(&server, "MWST").await;
}

#[rstest]
#[tokio::test]
async fn rates_are_listed_by_what_the_sdks_send(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut rates = Vec::new();
    for (code, change) in [
        ("A", json!({})),
        ("B", json!({ "scope": "EXTERNAL" })),
        ("C", json!({ "tax_rate_status": "INACTIVE" })),
        ("D", json!({})),
    ] {
        let mut body = tax_rate(code);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        rates.push(server.post(RATES, &body).await.expect(201));
    }
    delete(&server, &format!("{RATES}/{}", id(&rates[3]))).await;
    let (a, c) = (id(&rates[0]), id(&rates[2]));
    let since = rates[1]["created_at"].as_str().unwrap();
    for (query, wanted) in [
        (String::new(), vec![2, 1, 0]),
        ("order=asc".to_owned(), vec![0, 1, 2]),
        ("limit=1&offset=1".to_owned(), vec![1]),
        ("status=archived".to_owned(), vec![3]),
        ("status=deleted".to_owned(), vec![]),
        ("scope=EXTERNAL".to_owned(), vec![1]),
        ("tax_rate_status=INACTIVE".to_owned(), vec![2]),
        ("taxrate_codes=A,C,D".to_owned(), vec![2, 0]),
        ("taxrate_codes=A&taxrate_codes=C%2CD".to_owned(), vec![2, 0]),
        ("taxrate_codes=a".to_owned(), vec![]),
        ("taxrate_codes=,".to_owned(), vec![]),
        (format!("taxrate_ids={a},{c}"), vec![2, 0]),
        (format!("taxrate_ids={a}&taxrate_codes=C"), vec![]),
        ("taxrate_ids=x".to_owned(), vec![]),
        (format!("start_time={since}"), vec![2, 1]),
        (format!("end_time={since}"), vec![1, 0]),
        ("taxrate_codes=&whatever=1&expand=".to_owned(), vec![2, 1, 0]),
    ] {
        let list = server.get(&format!("{RATES}?{query}")).await.expect(200);
        let wanted: Vec<&str> = wanted.into_iter().map(|n: usize| id(&rates[n])).collect();
        assert_eq!(ids(&list), wanted, "{query}");
        assert!(list["pagination"]["total"].is_u64());
    }
    let answer = server.get(&format!("{RATES}?status=x&order=x&scope=x&tax_rate_status=x&start_time=x&limit=0")).await;
    let mut found = answer.error().1;
    found.sort_unstable();
    assert_eq!(
        (answer.status, found),
        (400, vec!["limit", "order", "scope", "start_time", "status", "tax_rate_status"])
    );
}

#[rstest]
#[tokio::test]
async fn a_rate_in_use_keeps_its_value(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let path = format!("{RATES}/{}", id(&rate));
    let customer = a_customer(&server, "acme").await;
    let own = server.post(ASSOCIATIONS, &tax(&customer, "VAT")).await.expect(200);
    let default = json!({ "tax_rate_code": "VAT", "entity_type": "tenant", "currency": "EUR" });
    let default = server.post(ASSOCIATIONS, &default).await.expect(200);

    for association in [own, default] {
        refused(&delete(&server, &path).await, 400, "invalid_operation", &[]);
        for change in [json!({ "percentage_value": "7" }), json!({ "tax_rate_type": "fixed", "fixed_value": "7" })] {
            refused(&put(&server, &path, &change).await, 400, "invalid_operation", &[]);
        }
        put(&server, &path, &json!({ "percentage_value": "19.0", "name": "n", "tax_rate_status": "ACTIVE" }))
            .await
            .expect(200);
        let gone = delete(&server, &format!("{ASSOCIATIONS}/{}", id(&association))).await.expect(200);
        assert_eq!((&gone["id"], &gone["status"]), (&association["id"], &json!("deleted")));
    }
    put(&server, &path, &json!({ "percentage_value": "7" })).await.expect(200);
    assert_eq!(delete(&server, &path).await.status, 204);
}

#[rstest]
#[tokio::test]
async fn a_customers_association_lives_with_its_customer(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let customer = a_customer(&server, "acme").await;
    let body = json!({
        "tax_rate_code": "VAT", "external_customer_id": "acme", "currency": "eur", "priority": 3, "auto_apply": false,
        "metadata": { "why": "test" }, "start_date": "2026-01-01T00:00:00+01:00", "end_date": "2027-01-01T00:00:00Z",
        "tax_behavior": "exclusive",
    });
    let made = server.post(ASSOCIATIONS, &body).await.expect(200);
    for (field, wanted) in [
        ("tax_rate_id", rate["id"].clone()),
        ("entity_type", json!("customer")),
        ("entity_id", json!(customer)),
        ("currency", json!("eur")),
        ("priority", json!(3)),
        ("auto_apply", json!(false)),
        ("metadata", json!({ "why": "test" })),
        ("start_date", json!("2025-12-31T23:00:00.000000Z")),
        ("end_date", json!("2027-01-01T00:00:00.000000Z")),
        ("status", json!("published")),
    ] {
        assert_eq!(made[field], wanted, "{field}");
    }
    let path = format!("{ASSOCIATIONS}/{}", id(&made));
    let mut embedded = made.clone();
    embedded["tax_rate"] = rate.clone();
    assert_eq!(server.get(&path).await.expect(200), embedded);
    let list = server.get(&format!("{ASSOCIATIONS}?external_customer_id=acme")).await.expect(200);
    assert_eq!(list, json!({ "items": [made], "pagination": { "total": 1, "limit": 50, "offset": 0 } }));
    let list = server.get(&format!("{ASSOCIATIONS}?external_customer_id=acme&expand=tax_rate")).await.expect(200);
    assert_eq!(list["items"], json!([embedded]));

    // It is a change of the customer.
    let etag = async || server.get(&format!("/v1/customers/{customer}")).await.header("etag").map(str::to_owned);
    assert_eq!(etag().await.as_deref(), Some("\"2\""));
    let changed = put(&server, &path, &json!({ "priority": 1, "metadata": {}, "auto_apply": true })).await.expect(200);
    assert_eq!(
        (&changed["priority"], &changed["auto_apply"], &changed["metadata"]),
        (&json!(1), &json!(true), &json!({}))
    );
    assert_eq!(etag().await.as_deref(), Some("\"3\""));
    let kept = put(&server, &path, &json!({ "priority": null })).await.expect(200);
    assert_eq!(kept["priority"], 1);
    refused(
        &put(&server, &path, &json!({ "priority": -1, "auto_apply": "x" })).await,
        400,
        "validation_error",
        &["auto_apply", "priority"],
    );

    let again = json!({ "tax_rate_code": "VAT", "entity_type": "customer", "entity_id": customer, "currency": "EUR" });
    let clash = server.post(ASSOCIATIONS, &again).await;
    refused(&clash, 409, "already_exists", &["tax_rate_code"]);
    assert_eq!(clash.body["details"]["tax_rate_code"]["existing_id"], made["id"]);
    server.post(ASSOCIATIONS, &tax(&customer, "VAT")).await.expect(200);

    let gone = delete(&server, &path).await.expect(200);
    assert_eq!((&gone["id"], &gone["status"]), (&made["id"], &json!("deleted")));
    refused(&delete(&server, &path).await, 404, "not_found", &[]);
    refused(&put(&server, &path, &json!({ "priority": 1 })).await, 400, "invalid_operation", &[]);
    assert_eq!(server.get(&path).await.expect(200)["status"], "deleted");
    server.post(ASSOCIATIONS, &again).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn the_environments_defaults(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let body = json!({ "tax_rate_code": "VAT", "entity_type": "tenant" });
    let made = server.post(ASSOCIATIONS, &body).await.expect(200);
    assert_eq!((&made["entity_id"], &made["auto_apply"]), (&made["tenant_id"], &json!(true)));
    assert_eq!(made.get("currency"), None);
    let mut own = body.clone();
    own["entity_id"] = made["tenant_id"].clone();
    let clash = server.post(ASSOCIATIONS, &own).await;
    refused(&clash, 409, "already_exists", &["tax_rate_code"]);
    assert_eq!(clash.body["details"]["tax_rate_code"]["existing_id"], made["id"]);
    own["entity_id"] = json!("tenant_x");
    refused(&server.post(ASSOCIATIONS, &own).await, 400, "validation_error", &["entity_id"]);

    let path = format!("{ASSOCIATIONS}/{}", id(&made));
    let changed = put(&server, &path, &json!({ "priority": 9 })).await.expect(200);
    assert_eq!(changed["priority"], 9);
    assert_eq!(server.get(&path).await.expect(200)["tax_rate"], rate);
    let customer = a_customer(&server, "acme").await;
    let of = |kind: &str| format!("{ASSOCIATIONS}?entity_type={kind}");
    assert_eq!(ids(&server.get(&of("tenant")).await.expect(200)), [id(&made)]);
    let customers = server.get(&of("customer")).await.expect(200);
    assert_eq!(
        (&customers["items"][0]["entity_id"], &customers["items"][0]["priority"]),
        (&json!(customer), &json!(9))
    );
    assert_eq!(server.get(ASSOCIATIONS).await.expect(200)["pagination"]["total"], 2);

    let gone = delete(&server, &path).await.expect(200);
    assert_eq!(gone["status"], "deleted");
    refused(&delete(&server, &path).await, 404, "not_found", &[]);
    refused(&put(&server, &path, &json!({})).await, 400, "invalid_operation", &[]);
    assert_eq!(server.get(&of("tenant")).await.expect(200)["pagination"]["total"], 0);
}

#[tokio::test]
async fn wrong_associations_are_refused_by_their_paths() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    a_rate(&server, "VAT").await;
    let mut inactive = tax_rate("OLD");
    inactive["tax_rate_status"] = json!("INACTIVE");
    server.post(RATES, &inactive).await.expect(201);
    let (acme, other) = (a_customer(&server, "acme").await, a_customer(&server, "other").await);
    let with = |change: Value| {
        let mut body = tax(&acme, "VAT");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let nobody = "cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
    for (change, status, code, paths) in [
        (json!({ "external_customer_id": "other" }), 400, "validation_error", vec!["entity_id"]),
        (json!({ "entity_id": null }), 400, "validation_error", vec!["entity_id"]),
        (json!({ "entity_id": "", "entity_type": "" }), 400, "validation_error", vec!["entity_type"]),
        (json!({ "entity_type": null }), 400, "validation_error", vec!["entity_type"]),
        (json!({ "entity_type": "invoice" }), 400, "validation_error", vec!["entity_type"]),
        (json!({ "entity_type": "tenant" }), 400, "validation_error", vec!["entity_id"]),
        (
            json!({ "tax_rate_code": null, "currency": "XXX" }),
            400,
            "validation_error",
            vec!["currency", "tax_rate_code"],
        ),
        (
            json!({ "start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-01T00:00:00Z" }),
            400,
            "validation_error",
            vec!["end_date"],
        ),
        (json!({ "end_date": "2020-01-01T00:00:00Z" }), 400, "validation_error", vec!["end_date"]),
        (json!({ "end_date": "2020-01-01T00:00:00Z", "entity_id": nobody }), 400, "validation_error", vec!["end_date"]),
        (json!({ "start_date": "tomorrow", "priority": 1.5 }), 400, "validation_error", vec!["priority", "start_date"]),
        (json!({ "tax_rate_code": "OLD" }), 400, "validation_error", vec!["tax_rate_code"]),
        (json!({ "tax_rate_code": "NONE" }), 404, "not_found", vec!["tax_rate_code"]),
        (json!({ "entity_id": nobody }), 404, "not_found", vec![]),
        (json!({ "entity_id": "x" }), 404, "not_found", vec![]),
        (json!({ "entity_id": null, "external_customer_id": "nobody" }), 404, "not_found", vec![]),
    ] {
        let answer = server.post(ASSOCIATIONS, &with(change.clone())).await;
        let (found, mut details) = answer.error();
        details.sort_unstable();
        assert_eq!((answer.status, found, details), (status, code, paths), "{change}: {:#}", answer.body);
    }
    for (body, code) in [(json!({ "tax_rate_code": "OLD" }), 400), (json!({ "tax_rate_code": "NONE" }), 404)] {
        let mut body = body;
        body["entity_type"] = json!("tenant");
        let answer = server.post(ASSOCIATIONS, &body).await;
        assert_eq!((answer.status, answer.error().1), (code, vec!["tax_rate_code"]));
    }
    for (query, status) in [
        ("external_customer_id=nobody".to_owned(), 404),
        (format!("entity_type=customer&entity_id={nobody}"), 404),
        (format!("external_customer_id=acme&entity_id={other}"), 400),
        (format!("external_customer_id=acme&entity_id={acme}"), 200),
        (format!("entity_id={acme}"), 400),
        ("entity_type=tenant&external_customer_id=acme".to_owned(), 400),
        ("expand=everything".to_owned(), 400),
        ("auto_apply=yes".to_owned(), 400),
    ] {
        assert_eq!(server.get(&format!("{ASSOCIATIONS}?{query}")).await.status, status, "{query}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        for id in ["ta_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "x"] {
            let request = server.request(method.clone(), &format!("{ASSOCIATIONS}/{id}"));
            refused(&send(request.json(&json!({}))).await, 404, "not_found", &[]);
        }
    }
}

#[rstest]
#[tokio::test]
async fn associations_are_filtered(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (vat, gst) = (a_rate(&server, "VAT").await, a_rate(&server, "GST").await);
    let customer = a_customer(&server, "acme").await;
    let mut made = Vec::new();
    for (code, currency, auto_apply) in [("VAT", None, true), ("VAT", Some("eur"), false), ("GST", Some("USD"), true)] {
        let mut body = tax(&customer, code);
        body["currency"] = json!(currency);
        body["auto_apply"] = json!(auto_apply);
        made.push(server.post(ASSOCIATIONS, &body).await.expect(200));
    }
    let (vat, gst) = (id(&vat), id(&gst));
    for (query, wanted) in [
        (format!("tax_rate_id={vat}"), vec![1, 0]),
        (format!("tax_rate_ids={vat},{gst}&order=asc"), vec![0, 1, 2]),
        (format!("tax_rate_ids={vat}&tax_rate_ids={gst}&limit=1"), vec![2]),
        (format!("tax_rate_id={vat}&tax_rate_ids={gst}"), vec![]),
        ("tax_rate_id=x".to_owned(), vec![]),
        ("currency=EUR".to_owned(), vec![1]),
        ("auto_apply=true".to_owned(), vec![2, 0]),
        ("status=deleted".to_owned(), vec![]),
    ] {
        let list = server.get(&format!("{ASSOCIATIONS}?{query}")).await.expect(200);
        let wanted: Vec<&str> = wanted.into_iter().map(|n: usize| id(&made[n])).collect();
        assert_eq!(ids(&list), wanted, "{query}");
    }
}

#[rstest]
#[tokio::test]
async fn a_repeated_request_is_answered_as_it_was(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    a_rate(&server, "VAT").await;
    let customer = a_customer(&server, "acme").await;
    let with_key = |method: Method, path: &str, key: &str| server.request(method, path).header("idempotency-key", key);
    let post = || with_key(Method::POST, ASSOCIATIONS, "k1").json(&tax(&customer, "VAT"));
    let first = send(post()).await;
    let again = send(post()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let made = first.expect(200);
    assert_eq!(again.expect(200), made);
    let path = format!("{ASSOCIATIONS}/{}", id(&made));
    let gone = send(with_key(Method::DELETE, &path, "k2")).await.expect(200);
    let again = send(with_key(Method::DELETE, &path, "k2")).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(200), gone);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_put_away_or_used_and_never_both(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let customer = a_customer(&server, "acme").await;
    for number in 0..20 {
        let code = format!("VAT {number}");
        let rate = a_rate(&server, &code).await;
        let path = format!("{RATES}/{}", id(&rate));
        let body = tax(&customer, &code);
        let (gone, used) = tokio::join!(delete(&server, &path), server.post(ASSOCIATIONS, &body));
        match (gone.status, used.status) {
            (204, 404) | (400, 200) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[rstest]
#[tokio::test]
async fn taxes_are_explained(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for code in ["VAT", "GST", "OFF"] {
        a_rate(&server, code).await;
    }
    let customer = a_customer(&server, "acme").await;
    let mut made = Vec::new();
    for (code, change) in [
        ("VAT", json!({ "priority": 2 })),
        ("VAT", json!({ "currency": "EUR", "priority": 3 })),
        ("GST", json!({ "priority": 1, "start_date": "2026-01-01T00:00:00Z", "end_date": "2027-01-01T00:00:00Z" })),
        ("GST", json!({ "currency": "USD" })),
        ("OFF", json!({})),
    ] {
        let mut body = tax(&customer, code);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        made.push(server.post(ASSOCIATIONS, &body).await.expect(200));
    }
    let off = made[4]["tax_rate_id"].as_str().unwrap();
    put(&server, &format!("{RATES}/{off}"), &json!({ "tax_rate_status": "INACTIVE" })).await.expect(200);
    let default = json!({ "tax_rate_code": "GST", "entity_type": "tenant" });
    let default = server.post(ASSOCIATIONS, &default).await.expect(200);

    let path = format!("/v1/customers/{customer}/taxes/effective");
    let explained = server.get(&format!("{path}?currency=eur&at=2030-06-01T00:00:00Z")).await.expect(200);
    assert_eq!(
        (&explained["customer_id"], &explained["currency"], &explained["at"]),
        (&json!(customer), &json!("eur"), &json!("2030-06-01T00:00:00.000000Z"))
    );
    let told = |explained: &Value, part: &str| -> Vec<(String, Value)> {
        let each = |tax: &Value| (id(&tax["tax_association"]).to_owned(), tax["reason"]["code"].clone());
        explained[part].as_array().unwrap().iter().map(each).collect()
    };
    let of = |association: &Value, reason: Value| (id(association).to_owned(), reason);
    assert_eq!(told(&explained, "applied"), [of(&made[0], Value::Null)]);
    assert_eq!(
        told(&explained, "passed_over"),
        [
            of(&made[3], json!("currency")),
            of(&made[4], json!("inactive")),
            of(&default, json!("customer_over_default")),
            of(&made[2], json!("ended")),
            of(&made[1], json!("priority")),
        ]
    );
    assert_eq!(explained["passed_over"][4]["reason"]["tax_association_id"], made[0]["id"]);
    assert_eq!(explained["applied"][0]["tax_rate"]["code"], "VAT");
    assert_eq!(explained["passed_over"][2]["source"], "tenant");
    let earlier = server.get(&format!("{path}?currency=GBP&at=2026-06-01T00:00:00Z")).await.expect(200);
    assert_eq!(told(&earlier, "applied"), [of(&made[2], Value::Null)], "the others start when they were made");
    let now = server.get(&format!("{path}?currency=GBP")).await.expect(200);
    assert!(told(&now, "applied").contains(&of(&made[0], Value::Null)));

    refused(&server.get(&path).await, 400, "validation_error", &["currency"]);
    refused(&server.get(&format!("{path}?currency=X&at=x")).await, 400, "validation_error", &["at", "currency"]);
    for nobody in ["cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "x"] {
        let path = format!("/v1/customers/{nobody}/taxes/effective?currency=EUR");
        refused(&server.get(&path).await, 404, "not_found", &[]);
    }
}

#[rstest]
#[tokio::test]
async fn an_archived_customer_hides_its_taxes_and_still_uses_their_rates(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let customer = a_customer(&server, "acme").await;
    let made = server.post(ASSOCIATIONS, &tax(&customer, "VAT")).await.expect(200);
    assert_eq!(delete(&server, &format!("/v1/customers/{customer}")).await.status, 204);

    assert_eq!(server.get(ASSOCIATIONS).await.expect(200)["pagination"]["total"], 0);
    let path = format!("{ASSOCIATIONS}/{}", id(&made));
    assert_eq!(server.get(&path).await.expect(200)["status"], "archived");
    refused(&put(&server, &path, &json!({ "priority": 1 })).await, 400, "invalid_operation", &[]);
    for query in ["external_customer_id=acme".to_owned(), format!("entity_type=customer&entity_id={customer}")] {
        refused(&server.get(&format!("{ASSOCIATIONS}?{query}")).await, 404, "not_found", &[]);
    }
    refused(&server.post(ASSOCIATIONS, &tax(&customer, "VAT")).await, 404, "not_found", &[]);
    let path = format!("{RATES}/{}", id(&rate));
    refused(&delete(&server, &path).await, 400, "invalid_operation", &[]);
    refused(&put(&server, &path, &json!({ "percentage_value": "7" })).await, 400, "invalid_operation", &[]);
}

#[tokio::test]
async fn a_reader_reads_and_changes_nothing() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let reader = place.run_ok(&["keys", "create", "--name", "r", "--role", "all_reader"]).trim().to_owned();
    assert_ne!(reader, KEY);
    for (method, path) in [
        (Method::PUT, format!("{RATES}/{}", id(&rate))),
        (Method::DELETE, format!("{RATES}/{}", id(&rate))),
        (Method::POST, ASSOCIATIONS.to_owned()),
        (Method::PUT, format!("{ASSOCIATIONS}/x")),
        (Method::DELETE, format!("{ASSOCIATIONS}/x")),
    ] {
        let answer = send(server.request_as(&reader, method, &path).json(&json!({}))).await;
        refused(&answer, 403, "permission_denied", &[]);
    }
    for path in [RATES, ASSOCIATIONS] {
        assert_eq!(send(server.request_as(&reader, Method::GET, path)).await.status, 200);
    }
}
