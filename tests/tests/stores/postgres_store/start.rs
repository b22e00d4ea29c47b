//! Instances that start on one database, at the same time or after a newer version of Patron.

use futures::future::join_all;
use patron_adapters::persistence::OpenError;
use patron_domain::{page::PageRequest, tenancy::SystemScope};
use patron_tests::postgres::Cluster;

use super::world::{World, first, open};

#[tokio::test]
async fn instances_started_together_migrate_once_and_create_one_first_tenant() {
    let url = Cluster::shared().fresh_database().await;
    let opened = join_all((0..6).map(|_| open(&url, 2))).await;
    let opened: Vec<_> = opened.into_iter().map(|database| database.unwrap()).collect();
    let scope = SystemScope::patron();
    let firsts = opened
        .iter()
        .enumerate()
        .map(|(number, database)| database.tenancy.bootstrap(&scope, first(&format!("sk_0123456789abcdef{number}"))));
    let made: Vec<_> = join_all(firsts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert_eq!(opened[0].tenancy.tenants(&scope, PageRequest::default()).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let world = World::fresh().await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    world.admin().await.batch_execute(newer).await.unwrap();
    let refused = open(&world.url, 1).await.map(drop).unwrap_err();
    assert!(matches!(&refused, OpenError::NewerSchema { migration } if migration == "99990101000000"), "{refused}");
}
