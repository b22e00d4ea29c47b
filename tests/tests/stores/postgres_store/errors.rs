//! Error messages: the reason is in them, passwords and stored values are not.

use patron_domain::{idempotency::OnceError, store::StoreError, tenancy::ApiKey};
use patron_tests::postgres::Cluster;

use super::world::{World, first, open};

#[tokio::test]
async fn connection_errors_give_the_reason_without_the_password() {
    let url = Cluster::shared().fresh_database().await;
    let password = url.split([':', '@']).nth(2).unwrap();
    let port = Cluster::shared().port();
    let cases = [
        (url.replace(password, "wr0ng"), "password authentication failed"),
        (url.replace("test_", "missing_"), "does not exist"),
        (url.replace(&port.to_string(), "1"), "nothing listens there"),
        (url.replace("127.0.0.1", "nowhere.invalid"), "the name of the host has no address"),
        (format!("postgres://u:{password}@127.0.0.1:{port}/d?unknown=1"), "unknown option `unknown`"),
    ];
    for (url, reason) in cases {
        let refused = open(&url, 1).await.map(drop).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
        assert!(!refused.contains(password) && !refused.contains("wr0ng") && !refused.contains('\n'), "{refused}");
    }
}

#[tokio::test]
async fn errors_hold_no_stored_values() {
    let world = World::fresh().await;
    let another = first("sk_0123456789abcdef");
    let key = ApiKey { owner: world.scope.owner, ..another.key };
    let refused = world.database.keys.create(&world.scope, key, another.secret, None).await.unwrap_err();
    let OnceError::Store(StoreError::Failed { reason }) = refused else { panic!("{refused:?}") };
    assert_eq!(reason, "a unique value is taken (SQLSTATE 23505)");
    world.admin().await.batch_execute("DROP TABLE events CASCADE").await.unwrap();
    let refused = world.create("acme@example.com", &[]).await.unwrap_err();
    assert_eq!(refused.to_string(), "the database refused: an unknown error (SQLSTATE 42P01)");
    assert_eq!(world.exists("acme@example.com").await, Ok(false));
}
