//! Tax ids and tax exemptions of a customer.

use patron_tests::{
    patron::{Backend, Place},
    requests::{minimal, tax_rate},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{delete, patch, path, put};

#[rstest]
#[tokio::test]
async fn tax_ids_are_checked_and_kept_in_one_form(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut body = minimal("acme");
    body["tax_ids"] = json!([
        { "type": "eu_vat", "value": "gr 094.259-216" },
        { "type": "eu_vat", "value": "DE136695977", "unchecked": true },
        { "type": "unknown", "value": "ab/1" },
    ]);
    let created = server.post("/v1/customers", &body).await.expect(201);
    let [vat, wrong, unknown] = created["tax_ids"].as_array().unwrap().as_slice() else { panic!("{created}") };
    assert!(vat["id"].as_str().unwrap().starts_with("txi_"));
    assert_eq!((&vat["value"], &vat["country"]), (&json!("EL094259216"), &json!("GR")));
    assert_eq!((&vat["unchecked"], &vat["verification"]), (&json!(false), &Value::Null));
    assert_eq!(wrong["unchecked"], true);
    assert_eq!((&unknown["value"], unknown.get("country")), (&json!("AB1"), None));

    let path = path(&created);
    let list = json!([{ "type": "eu_vat", "value": "EL094259216" }, { "type": "gb_vat", "value": "980780684" }]);
    let now = put(&server, &path, &json!({ "tax_ids": list })).await.expect(200);
    assert_eq!(now["tax_ids"][0]["id"], vat["id"], "the same number keeps its id");

    let all = format!("{path}/tax_ids");
    let one = format!("{all}/{}", now["tax_ids"][1]["id"].as_str().unwrap());
    for (body, rule, at) in [
        (json!({ "type": "eu_vat", "value": "DE136695977" }), "tax_id_check_digit", "value"),
        (json!({ "type": "eu_vat", "value": "GB980780684" }), "tax_id_format", "value"),
        (json!({ "type": "gb_vat", "value": "98078068" }), "tax_id_format", "value"),
        (json!({ "type": "vat", "value": "1" }), "tax_id_type", "type"),
        (json!({ "type": "unknown", "value": "x".repeat(51) }), "tax_id_format", "value"),
        (json!({ "type": "eu_vat", "value": "EL094259216" }), "unique", "value"),
        (json!({ "type": "eu_vat" }), "required", "value"),
    ] {
        let refused = server.post(&all, &body).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![at])), "{body}");
        assert_eq!(refused.body["details"][at]["rule"], rule, "{body}");
    }
    let changed = patch(&server, &one, &json!({ "type": "unknown" })).await.expect(200);
    assert_eq!(changed["tax_ids"][1]["type"], "unknown");
    let refused = patch(&server, &one, &json!({ "type": "in_gst" })).await;
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["value"])));
    assert_eq!(delete(&server, &one).await.expect(200)["tax_ids"].as_array().unwrap().len(), 1);

    let many = |n: usize| {
        json!((10..10 + n).map(|n| json!({ "type": "unknown", "value": n.to_string() })).collect::<Vec<_>>())
    };
    put(&server, &path, &json!({ "tax_ids": many(20) })).await.expect(200);
    let refused = server.post(&all, &json!({ "type": "unknown", "value": "999" })).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));

    let filter = json!({ "field": "tax_ids.value", "operator": "in", "value": { "array": ["1-5", "zz"] } });
    let found = server.post("/v1/customers/search", &json!({ "filters": [filter] })).await.expect(200);
    assert_eq!(found["pagination"]["total"], 1);
}

#[rstest]
#[tokio::test]
async fn exemptions_hold_from_now_on_unless_they_say_otherwise(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("NY")).await.expect(201);
    let mut body = minimal("acme");
    let full = json!({
        "reason": "nonprofit", "certificate_number": "4711", "country": "US", "state": "NY", "tax_rate_codes": ["NY"],
        "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z",
        "document_url": "https://files.example/c.pdf", "note": "a\nb",
    });
    body["tax_exemptions"] = json!([full, { "reason": "resale" }]);
    let created = server.post("/v1/customers", &body).await.expect(201);
    let [one, other] = created["tax_exemptions"].as_array().unwrap().as_slice() else { panic!("{created}") };
    assert!(one["id"].as_str().unwrap().starts_with("txe_"));
    for (field, value) in full.as_object().unwrap() {
        let wanted = value.as_str().map(|text| text.trim_end_matches("00Z"));
        match one[field].as_str() {
            Some(text) => assert!(text.starts_with(wanted.unwrap()), "{field}: {text}"),
            None => assert_eq!(one[field], *value, "{field}"),
        }
    }
    assert_eq!((&other["starts_at"], other.get("ends_at")), (&created["created_at"], None));
    assert_eq!((&other["certificate_number"], &other["tax_rate_codes"]), (&json!(""), &json!([])));

    let all = format!("{}/tax_exemptions", path(&created));
    let one = format!("{all}/{}", other["id"].as_str().unwrap());
    for (body, at) in [
        (json!({}), "reason"),
        (json!({ "reason": "charity" }), "reason"),
        (json!({ "reason": "other", "certificate_number": "x".repeat(101) }), "certificate_number"),
        (json!({ "reason": "other", "country": "XX" }), "country"),
        (json!({ "reason": "other", "state": "x".repeat(101) }), "state"),
        (json!({ "reason": "other", "document_url": "http://a.example" }), "document_url"),
        (json!({ "reason": "other", "note": "x".repeat(501) }), "note"),
        (json!({ "reason": "other", "starts_at": "tomorrow" }), "starts_at"),
        (json!({ "reason": "other", "ends_at": "2020-01-01T00:00:00Z" }), "ends_at"),
        (json!({ "reason": "other", "tax_rate_codes": ["NY", "NY"] }), "tax_rate_codes[1]"),
    ] {
        let refused = server.post(&all, &body).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![at])), "{body}");
    }
    let refused = server.post(&all, &json!({ "reason": "other", "tax_rate_codes": ["NONE"] })).await;
    assert_eq!((refused.status, refused.error()), (404, ("not_found", vec!["tax_rate_codes[0]"])));
    let refused = patch(&server, &one, &json!({ "ends_at": "2020-01-01T00:00:00Z" })).await;
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec!["ends_at"])));
    let changed = patch(&server, &one, &json!({ "note": "renewed", "tax_rate_codes": ["NY"] })).await.expect(200);
    assert_eq!(changed["tax_exemptions"][1]["note"], "renewed");
    assert_eq!(changed["tax_exemptions"][1]["starts_at"], other["starts_at"]);

    let list = json!([{ "reason": "other", "tax_rate_codes": ["NONE"] }]);
    let refused = put(&server, &path(&created), &json!({ "tax_exemptions": list })).await;
    assert_eq!((refused.status, refused.error()), (404, ("not_found", vec!["tax_exemptions[0].tax_rate_codes[0]"])));
    let mut body = minimal("umbrella");
    body["name"] = json!(7);
    body["tax_exemptions"] = list;
    let refused = server.post("/v1/customers", &body).await;
    assert_eq!(refused.error(), ("validation_error", vec!["name", "tax_exemptions[0].tax_rate_codes[0]"]));
    assert_eq!(delete(&server, &one).await.expect(200)["tax_exemptions"].as_array().unwrap().len(), 1);
    let list = json!(vec![json!({ "reason": "other" }); 51]);
    let refused = patch(&server, &path(&created), &json!({ "tax_exemptions": list })).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));
}
