//! What a create takes, up to each limit, and how it is answered.

use patron_tests::{
    patron::{Backend, Place},
    requests::{everything, minimal, tax_rate},
};
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[tokio::test]
async fn a_full_customer_is_answered_and_found_as_it_was_sent(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let rate = server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let answer = server.post("/v1/customers", &everything("acme")).await;
    assert!(answer.header("x-request-id").is_some());
    let created = answer.expect(201);

    let sent = everything("acme");
    assert_eq!(created["billing_currency"], "eur");
    let same = ["external_id", "name", "email", "contact", "timezone", "metadata", "tax_treatment", "customer_type"];
    let more = ["legal_name", "registration_number", "buyer_reference", "electronic_address", "shipping_address"];
    for field in same.iter().chain(&more).chain(&["preferred_locales", "tags"]) {
        assert_eq!(created[field], sent[*field], "{field}");
    }
    for field in ["line1", "line2", "city", "state", "postal_code", "country"] {
        let field = format!("address_{field}");
        assert_eq!(created[&field], sent[&field], "{field}");
    }
    let id = created["id"].as_str().unwrap();
    assert!(id.starts_with("cust_") && id.len() == "cust_".len() + 26, "{id}");
    assert_eq!(created["status"], "published");
    assert_eq!(created["created_at"], created["updated_at"]);
    assert!(created["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(created["created_by"].as_str().unwrap().starts_with("secret_"));

    let [mapping] = created["integrations"].as_array().unwrap().as_slice() else { panic!("one mapping: {created}") };
    assert_eq!(mapping["entity_id"], *id);
    assert_eq!(mapping["entity_type"], "customer");
    assert_eq!(mapping["provider_type"], "stripe");
    assert_eq!(mapping["metadata"], sent["integration_entity_mapping"][0]["metadata"]);
    assert!(mapping["id"].as_str().unwrap().starts_with("eim_"));

    assert_eq!(server.get(&format!("/v1/customers/{id}")).await.expect(200), created);
    assert_eq!(server.get("/v1/customers/external/acme").await.expect(200), created);
    let mappings = format!("/v1/integrations/mappings?entity_type=customer&entity_id={id}");
    let mappings = server.get(&mappings).await.expect(200);
    assert_eq!(mappings, json!({ "items": [mapping], "pagination": { "total": 1, "limit": 50, "offset": 0 } }));

    let taxes = format!("/v1/taxes/associations?entity_type=customer&entity_id={id}");
    let taxes = server.get(&taxes).await.expect(200);
    assert_eq!(taxes["pagination"]["total"], 1);
    let tax = &taxes["items"][0];
    assert_eq!(tax["tax_rate_id"], rate["id"]);
    assert_eq!((&tax["currency"], &tax["priority"], &tax["auto_apply"]), (&json!("eur"), &json!(3), &json!(false)));
    assert_eq!((&tax["entity_type"], &tax["entity_id"]), (&json!("customer"), &created["id"]));
    assert_eq!(tax["metadata"], json!({ "why": "test" }));
    assert_eq!(tax["start_date"], created["created_at"]);
}

#[rstest]
#[tokio::test]
async fn everything_but_the_external_id_may_be_absent_null_or_empty(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let texts = [
        "name",
        "email",
        "contact",
        "address_line1",
        "address_line2",
        "address_city",
        "address_state",
        "address_postal_code",
        "address_country",
        "timezone",
        "billing_currency",
        "tax_treatment",
        "customer_type",
        "legal_name",
        "registration_number",
        "buyer_reference",
        "onboarding_workflow_name",
    ];
    let parts = ["electronic_address", "shipping_address", "preferred_locales", "tags"];
    let others = ["metadata", "tax_rate_overrides", "integration_entity_mapping", "skip_onboarding_workflow"];
    let mut nulls = minimal("nulls");
    for field in texts.iter().chain(&others).chain(&parts) {
        nulls[*field] = Value::Null;
    }
    let mut empties = minimal("empties");
    for field in texts {
        empties[field] = json!("");
    }
    empties["an unknown field"] = json!({ "is": "ignored" });
    for body in [minimal("absent"), nulls, empties] {
        let created = server.post("/v1/customers", &body).await.expect(201);
        for field in ["name", "email", "address_line1", "address_city", "address_country", "legal_name"] {
            assert_eq!(created[field], "", "{field}");
        }
        for field in ["contact", "billing_currency", "customer_type", "electronic_address", "shipping_address"] {
            assert_eq!(created.get(field), None, "{field}");
        }
        assert_eq!(created["tax_treatment"], "taxable");
        assert_eq!((&created["preferred_locales"], &created["tags"]), (&json!([]), &json!([])));
        assert_eq!(created["timezone"], "UTC");
        assert_eq!(created["metadata"], json!({}));
        assert_eq!(created["integrations"], json!([]));
        let found = server.get(&format!("/v1/customers/{}", created["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(found, created);
    }
}

/// Each field at its limit and one past it, in characters of several bytes where the field takes any.
#[rstest]
#[tokio::test]
async fn every_limit_holds_at_the_limit_and_one_past_it(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate(&"ü".repeat(255))).await.expect(201);
    let crabs = |n: usize| json!("🦀".repeat(n));
    let mail = |local: usize| {
        json!(format!("{}@{}.{}.{}.de", "l".repeat(local), "a".repeat(61), "b".repeat(62), "c".repeat(62)))
    };
    let an_override = |change: Value| {
        let mut one = json!({ "tax_rate_code": "ü".repeat(255), "currency": "EUR" });
        one.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!([one])
    };
    let a_link = |change: Value| {
        let mut one = json!({ "provider_type": "p", "provider_entity_id": "e" });
        one.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!([one])
    };
    // The same number of bytes of compact JSON in total.
    let filled = |bytes: usize| {
        let rest = bytes - 2 - 8 * 8 + 1 - 7 * 8_190;
        let values = [[8_190; 7].as_slice(), &[rest]].concat();
        let pairs = values.into_iter().enumerate().map(|(i, length)| (format!("k{i}"), json!("v".repeat(length))));
        Value::Object(pairs.collect())
    };
    let keys = |n: usize| json!((0..n).map(|i| (format!("k{i}"), json!("v"))).collect::<serde_json::Map<_, _>>());

    let peppol = |scheme: &str, n: usize| json!({ "scheme": scheme, "value": crabs(n) });
    let ship = |field: &str, value: Value| json!({ field: value });
    let locales = |n: usize| json!(('a'..).take(n).map(|letter| format!("x{letter}")).collect::<Vec<_>>());

    let cases: Vec<(&str, Value, Value, &str)> = vec![
        ("external_id", crabs(255), crabs(256), "external_id"),
        ("name", crabs(255), crabs(256), "name"),
        ("email", mail(63), mail(64), "email"),
        ("contact", crabs(20), crabs(21), "contact"),
        ("address_line1", crabs(255), crabs(256), "address_line1"),
        ("address_line2", crabs(255), crabs(256), "address_line2"),
        ("address_city", crabs(100), crabs(101), "address_city"),
        ("address_state", crabs(100), crabs(101), "address_state"),
        ("address_postal_code", crabs(20), crabs(21), "address_postal_code"),
        ("address_country", json!("XK"), json!("XA"), "address_country"),
        ("timezone", json!("Etc/GMT+5"), json!("Etc/gmt+5"), "timezone"),
        ("metadata", keys(500), keys(501), "metadata"),
        ("metadata", json!({ "ü".repeat(255): "v" }), json!({ "k": "v".repeat(8193) }), "metadata.k"),
        ("metadata", json!({ "k": "🦀".repeat(8192) }), json!({ "k": 5 }), "metadata.k"),
        ("metadata", filled(65_536), filled(65_537), "metadata"),
        ("metadata", json!({ "k": "\t\u{1b}\u{85}" }), json!({ "k": "\0" }), "metadata.k"),
        ("address_line1", json!("a\tb\r\nc"), json!("a\u{85}b"), "address_line1"),
        ("address_line2", json!("a\nb"), json!("a\u{b}b"), "address_line2"),
        ("email", json!("संपर्क@डाटामेल.भारत"), json!("a\u{200b}b@example.com"), "email"),
        ("email", json!("jose\u{301}@exa\u{301}mple.com"), json!("\u{301}a@example.com"), "email"),
        ("name", json!("\u{200b}a"), json!("\u{200b}\u{feff}"), "name"),
        ("name", json!("\u{202e}a"), json!("a\u{1b}[31m"), "name"),
        ("contact", json!("1"), json!("1\t2"), "contact"),
        ("address_city", json!("a"), json!("a\nb"), "address_city"),
        ("legal_name", crabs(255), crabs(256), "legal_name"),
        ("registration_number", crabs(100), crabs(101), "registration_number"),
        ("buyer_reference", crabs(200), crabs(201), "buyer_reference"),
        ("buyer_reference", json!("a"), json!("a\nb"), "buyer_reference"),
        ("billing_currency", json!("xcg"), json!("xxx"), "billing_currency"),
        ("tax_treatment", json!("exempt"), json!("Exempt"), "tax_treatment"),
        ("customer_type", json!("individual"), json!("person"), "customer_type"),
        ("electronic_address", peppol("0204", 100), peppol("0204", 101), "electronic_address.value"),
        ("electronic_address", peppol("9999", 1), peppol("999", 1), "electronic_address.scheme"),
        ("electronic_address", json!({}), json!({ "scheme": "0204" }), "electronic_address.value"),
        ("electronic_address", json!({}), json!({ "value": "a" }), "electronic_address.scheme"),
        ("shipping_address", ship("name", crabs(150)), ship("name", crabs(151)), "shipping_address.name"),
        ("shipping_address", ship("phone", crabs(20)), ship("phone", crabs(21)), "shipping_address.phone"),
        ("shipping_address", ship("line1", json!("a\nb")), ship("line1", crabs(256)), "shipping_address.line1"),
        ("shipping_address", ship("line2", crabs(255)), ship("line2", crabs(256)), "shipping_address.line2"),
        ("shipping_address", ship("city", crabs(100)), ship("city", crabs(101)), "shipping_address.city"),
        ("shipping_address", ship("state", crabs(100)), ship("state", crabs(101)), "shipping_address.state"),
        (
            "shipping_address",
            ship("postal_code", crabs(20)),
            ship("postal_code", crabs(21)),
            "shipping_address.postal_code",
        ),
        ("shipping_address", ship("country", json!("XK")), ship("country", json!("de")), "shipping_address.country"),
        ("preferred_locales", locales(10), locales(11), "preferred_locales"),
        ("preferred_locales", json!(["zh-Hant-TW"]), json!(["zh_TW"]), "preferred_locales[0]"),
        ("preferred_locales", json!(["de"]), json!(["de", "DE"]), "preferred_locales[1]"),
        ("tags", json!(["🦀".repeat(64), "a", "A"]), json!(["a", "🦀".repeat(65)]), "tags[1]"),
        ("tags", json!(["a", "b"]), json!(["a", "b", "a"]), "tags[2]"),
        ("tags", json!(["a"]), json!([" "]), "tags[0]"),
        ("tags", json!([]), json!([7]), "tags[0]"),
        ("external_id", json!("a\u{200b}"), json!("\u{200b} \u{ad}"), "external_id"),
        ("onboarding_workflow_name", json!("a"), json!("a\u{2066}b"), "onboarding_workflow_name"),
        (
            "integration_entity_mapping",
            a_link(json!({ "metadata": keys(500) })),
            a_link(json!({ "metadata": keys(501) })),
            "integration_entity_mapping[0].metadata",
        ),
        (
            "integration_entity_mapping",
            a_link(json!({ "metadata": { "k": { "": 1 } } })),
            a_link(json!({ "metadata": { "": 1 } })),
            "integration_entity_mapping[0].metadata",
        ),
        ("onboarding_workflow_name", crabs(255), crabs(256), "onboarding_workflow_name"),
        (
            "tax_rate_overrides",
            an_override(json!({ "priority": 2_147_483_647 })),
            an_override(json!({ "priority": 2_147_483_648_i64 })),
            "tax_rate_overrides[0].priority",
        ),
        (
            "tax_rate_overrides",
            an_override(json!({ "priority": 0 })),
            an_override(json!({ "priority": -1 })),
            "tax_rate_overrides[0].priority",
        ),
        (
            "tax_rate_overrides",
            an_override(json!({ "currency": "xcg" })),
            an_override(json!({ "currency": "XXX" })),
            "tax_rate_overrides[0].currency",
        ),
        (
            "tax_rate_overrides",
            an_override(json!({})),
            an_override(json!({ "tax_rate_code": "ü".repeat(256) })),
            "tax_rate_overrides[0].tax_rate_code",
        ),
        (
            "integration_entity_mapping",
            a_link(json!({ "provider_type": "🦀".repeat(50) })),
            a_link(json!({ "provider_type": "🦀".repeat(51) })),
            "integration_entity_mapping[0].provider_type",
        ),
        (
            "integration_entity_mapping",
            a_link(json!({ "provider_entity_id": "🦀".repeat(255) })),
            a_link(json!({ "provider_entity_id": "🦀".repeat(256) })),
            "integration_entity_mapping[0].provider_entity_id",
        ),
        (
            "integration_entity_mapping",
            a_link(json!({ "entity_id": "🦀".repeat(255) })),
            a_link(json!({ "entity_id": "🦀".repeat(256) })),
            "integration_entity_mapping[0].entity_id",
        ),
        (
            "integration_entity_mapping",
            a_link(json!({ "entity_type": "customer" })),
            a_link(json!({ "entity_type": "invoice" })),
            "integration_entity_mapping[0].entity_type",
        ),
    ];
    for (number, (field, fits, too_much, path)) in cases.into_iter().enumerate() {
        let body = |value: Value| {
            let mut body = minimal(&format!("case-{number}"));
            // No workflow has to be there to be named then.
            body["skip_onboarding_workflow"] = json!(true);
            body[field] = value;
            body
        };
        let refused = server.post("/v1/customers", &body(too_much)).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![path])), "{:#}", refused.body);
        let created = server.post("/v1/customers", &body(fits.clone())).await.expect(201);
        let found = server.get(&format!("/v1/customers/{}", created["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(found, created, "{field}");
        if field.starts_with("address")
            || ["name", "email", "contact", "timezone", "external_id", "metadata"].contains(&field)
        {
            assert_eq!(created[field], fits, "{field}");
        }
    }
}
