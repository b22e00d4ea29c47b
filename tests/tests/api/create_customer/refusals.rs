//! Requests that a create refuses: the reported paths, and no data left behind.

use patron_tests::{
    patron::{Backend, Place, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[tokio::test]
async fn all_errors_of_a_request_are_reported_together_with_their_paths(
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
        // This tax rate does not exist.
        "tax_rate_overrides[0].tax_rate_code",
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
async fn duplicates_within_a_request_are_refused(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
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
async fn u_0000_is_refused_in_every_place(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
async fn a_named_environment_must_be_the_clients_own(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
