//! `POST /v1/customers` and the look-ups of what it made, over both databases.

use patron_tests::{
    patron::{Backend, Place, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::Method;
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
        ("address_country", json!("AX"), json!("XK"), "address_country"),
        ("timezone", json!("Etc/GMT+5"), json!("Etc/gmt+5"), "timezone"),
        ("metadata", keys(100), keys(101), "metadata"),
        ("metadata", json!({ "ü".repeat(100): "v" }), json!({ "k": "v".repeat(1001) }), "metadata.k"),
        ("metadata", json!({ "k": "🦀".repeat(1000) }), json!({ "k": 5 }), "metadata.k"),
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

#[rstest]
#[tokio::test]
async fn all_errors_of_a_request_are_told_together_with_their_paths(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let answer = server
        .post(
            "/v1/customers",
            &json!({
                "external_id": 7,
                "name": ["no"],
                "email": "nobody",
                "address_country": "de",
                "timezone": "utc",
                "skip_onboarding_workflow": "yes",
                "metadata": { "a": 1, "b": { "c": 2 }, "fine": "x", "gone": null },
                "tax_rate_overrides": [
                    { "tax_rate_code": "VAT", "currency": "EUR" },
                    "not an object",
                    { "currency": "€", "priority": 1.5, "auto_apply": "no", "metadata": [] },
                ],
                "integration_entity_mapping": [{ "provider_type": "", "entity_type": "invoice", "metadata": "x" }],
            }),
        )
        .await;
    let (code, mut paths) = answer.error();
    assert_eq!((answer.status, code), (400, "validation_error"));
    paths.sort_unstable();
    let mut expected = vec![
        "external_id",
        "name",
        "email",
        "address_country",
        "timezone",
        "skip_onboarding_workflow",
        "metadata.a",
        "metadata.b",
        "tax_rate_overrides[1]",
        "tax_rate_overrides[2].tax_rate_code",
        "tax_rate_overrides[2].currency",
        "tax_rate_overrides[2].priority",
        "tax_rate_overrides[2].auto_apply",
        "tax_rate_overrides[2].metadata",
        "integration_entity_mapping[0].provider_type",
        "integration_entity_mapping[0].provider_entity_id",
        "integration_entity_mapping[0].entity_type",
        "integration_entity_mapping[0].metadata",
    ];
    expected.sort_unstable();
    assert_eq!(paths, expected, "{:#}", answer.body);
    assert!(answer.body["details"].as_object().unwrap().values().all(Value::is_object));
}

#[rstest]
#[tokio::test]
async fn a_refused_create_leaves_nothing_behind(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut inactive = tax_rate("OLD");
    inactive["tax_rate_status"] = json!("INACTIVE");
    server.post("/v1/taxes/rates", &inactive).await.expect(201);
    let wish = |code: &str| {
        let mut body = full("acme");
        body["tax_rate_overrides"] = json!([{ "tax_rate_code": code, "currency": "EUR" }]);
        body
    };
    let refused = server.post("/v1/customers", &wish("NONE")).await;
    assert_eq!((refused.status, refused.error()), (404, ("not_found", vec!["tax_rate_overrides[0].tax_rate_code"])));
    let refused = server.post("/v1/customers", &wish("OLD")).await;
    assert_eq!(
        (refused.status, refused.error()),
        (400, ("validation_error", vec!["tax_rate_overrides[0].tax_rate_code"]))
    );

    server.get("/v1/customers/external/acme").await.expect(404);
    let linked = "/v1/integrations/mappings?provider_type=stripe&provider_entity_id=cus_1";
    assert_eq!(server.get(linked).await.expect(200)["pagination"]["total"], 0);
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    server.post("/v1/customers", &full("acme")).await.expect(201);
    assert_eq!(server.get(linked).await.expect(200)["pagination"]["total"], 1);
}

#[rstest]
#[tokio::test]
async fn what_repeats_within_a_request_is_refused(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut body = minimal("acme");
    body["tax_rate_overrides"] = json!([
        { "tax_rate_code": "VAT", "currency": "EUR" },
        { "tax_rate_code": "VAT", "currency": "eur" },
    ]);
    body["integration_entity_mapping"] = json!([
        { "provider_type": "stripe", "provider_entity_id": "a" },
        { "provider_type": "stripe", "provider_entity_id": "b" },
    ]);
    let refused = server.post("/v1/customers", &body).await;
    let paths = vec!["integration_entity_mapping[1].provider_type", "tax_rate_overrides[1].tax_rate_code"];
    assert_eq!((refused.status, refused.error()), (400, ("validation_error", paths)), "{:#}", refused.body);
}

#[rstest]
#[tokio::test]
async fn the_second_create_of_an_external_id_names_the_first(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let first = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let second = server.post("/v1/customers", &minimal("acme")).await;
    assert_eq!((second.status, second.error()), (409, ("already_exists", vec!["external_id"])));
    assert_eq!(second.body["details"]["external_id"]["existing_id"], first["id"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_concurrent_creates_of_one_external_id_exactly_one_succeeds(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let create = |_| async { server.post("/v1/customers", &minimal("contested")).await };
    let answers = futures::future::join_all((0..64).map(create)).await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(loser.status, 409, "{:#}", loser.body);
        assert_eq!(loser.body["details"]["external_id"]["existing_id"], winners[0].body["id"]);
    }
}

#[rstest]
#[tokio::test]
async fn any_text_is_found_by_its_external_id(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let cases = [
        ("gid://app/Customer/1", vec!["gid://app/Customer/1", "gid%3A%2F%2Fapp%2FCustomer%2F1"]),
        ("a/b", vec!["a/b", "a%2Fb"]),
        ("a b+c", vec!["a%20b+c", "a%20b%2Bc"]),
        ("größe-🦀", vec!["gr%C3%B6%C3%9Fe-%F0%9F%A6%80"]),
        ("100%", vec!["100%25"]),
        ("?#&=", vec!["%3F%23%26%3D"]),
        ("a/", vec!["a/", "a%2F"]),
    ];
    for (external_id, paths) in cases {
        let created = server.post("/v1/customers", &minimal(external_id)).await.expect(201);
        for path in paths {
            let found = server.get(&format!("/v1/customers/external/{path}")).await;
            assert_eq!(found.expect(200)["id"], created["id"], "{path}");
        }
    }
    server.get("/v1/customers/external/A/B").await.expect(404);
}

#[rstest]
#[tokio::test]
async fn u_0000_is_refused_wherever_it_stands(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let nul = "a\u{0}b";
    for field in [
        "external_id",
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
    ] {
        let mut body = minimal("acme");
        body[field] = json!(nul);
        let refused = server.post("/v1/customers", &body).await;
        assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![field])), "{:#}", refused.body);
    }
    let nested = json!({
        "external_id": "acme",
        "metadata": { "plan": nul, nul: "v" },
        "tax_rate_overrides": [{ "tax_rate_code": nul, "currency": nul, "metadata": { "k": nul } }],
        "integration_entity_mapping": [
            { "provider_type": nul, "provider_entity_id": nul, "entity_id": nul, "metadata": { "deep": [{ nul: [nul] }] } },
        ],
    });
    let refused = server.post("/v1/customers", &nested).await;
    let (code, paths) = refused.error();
    assert_eq!((refused.status, code), (400, "validation_error"));
    for path in [
        "metadata.plan",
        "metadata[\"a\\u0000b\"]",
        "tax_rate_overrides[0].tax_rate_code",
        "tax_rate_overrides[0].currency",
        "tax_rate_overrides[0].metadata.k",
        "integration_entity_mapping[0].provider_type",
        "integration_entity_mapping[0].provider_entity_id",
        "integration_entity_mapping[0].entity_id",
    ] {
        assert!(paths.contains(&path), "{path} is missing in {paths:?}");
    }
    assert!(paths.iter().any(|path| path.starts_with("integration_entity_mapping[0].metadata.deep[0]")), "{paths:?}");
    let rate = server.post("/v1/taxes/rates", &tax_rate(nul)).await;
    assert_eq!(rate.status, 400);
    for path in ["/v1/customers/external/a%00b", "/v1/customers/cust_%00", "/v1/taxes/rates/%00"] {
        server.get(path).await.expect(404);
    }
    for query in
        ["entity_type=customer&entity_id=%00", "provider_type=%00&provider_entity_id=x", "entity_type=%00&entity_id=x"]
    {
        server.get(&format!("/v1/integrations/mappings?{query}")).await.expect(400);
    }
    assert_eq!(server.get("/health/ready").await.status, 200);
}

#[rstest]
#[tokio::test]
async fn the_environment_a_client_names_has_to_be_its_own(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let created = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let own = created["environment_id"].as_str().unwrap().to_owned();
    let post = |environment: String| {
        server.request(Method::POST, "/v1/customers").json(&minimal("other")).header("X-Environment-ID", environment)
    };
    let refused = send(post(own.replace("env_0", "env_1"))).await;
    assert_eq!((refused.status, refused.error().0), (403, "permission_denied"));
    server.get("/v1/customers/external/other").await.expect(404);
    send(post(own)).await.expect(201);
}
