//! Deleting fields that customers have values of.

use patron_tests::{
    audit::is_consistent,
    patron::{Backend, Place},
};
use rstest::rstest;
use serde_json::json;

use super::{FIELDS, created, define, delete, refuses, with};

#[rstest]
#[tokio::test]
async fn a_field_in_use_is_deleted_only_with_its_values(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    define(&server, "code", "string", json!({ "unique": true })).await;
    define(&server, "stays", "boolean", json!({})).await;
    let mut paths = Vec::new();
    // More than one transaction purges.
    for number in 0..120 {
        let fields = json!({ "code": format!("code {number}"), "stays": true });
        paths.push(created(&server, &format!("c {number}"), fields).await);
    }
    assert_eq!(delete(&server, &paths[7]).await.status, 204);
    let path = format!("{FIELDS}/code");
    let refused = delete(&server, &path).await;
    assert_eq!((refused.status, refused.error().0), (400, "invalid_operation"));
    assert!(server.get(&path).await.expect(200).get("purging").is_none());
    refuses(&delete(&server, &format!("{path}?purge=yes")).await, &[("purge", "one_of")]);

    assert_eq!(delete(&server, &format!("{path}?purge=true")).await.status, 204);
    assert_eq!(server.get(&path).await.status, 404);
    for path in [&paths[0], &paths[7], &paths[119]] {
        assert_eq!(server.get(path).await.expect(200)["custom_fields"], json!({ "stays": true }));
        let history = server.get(&format!("{path}/history")).await.expect(200);
        let last = history["items"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["type"], &last["changed"]), (&json!("customer.updated"), &json!(["custom_fields"])));
    }
    assert_eq!(place.number("SELECT count(*) FROM customer_index WHERE kind = 11").await, 0);
    assert_eq!(place.number("SELECT count(*) FROM customer_index WHERE kind = 10").await, 120);
    is_consistent(&place).await;
    refuses(
        &server.post("/v1/customers", &with("late", &json!({ "code": "x" }))).await,
        &[("custom_fields.code", "known_field")],
    );
    assert_eq!(delete(&server, &format!("{path}?purge=true")).await.status, 404);
    // Without values it is deleted, with or without purge.
    define(&server, "code", "string", json!({})).await;
    assert_eq!(delete(&server, &path).await.status, 204);
}
