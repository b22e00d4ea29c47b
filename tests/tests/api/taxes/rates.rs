//! Tax rates: changed, listed, put away, and kept while they are in use.

use patron_tests::{
    patron::{Backend, Place},
    requests::tax_rate,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ASSOCIATIONS, RATES, a_customer, a_rate, delete, id, ids, put, refused, tax};

#[rstest]
#[tokio::test]
async fn a_rate_is_changed_listed_and_archived(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
        assert_eq!((&gone["id"], &gone["status"]), (&association["id"], &json!("archived")));
    }
    put(&server, &path, &json!({ "percentage_value": "7" })).await.expect(200);
    assert_eq!(delete(&server, &path).await.status, 204);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_archived_or_used_and_never_both(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
