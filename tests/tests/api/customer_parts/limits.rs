//! The limits of a whole customer: one more of anything is refused, and says which limit.

use patron_tests::{
    patron::{Answer, Backend, Place, Server},
    requests::{minimal, tax_rate},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{patch, path};

fn refused(answer: &Answer, limit: &str) {
    assert_eq!((answer.status, answer.error().0), (400, "invalid_operation"), "{}", answer.body);
    assert!(answer.body["message"].as_str().unwrap().contains(limit), "{}", answer.body);
}

async fn link(server: &Server, customer: &Value, provider: &str, metadata: Value) -> Answer {
    let body = json!({
        "entity_type": "customer", "entity_id": customer["id"], "provider_type": provider, "provider_entity_id": "1",
        "metadata": metadata,
    });
    server.post("/v1/integrations/link", &body).await
}

#[rstest]
#[tokio::test]
async fn a_customer_has_100_links(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let mut body = minimal("acme");
    let links = (0..100).map(|n| json!({ "provider_type": format!("p{n}"), "provider_entity_id": "1" }));
    body["integration_entity_mapping"] = links.collect();
    let created = server.post("/v1/customers", &body).await.expect(201);
    refused(&link(&server, &created, "one more", json!({})).await, "at most 100 links");
    link(&server, &created, "p7", json!({ "changed": true })).await.expect(200);
    let more = json!({ "integration_entity_mapping": [{ "provider_type": "more", "provider_entity_id": "1" }] });
    refused(&patch(&server, &path(&created), &more).await, "at most 100 links");
}

#[rstest]
#[tokio::test]
async fn a_customer_has_100_tax_associations(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for n in 0..11 {
        server.post("/v1/taxes/rates", &tax_rate(&format!("T{n}"))).await.expect(201);
    }
    let currencies = ["EUR", "USD", "GBP", "JPY", "CHF", "INR", "BRL", "XCG", "ZAR", "KRW"];
    let taxes = (0..100).map(|n| json!({ "tax_rate_code": format!("T{}", n / 10), "currency": currencies[n % 10] }));
    let mut body = minimal("acme");
    body["tax_rate_overrides"] = taxes.collect();
    server.post("/v1/customers", &body).await.expect(201);
    let one_more = json!({ "entity_type": "customer", "external_customer_id": "acme", "tax_rate_code": "T10" });
    refused(&server.post("/v1/taxes/associations", &one_more).await, "at most 100 tax associations");
}

#[rstest]
#[tokio::test]
async fn a_customer_has_a_megabyte_in_all(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let created = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let filled = |bytes: usize| json!({ "k": "x".repeat(bytes - r#"{"k":""}"#.len()) });
    for n in 0..15 {
        link(&server, &created, &format!("p{n}"), filled(65_536)).await.expect(200);
    }
    refused(&link(&server, &created, "p15", filled(65_536)).await, "at most 1048576 bytes");
    link(&server, &created, "p15", filled(60_000)).await.expect(200);
    // What makes it smaller, or leaves its size alone, is always taken.
    patch(&server, &path(&created), &json!({ "name": "A" })).await.expect(200);
}
