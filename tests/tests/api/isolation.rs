//! Data of another tenant or environment looks as if it did not exist.

use patron_tests::{
    patron::{Backend, Place, send},
    requests::{full, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[tokio::test]
async fn foreign_data_looks_exactly_like_absent_data(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let tenants: Value = serde_json::from_str(&place.run_ok(&["tenants", "list", "--json"])).unwrap();
    let own_tenant = tenants[0]["id"].as_str().unwrap().to_owned();
    let other_tenant: Value =
        serde_json::from_str(&place.run_ok(&["tenants", "create", "--name", "Other", "--json"])).unwrap();

    let mut foreign_keys = Vec::new();
    for tenant in [&own_tenant, other_tenant["id"].as_str().unwrap()] {
        let arguments = ["environments", "create", "--tenant", tenant, "--name", "E", "--type", "production", "--json"];
        let environment: Value = serde_json::from_str(&place.run_ok(&arguments)).unwrap();
        let environment = environment["id"].as_str().unwrap();
        let key =
            place.run_ok(&["keys", "create", "--environment", environment, "--name", "k", "--role", "super_admin"]);
        foreign_keys.push(key.trim().to_owned());
    }

    let rate = server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let customer = server.post("/v1/customers", &full("acme")).await.expect(201);
    let (customer_id, rate_id) = (customer["id"].as_str().unwrap(), rate["id"].as_str().unwrap());
    let absent = "01JDG3W9Z5X0M8R2K7T4B6Q1NE";

    for key in &foreign_keys {
        for (theirs, nobodys) in [
            (format!("/v1/customers/{customer_id}"), format!("/v1/customers/cust_{absent}")),
            ("/v1/customers/external/acme".to_owned(), "/v1/customers/external/nobody".to_owned()),
            (format!("/v1/taxes/rates/{rate_id}"), format!("/v1/taxes/rates/taxrate_{absent}")),
            (
                format!("/v1/integrations/mappings?entity_type=customer&entity_id={customer_id}"),
                format!("/v1/integrations/mappings?entity_type=customer&entity_id=cust_{absent}"),
            ),
            (
                "/v1/integrations/mappings?provider_type=stripe&provider_entity_id=cus_1".to_owned(),
                "/v1/integrations/mappings?provider_type=stripe&provider_entity_id=cus_nobody".to_owned(),
            ),
            (
                format!("/v1/taxes/associations?entity_type=customer&entity_id={customer_id}"),
                format!("/v1/taxes/associations?entity_type=customer&entity_id=cust_{absent}"),
            ),
        ] {
            let theirs = send(server.request_as(key, Method::GET, &theirs)).await;
            let nobodys = send(server.request_as(key, Method::GET, &nobodys)).await;
            assert_eq!((theirs.status, theirs.body), (nobodys.status, nobodys.body));
        }
        // The other environment's tax rate is unknown here, and its external id is free.
        let post = |body: &Value| server.request_as(key, Method::POST, "/v1/customers").json(body);
        let refused = send(post(&full("acme"))).await;
        assert_eq!((refused.status, refused.error().0), (404, "not_found"));
        let mut body = full("acme");
        body["tax_rate_overrides"] = json!([]);
        let created = send(post(&body)).await.expect(201);
        assert_ne!(created["environment_id"], customer["environment_id"]);
    }
    assert_eq!(server.get("/v1/customers/external/acme").await.expect(200), customer);
}
