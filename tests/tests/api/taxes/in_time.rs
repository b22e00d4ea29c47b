//! Taxes in time: terms, rates that change from a date on, exemptions, and what was known when.

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::minimal,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{ASSOCIATIONS, RATES, a_customer, a_rate, delete, id, put, refused, tax};

async fn effective(server: &Server, customer: &str, query: &str) -> Value {
    server.get(&format!("/v1/customers/{customer}/taxes/effective?{query}")).await.expect(200)
}

/// The values of the applied taxes.
fn values(explained: &Value) -> Vec<&str> {
    let applied = explained["applied"].as_array().unwrap().iter();
    applied.map(|tax| tax["tax_rate"]["percentage_value"].as_str().unwrap()).collect()
}

/// The reasons of the taxes that do not apply.
fn reasons(explained: &Value) -> Vec<&str> {
    let passed_over = explained["passed_over"].as_array().unwrap().iter();
    passed_over.map(|tax| tax["reason"]["code"].as_str().unwrap()).collect()
}

async fn change(server: &Server, rate: &Value, from: &str, value: &str) -> Answer {
    let body = json!({ "effective_from": from, "percentage_value": value, "correction": true });
    server.post(&format!("{RATES}/{}/changes", id(rate)), &body).await
}

#[rstest]
#[tokio::test]
async fn germany_in_2020(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT_DE").await;
    let mut body = minimal("acme");
    body["address_country"] = json!("DE");
    body["tax_ids"] = json!([{ "type": "eu_vat", "value": "DE136695976" }]);
    body["contact_persons"] =
        json!([{ "first_name": "Ada", "is_primary": true }, { "first_name": "Bob" }, { "first_name": "Cleo" }]);
    let customer = id(&server.post("/v1/customers", &body).await.expect(201)).to_owned();
    let mut association = tax(&customer, "VAT_DE");
    association["start_date"] = json!("2007-01-01T00:00:00+01:00");
    server.post(ASSOCIATIONS, &association).await.expect(200);
    let before = effective(&server, &customer, "currency=EUR&at=2020-10-01T00:00:00Z").await;

    let lower = change(&server, &rate, "2020-07-01T00:00:00+02:00", "16").await;
    assert_eq!(lower.status, 201);
    let location = format!("/v1/taxes/rates/{}/changes/{}", id(&rate), id(&lower.body));
    assert_eq!(lower.header("location"), Some(location.as_str()));
    change(&server, &rate, "2021-01-01T00:00:00+01:00", "19").await.expect(201);
    for (at, value) in [
        ("2020-06-30T21:59:59.999999Z", "19"),
        ("2020-06-30T22:00:00Z", "16"),
        ("2020-10-01T00:00:00Z", "16"),
        ("2020-12-31T22:59:59.999999Z", "16"),
        ("2020-12-31T23:00:00Z", "19"),
        ("2026-01-01T00:00:00Z", "19"),
    ] {
        let explained = effective(&server, &customer, &format!("currency=EUR&at={at}")).await;
        assert_eq!(values(&explained), [value], "{at}");
    }

    // Asked what was known before the changes, the answer is what it was then.
    let known = before["known_at"].as_str().unwrap();
    let then = effective(&server, &customer, &format!("currency=EUR&at=2020-10-01T00:00:00Z&known_at={known}")).await;
    assert_eq!((values(&then), &then), (vec!["19"], &before));

    let shown = server.get(&format!("{RATES}/{}", id(&rate))).await.expect(200);
    let from: Vec<_> = shown["changes"].as_array().unwrap().iter().map(|change| &change["effective_from"]).collect();
    assert_eq!(from, ["2020-06-30T22:00:00.000000Z", "2020-12-31T23:00:00.000000Z"]);
    assert_eq!((&shown["percentage_value"], &shown["changes"][0]["percentage_value"]), (&json!("19"), &json!("16")));
    let list = server.get(&format!("{RATES}/{}/changes?limit=1", id(&rate))).await.expect(200);
    assert_eq!((&list["items"][0], &list["pagination"]["total"]), (&shown["changes"][0], &json!(2)));
}

#[rstest]
#[tokio::test]
async fn a_change_has_its_rules(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let path = format!("{RATES}/{}/changes", id(&rate));
    let body = |from: &str| json!({ "effective_from": from, "percentage_value": "16" });
    refused(&server.post(&path, &json!({})).await, 400, "validation_error", &["effective_from", "percentage_value"]);
    let past = server.post(&path, &body("2020-07-01T00:00:00Z")).await;
    refused(&past, 400, "validation_error", &["effective_from"]);
    assert_eq!(past.body["details"]["effective_from"]["rule"], "future");
    let fixed = json!({ "effective_from": "2099-07-01T00:00:00Z", "fixed_value": "16" });
    refused(&server.post(&path, &fixed).await, 400, "validation_error", &["fixed_value"]);

    let writer = place.run_ok(&["keys", "create", "--name", "w", "--role", "all_writer"]).trim().to_owned();
    let by_writer = |body: &Value| send(server.request_as(&writer, Method::POST, &path).json(body));
    let mut correction = body("2020-07-01T00:00:00Z");
    correction["correction"] = json!(true);
    refused(&by_writer(&correction).await, 403, "permission_denied", &[]);
    let planned = by_writer(&body("2099-07-01T00:00:00Z")).await.expect(201);
    let twice = server.post(&path, &body("2099-07-01T00:00:00Z")).await;
    refused(&twice, 409, "already_exists", &["effective_from"]);
    assert_eq!(twice.body["details"]["effective_from"]["existing_id"], planned["id"]);

    // The value now comes from a change, so an update cannot replace it.
    let begun = server.post(&path, &correction).await.expect(201);
    let rate_path = format!("{RATES}/{}", id(&rate));
    assert_eq!(server.get(&rate_path).await.expect(200)["percentage_value"], "16");
    put(&server, &rate_path, &json!({ "percentage_value": "16", "name": "B" })).await.expect(200);
    let replaced = put(&server, &rate_path, &json!({ "percentage_value": "17" })).await;
    refused(&replaced, 400, "invalid_operation", &[]);

    refused(&delete(&server, &format!("{path}/{}", id(&begun))).await, 400, "invalid_operation", &[]);
    assert_eq!(delete(&server, &format!("{path}/{}", id(&planned))).await.status, 204);
    refused(&delete(&server, &format!("{path}/{}", id(&planned))).await, 404, "not_found", &[]);
    refused(&server.post(&format!("{RATES}/x/changes"), &body("2099-07-01T00:00:00Z")).await, 404, "not_found", &[]);
    for year in 2100..2199 {
        server.post(&path, &body(&format!("{year}-01-01T00:00:00Z"))).await.expect(201);
    }
    let one_more = server.post(&path, &body("2199-01-01T00:00:00Z")).await;
    refused(&one_more, 400, "invalid_operation", &[]);
    assert!(one_more.body["message"].as_str().unwrap().contains("at most 100 changes"), "{}", one_more.body);
}

#[rstest]
#[tokio::test]
async fn terms_move_and_do_not_overlap(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    a_rate(&server, "VAT").await;
    let customer = a_customer(&server, "acme").await;
    let default = json!({ "tax_rate_code": "VAT", "entity_type": "tenant" });
    for entity in [tax(&customer, "VAT"), default] {
        let term = |start: &str, end: Option<&str>| {
            let mut body = entity.clone();
            body["start_date"] = json!(start);
            body["end_date"] = json!(end);
            body
        };
        let first = term("2020-01-01T00:00:00Z", Some("2021-01-01T00:00:00Z"));
        let first = server.post(ASSOCIATIONS, &first).await.expect(200);
        let inside = server.post(ASSOCIATIONS, &term("2020-12-31T23:59:59Z", None)).await;
        assert_eq!((inside.status, inside.error().0), (409, "already_exists"), "{}", inside.body);
        assert!(inside.body["details"].to_string().contains(id(&first)), "{}", inside.body);
        let second = server.post(ASSOCIATIONS, &term("2021-01-01T00:00:00Z", None)).await.expect(200);
        let mut other_currency = term("2020-06-01T00:00:00Z", None);
        other_currency["currency"] = json!("USD");
        server.post(ASSOCIATIONS, &other_currency).await.expect(200);

        let path = format!("{ASSOCIATIONS}/{}", id(&first));
        let longer = put(&server, &path, &json!({ "end_date": "2021-01-01T00:00:00.000001Z" })).await;
        assert_eq!((longer.status, longer.error().0), (409, "already_exists"), "{}", longer.body);
        let endless = put(&server, &path, &json!({ "end_date": "" })).await;
        assert_eq!((endless.status, endless.error().0), (409, "already_exists"), "{}", endless.body);
        refused(
            &put(&server, &path, &json!({ "end_date": "2020-01-01T00:00:00Z" })).await,
            400,
            "validation_error",
            &["end_date"],
        );
        let moved = json!({ "start_date": "2019-01-01T00:00:00Z", "end_date": "2019-06-01T00:00:00Z" });
        let moved = put(&server, &path, &moved).await.expect(200);
        assert_eq!(
            (&moved["start_date"], &moved["end_date"]),
            (&json!("2019-01-01T00:00:00.000000Z"), &json!("2019-06-01T00:00:00.000000Z"))
        );
        delete(&server, &format!("{ASSOCIATIONS}/{}", id(&second))).await.expect(200);
        let endless = put(&server, &path, &json!({ "end_date": "", "tax_behavior": "exclusive" })).await.expect(200);
        assert_eq!((endless.get("end_date"), &endless["tax_behavior"]), (None, &json!("exclusive")));
        let cleared = put(&server, &path, &json!({ "tax_behavior": "" })).await.expect(200);
        assert_eq!(cleared.get("tax_behavior"), None);
    }
}

#[rstest]
#[tokio::test]
async fn of_concurrent_defaults_with_overlapping_terms_one_is_created(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    // Only one server may use a SQLite file.
    let servers: Vec<_> = (0..if backend == Backend::Sqlite { 1 } else { 2 }).map(|_| place.serve()).collect();
    a_rate(&servers[0], "VAT").await;
    let body = |month: usize| {
        json!({
            "tax_rate_code": "VAT", "entity_type": "tenant", "start_date": format!("2020-{month:02}-01T00:00:00Z"),
            "end_date": format!("2020-{:02}-15T00:00:00Z", month + 1),
        })
    };
    let creates: Vec<_> = (0..40)
        .map(|number| {
            let (server, body) = (&servers[number % servers.len()], body(1 + number % 10));
            async move { server.post(ASSOCIATIONS, &body).await.status }
        })
        .collect();
    let statuses = futures::future::join_all(creates).await;
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    let list = servers[0].get(&format!("{ASSOCIATIONS}?entity_type=tenant&limit=100")).await.expect(200);
    let text = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
    let mut terms: Vec<_> = list["items"].as_array().unwrap().iter().collect::<Vec<_>>();
    terms.sort_by_key(|one| text(one, "start_date"));
    assert_eq!(terms.len(), statuses.iter().filter(|status| **status == 200).count());
    assert!(terms.windows(2).all(|two| text(two[0], "end_date") <= text(two[1], "start_date")), "{terms:#?}");
}

#[rstest]
#[tokio::test]
async fn certificates_hold_in_their_state_and_time(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for code in ["SALES", "FEE"] {
        a_rate(&server, code).await;
    }
    let mut body = minimal("charity");
    body["address_country"] = json!("US");
    body["address_state"] = json!("NY");
    body["tax_exemptions"] = json!([
        { "reason": "nonprofit", "certificate_number": "NY-1", "country": "US", "state": "NY", "tax_rate_codes": ["SALES"],
          "starts_at": "2020-01-01T00:00:00Z" },
        { "reason": "nonprofit", "certificate_number": "TX-1", "country": "US", "state": "tx",
          "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2021-01-01T00:00:00Z" },
    ]);
    let created = server.post("/v1/customers", &body).await.expect(201);
    let customer = id(&created).to_owned();
    for code in ["SALES", "FEE"] {
        let mut body = tax(&customer, code);
        body["start_date"] = json!("2019-01-01T00:00:00Z");
        server.post(ASSOCIATIONS, &body).await.expect(200);
    }
    for (query, applied, wanted) in [
        ("at=2022-01-01T00:00:00Z", 1, vec!["exemption"]),
        ("at=2019-06-01T00:00:00Z", 2, vec![]),
        ("at=2020-12-31T23:59:59Z&state=TX", 0, vec!["exemption", "exemption"]),
        ("at=2021-01-01T00:00:00Z&state=TX", 2, vec!["exemption_expired", "exemption_expired"]),
        ("at=2022-01-01T00:00:00Z&state=CA", 2, vec![]),
        ("at=2022-01-01T00:00:00Z&country=CA&state=NY", 2, vec![]),
    ] {
        let explained = effective(&server, &customer, &format!("currency=USD&{query}")).await;
        assert_eq!((values(&explained).len(), reasons(&explained)), (applied, wanted), "{query}");
    }
    let explained = effective(&server, &customer, "currency=USD&at=2022-01-01T00:00:00Z").await;
    let reason = &explained["passed_over"][0]["reason"];
    assert_eq!(reason["tax_exemption_id"], created["tax_exemptions"][0]["id"]);
    assert_eq!(reason["certificate_number"], "NY-1");
    let applied = &explained["applied"][0];
    assert_eq!(
        (&applied["tax_behavior"], &applied["tax_behavior_source"]),
        (&json!("exclusive"), &json!("currency_default"))
    );

    let path = format!("/v1/customers/{customer}");
    for (treatment, reason) in [("exempt", "customer_exempt"), ("reverse_charge", "reverse_charge")] {
        put(&server, &path, &json!({ "tax_treatment": treatment })).await.expect(200);
        let explained = effective(&server, &customer, "currency=USD").await;
        assert_eq!((&explained["treatment"], reasons(&explained)), (&json!(treatment), vec![reason, reason]));
        assert_eq!(values(&explained).len(), 0);
    }
    let wrong = format!("{path}/taxes/effective?currency=USD&country=X&known_at=2999-01-01T00:00:00Z");
    refused(&server.get(&wrong).await, 400, "validation_error", &["country"]);
    let future = server.get(&format!("{path}/taxes/effective?currency=USD&known_at=2999-01-01T00:00:00Z")).await;
    refused(&future, 400, "validation_error", &["known_at"]);
    let early = server.get(&format!("{path}/taxes/effective?currency=USD&known_at=2020-01-01T00:00:00Z")).await;
    refused(&early, 404, "not_found", &[]);
}

#[rstest]
#[tokio::test]
async fn what_was_known_is_answered_again(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (vat, gst) = (a_rate(&server, "VAT").await, a_rate(&server, "GST").await);
    let customer = a_customer(&server, "acme").await;
    let path = format!("/v1/customers/{customer}");
    let mut answers = Vec::new();
    let times = ["2020-06-01T00:00:00Z", "2026-11-01T00:00:00Z", "2099-01-01T00:00:00Z"];
    let mut note = async |server: &Server| {
        for at in times {
            answers.push((at, effective(server, &customer, &format!("currency=EUR&at={at}")).await));
        }
    };
    note(&server).await;
    let mut old = tax(&customer, "VAT");
    old["start_date"] = json!("2020-01-01T00:00:00Z");
    let first = server.post(ASSOCIATIONS, &old).await.expect(200);
    note(&server).await;
    server.post(ASSOCIATIONS, &tax(&customer, "GST")).await.expect(200);
    change(&server, &vat, "2020-05-01T00:00:00Z", "5").await.expect(201);
    note(&server).await;
    put(&server, &format!("{RATES}/{}", id(&gst)), &json!({ "tax_rate_status": "INACTIVE" })).await.expect(200);
    note(&server).await;
    put(&server, &format!("{ASSOCIATIONS}/{}", id(&first)), &json!({ "priority": 7 })).await.expect(200);
    put(&server, &path, &json!({ "tax_treatment": "exempt" })).await.expect(200);
    note(&server).await;
    put(&server, &path, &json!({ "tax_treatment": "taxable" })).await.expect(200);
    delete(&server, &format!("{ASSOCIATIONS}/{}", id(&first))).await.expect(200);
    note(&server).await;
    assert_eq!(delete(&server, &path).await.status, 204);
    note(&server).await;
    send(server.request(Method::POST, &format!("{path}/restore"))).await.expect(200);
    note(&server).await;
    put(&server, &format!("{RATES}/{}", id(&vat)), &json!({ "name": "renamed" })).await.expect(200);

    for (at, answer) in &answers {
        let known = answer["known_at"].as_str().unwrap();
        let again = effective(&server, &customer, &format!("currency=EUR&at={at}&known_at={known}")).await;
        assert_eq!(again, *answer, "at {at}, as known at {known}");
    }
    // A removal ends a tax then: before, it applies.
    let past = effective(&server, &customer, "currency=EUR&at=2020-06-01T00:00:00Z").await;
    assert_eq!(values(&past), ["5"]);
    let future = effective(&server, &customer, "currency=EUR&at=2099-01-01T00:00:00Z").await;
    assert_eq!((values(&future).len(), reasons(&future)), (0, vec!["inactive", "removed"]));
}
