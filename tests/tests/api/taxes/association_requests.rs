//! What requests for tax associations may say: refusals by their paths, and filters.

use patron_tests::{
    patron::{Backend, Place, send},
    requests::tax_rate,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{ASSOCIATIONS, RATES, a_customer, a_rate, delete, id, ids, refused, tax};

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
        // Together with missing references.
        (
            json!({ "end_date": "2020-01-01T00:00:00Z", "entity_id": nobody, "tax_rate_code": "NONE" }),
            400,
            "validation_error",
            vec!["end_date", "entity_id", "tax_rate_code"],
        ),
        (json!({ "start_date": "tomorrow", "priority": 1.5 }), 400, "validation_error", vec!["priority", "start_date"]),
        (json!({ "tax_rate_code": "OLD" }), 400, "validation_error", vec!["tax_rate_code"]),
        (json!({ "tax_rate_code": "NONE" }), 404, "not_found", vec!["tax_rate_code"]),
        (json!({ "entity_id": nobody }), 404, "not_found", vec!["entity_id"]),
        (json!({ "entity_id": "x" }), 404, "not_found", vec!["entity_id"]),
        (json!({ "entity_id": nobody, "tax_rate_code": "NONE" }), 404, "not_found", vec!["entity_id", "tax_rate_code"]),
        (
            json!({ "entity_id": null, "external_customer_id": "nobody" }),
            404,
            "not_found",
            vec!["external_customer_id"],
        ),
    ] {
        let answer = server.post(ASSOCIATIONS, &with(change.clone())).await;
        let (found, mut details) = answer.error();
        details.sort_unstable();
        assert_eq!((answer.status, found, details), (status, code, paths), "{change}: {:#}", answer.body);
        for detail in answer.body["details"].as_object().unwrap().values() {
            assert!(detail["rule"].is_string(), "{change}: {detail}");
        }
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
        (format!("entity_id={acme}"), 200),
        (format!("entity_id={nobody}"), 404),
        ("entity_id=x".to_owned(), 400),
        ("entity_type=spaceship".to_owned(), 400),
        ("entity_type=subscription&entity_id=sub_1".to_owned(), 200),
        ("start_time=x".to_owned(), 400),
        ("start_time=2026-01-02T00:00:00Z&end_time=2026-01-01T00:00:00Z".to_owned(), 400),
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
        (format!("entity_id={customer}&order=asc"), vec![0, 1, 2]),
        (format!("entity_id={}", made[0]["tenant_id"].as_str().unwrap()), vec![]),
        ("entity_type=invoice".to_owned(), vec![]),
        (format!("start_time={}", made[1]["created_at"].as_str().unwrap()), vec![2, 1]),
        (format!("end_time={}", made[1]["created_at"].as_str().unwrap()), vec![1, 0]),
        ("end_time=2020-01-01T01:00:00+01:00".to_owned(), vec![]),
    ] {
        let list = server.get(&format!("{ASSOCIATIONS}?{query}")).await.expect(200);
        let wanted: Vec<&str> = wanted.into_iter().map(|n: usize| id(&made[n])).collect();
        assert_eq!(ids(&list), wanted, "{query}");
    }
}

#[rstest]
#[tokio::test]
async fn removed_associations_are_listed_as_archived(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (vat, gst) = (a_rate(&server, "VAT").await, a_rate(&server, "GST").await);
    let (acme, globex) = (a_customer(&server, "acme").await, a_customer(&server, "globex").await);
    let tenant = json!({ "tax_rate_code": "VAT", "entity_type": "tenant" });
    let mut made = Vec::new();
    for body in [tax(&acme, "VAT"), tenant, tax(&globex, "VAT"), tax(&globex, "GST"), tax(&acme, "GST")] {
        made.push(server.post(ASSOCIATIONS, &body).await.expect(200));
    }
    // One customer's association and a default are removed, the other customer's are archived with it; one stays.
    for association in &made[..2] {
        delete(&server, &format!("{ASSOCIATIONS}/{}", id(association))).await.expect(200);
    }
    assert_eq!(delete(&server, &format!("/v1/customers/{globex}")).await.status, 204);
    let listed = async |query: &str| {
        let list = server.get(&format!("{ASSOCIATIONS}?{query}")).await.expect(200);
        for item in list["items"].as_array().unwrap() {
            assert_eq!(item["status"], if query.contains("archived") { "archived" } else { "published" }, "{item}");
        }
        (ids(&list).into_iter().map(str::to_owned).collect::<Vec<_>>(), list["pagination"]["total"].clone())
    };
    let wanted = |numbers: &[usize]| numbers.iter().map(|number| id(&made[*number]).to_owned()).collect::<Vec<_>>();
    for (query, numbers) in [
        ("status=archived&order=asc".to_owned(), vec![0, 1, 2, 3]),
        ("status=archived".to_owned(), vec![3, 2, 1, 0]),
        (format!("status=archived&tax_rate_id={}&order=asc", id(&vat)), vec![0, 1, 2]),
        (format!("status=archived&tax_rate_id={}", id(&gst)), vec![3]),
        ("status=archived&entity_type=tenant".to_owned(), vec![1]),
        ("status=archived&external_customer_id=acme".to_owned(), vec![0]),
        ("status=deleted".to_owned(), vec![]),
        (String::new(), vec![4]),
    ] {
        assert_eq!(listed(&query).await, (wanted(&numbers), json!(numbers.len())), "{query}");
    }
    for offset in 0..4 {
        let (found, total) = listed(&format!("status=archived&order=asc&limit=1&offset={offset}")).await;
        assert_eq!((found, total), (wanted(&[offset]), json!(4)));
    }
}
