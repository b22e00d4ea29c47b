//! An external id belongs to one customer and may be any text.

use patron_tests::{
    patron::{Backend, Place},
    requests::minimal,
};
use rstest::rstest;

#[rstest]
#[tokio::test]
async fn a_second_create_with_the_same_external_id_names_the_existing_customer(
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
async fn only_one_of_64_concurrent_creates_with_the_same_external_id_succeeds(
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
async fn any_text_works_as_an_external_id(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
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
