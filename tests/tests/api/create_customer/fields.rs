//! What a create takes, up to each limit, and how it is answered.

use patron_tests::{
    patron::{Backend, Place},
    requests::{full, minimal, tax_rate},
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
    let answer = server.post("/v1/customers", &full("acme")).await;
    assert!(answer.header("x-request-id").is_some());
    let created = answer.expect(201);

    let sent = full("acme");
    for field in ["external_id", "name", "email", "contact", "timezone", "metadata"] {
        assert_eq!(created[field], sent[field], "{field}");
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
        "onboarding_workflow_name",
    ];
    let others = ["metadata", "tax_rate_overrides", "integration_entity_mapping", "skip_onboarding_workflow"];
    let mut nulls = minimal("nulls");
    for field in texts.iter().chain(&others) {
        nulls[*field] = Value::Null;
    }
    let mut empties = minimal("empties");
    for field in texts {
        empties[field] = json!("");
    }
    empties["an unknown field"] = json!({ "is": "ignored" });
    for body in [minimal("absent"), nulls, empties] {
        let created = server.post("/v1/customers", &body).await.expect(201);
        for field in ["name", "email", "address_line1", "address_city", "address_country"] {
            assert_eq!(created[field], "", "{field}");
        }
        assert_eq!(created.get("contact"), None);
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
