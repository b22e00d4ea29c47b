//! An acknowledged write survives a kill of the process.

use patron_tests::{
    patron::{Backend, Place},
    requests::{full, tax_rate},
};
use rstest::rstest;

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_create_survives_a_kill(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let create = |number: usize| {
        let server = &server;
        async move { server.post("/v1/customers", &full(&format!("c{number}"))).await.expect(201) }
    };
    let created = futures::future::join_all((0..50).map(create)).await;
    server.kill();

    let server = place.serve();
    for customer in created {
        let id = customer["id"].as_str().unwrap();
        assert_eq!(server.get(&format!("/v1/customers/{id}")).await.expect(200), customer);
        let taxes = server.get(&format!("/v1/taxes/associations?entity_type=customer&entity_id={id}")).await;
        assert_eq!(taxes.expect(200)["pagination"]["total"], 1);
    }
}
