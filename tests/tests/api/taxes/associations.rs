//! Tax associations of customers and of the environment, from their making to their end.

use patron_tests::patron::{Backend, Place, send};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::{ASSOCIATIONS, RATES, a_customer, a_rate, delete, id, ids, put, refused, tax};

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
    let unsaid = json!({ "tax_rate_code": "VAT", "entity_id": customer, "entity_type": "customer" });
    assert_eq!(server.post(ASSOCIATIONS, &unsaid).await.expect(200)["auto_apply"], false);

    let gone = delete(&server, &path).await.expect(200);
    assert_eq!((&gone["id"], &gone["status"]), (&made["id"], &json!("archived")));
    refused(&delete(&server, &path).await, 404, "not_found", &[]);
    refused(&put(&server, &path, &json!({ "priority": 1 })).await, 400, "invalid_operation", &[]);
    assert_eq!(server.get(&path).await.expect(200)["status"], "archived");
    server.post(ASSOCIATIONS, &again).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn the_environments_defaults(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = a_rate(&server, "VAT").await;
    let unsaid =
        server.post(ASSOCIATIONS, &json!({ "tax_rate_code": "VAT", "entity_type": "tenant" })).await.expect(200);
    assert_eq!(unsaid["auto_apply"], false, "a missing field must tax no customer");
    delete(&server, &format!("{ASSOCIATIONS}/{}", id(&unsaid))).await.expect(200);
    let body = json!({ "tax_rate_code": "VAT", "entity_type": "tenant", "auto_apply": true });
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
    assert_eq!(gone["status"], "archived");
    refused(&delete(&server, &path).await, 404, "not_found", &[]);
    refused(&put(&server, &path, &json!({})).await, 400, "invalid_operation", &[]);
    assert_eq!(server.get(&of("tenant")).await.expect(200)["pagination"]["total"], 0);
}

#[rstest]
#[tokio::test]
async fn a_repeated_request_returns_its_first_answer(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
    for (query, named) in [
        ("external_customer_id=acme".to_owned(), "external_customer_id"),
        (format!("entity_type=customer&entity_id={customer}"), "entity_id"),
    ] {
        refused(&server.get(&format!("{ASSOCIATIONS}?{query}")).await, 404, "not_found", &[named]);
    }
    refused(&server.post(ASSOCIATIONS, &tax(&customer, "VAT")).await, 404, "not_found", &["entity_id"]);
    let path = format!("{RATES}/{}", id(&rate));
    refused(&delete(&server, &path).await, 400, "invalid_operation", &[]);
    refused(&put(&server, &path, &json!({ "percentage_value": "7" })).await, 400, "invalid_operation", &[]);
}
