//! The taxes that apply to a customer, and the reasons why others do not.

use patron_tests::patron::{Backend, Place};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ASSOCIATIONS, RATES, a_customer, a_rate, id, put, refused, tax};

#[rstest]
#[tokio::test]
async fn applied_and_passed_over_taxes_are_explained(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
    let default = json!({ "tax_rate_code": "GST", "entity_type": "tenant", "auto_apply": true });
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
    assert_eq!(told(&earlier, "applied"), [of(&made[2], Value::Null)], "the others start at their creation");
    let now = server.get(&format!("{path}?currency=GBP")).await.expect(200);
    assert!(told(&now, "applied").contains(&of(&made[0], Value::Null)));

    refused(&server.get(&path).await, 400, "validation_error", &["currency"]);
    refused(&server.get(&format!("{path}?currency=X&at=x")).await, 400, "validation_error", &["at", "currency"]);
    for nobody in ["cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "x"] {
        let path = format!("/v1/customers/{nobody}/taxes/effective?currency=EUR");
        refused(&server.get(&path).await, 404, "not_found", &[]);
    }
}
