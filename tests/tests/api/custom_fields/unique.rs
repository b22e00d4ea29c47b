//! Unique values, also between writes at the same time.

use futures::future::join_all;
use patron_tests::{
    audit::is_consistent,
    patron::{Backend, Place},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::{FIELDS, created, define, delete, patch, with};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_customers_with_one_value_exactly_one_is_created(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    define(&server, "code", "string", json!({ "unique": true })).await;
    define(&server, "number", "decimal", json!({ "unique": true })).await;
    for round in 0..4 {
        let value = json!({ "code": format!("code {round}"), "number": round });
        let bodies: Vec<_> = (0..16).map(|n| with(&format!("{round}-{n}"), &value)).collect();
        let answers = join_all(bodies.iter().map(|body| server.post("/v1/customers", body))).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(won.len(), 1, "round {round}");
        for lost in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!((lost.status, &lost.body["code"]), (409, &json!("already_exists")), "{}", lost.body);
            assert_eq!(lost.body["details"]["custom_fields.code"]["existing_id"], won[0].body["id"]);
        }
    }
    is_consistent(&place).await;
}

#[rstest]
#[tokio::test]
async fn archived_customers_give_their_values_up(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    define(&server, "code", "integer", json!({ "unique": true })).await;
    define(&server, "tier", "select", json!({ "options": ["gold"] })).await;
    let first = created(&server, "first", json!({ "code": 7, "tier": "gold" })).await;
    let second = created(&server, "second", json!({ "code": 8, "tier": "gold" })).await;
    let taken = patch(&server, &second, &json!({ "custom_fields": { "code": 7 } })).await;
    assert_eq!((taken.status, taken.error()), (409, ("already_exists", vec!["custom_fields.code"])));
    // Its own value does not conflict.
    patch(&server, &first, &json!({ "custom_fields": { "code": 7, "tier": null } })).await.expect(200);
    assert_eq!(delete(&server, &first).await.status, 204);
    patch(&server, &second, &json!({ "custom_fields": { "code": 7 } })).await.expect(200);
    let restored = server.post(&format!("{first}/restore"), &json!({})).await;
    assert_eq!((restored.status, restored.error()), (409, ("already_exists", vec!["custom_fields.code"])));
    patch(&server, &second, &json!({ "custom_fields": { "code": null } })).await.expect(200);
    server.post(&format!("{first}/restore"), &json!({})).await.expect(200);
    let taken = patch(&server, &second, &json!({ "custom_fields": { "code": 7 } })).await;
    assert_eq!(taken.status, 409);
    is_consistent(&place).await;
}

#[rstest]
#[tokio::test]
async fn a_field_becomes_unique_only_without_clashes(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    define(&server, "code", "string", json!({})).await;
    let mut same = Vec::new();
    for number in 0..12 {
        same.push(created(&server, &format!("same {number}"), json!({ "code": "x" })).await);
    }
    created(&server, "other", json!({ "code": "X" })).await;
    let path = format!("{FIELDS}/code");
    let clash = patch(&server, &path, &json!({ "unique": true })).await;
    assert_eq!((clash.status, &clash.body["code"]), (409, &json!("already_exists")), "{}", clash.body);
    let ids: Vec<_> = same.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(clash.body["details"]["customers"], json!(ids[..10]));
    assert_eq!(server.get(&path).await.expect(200)["unique"], json!(false));

    for path in &same[1..] {
        assert_eq!(delete(&server, path).await.status, 204);
    }
    patch(&server, &path, &json!({ "unique": true })).await.expect(200);
    is_consistent(&place).await;
    assert_eq!(server.post("/v1/customers", &with("late", &json!({ "code": "x" }))).await.status, 409);
    assert_eq!(server.post(&format!("{}/restore", same[1]), &json!({})).await.status, 409);
    patch(&server, &path, &json!({ "unique": false })).await.expect(200);
    server.post(&format!("{}/restore", same[1]), &json!({})).await.expect(200);
    is_consistent(&place).await;
}

/// A field becomes unique while customers get the same value: either it does, and one customer has the value, or it does not.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_becomes_unique_sees_every_value(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for round in 0..6 {
        let key = format!("code_{round}");
        define(&server, &key, "string", json!({})).await;
        let path = format!("{FIELDS}/{key}");
        let field = json!({ &key: "x" });
        let bodies: Vec<_> = (0..6).map(|n| with(&format!("{round}-{n}"), &field)).collect();
        let creates = join_all(bodies.iter().map(|body| server.post("/v1/customers", body)));
        let unique = json!({ "unique": true });
        let (answers, changed) = futures::join!(creates, super::sent(&server, Method::PATCH, &path, &unique));
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "round {round}");
        match changed.status {
            200 => assert_eq!(made, 1, "round {round}"),
            409 => assert_eq!(made, 6, "round {round}"),
            other => panic!("{other}: {}", changed.body),
        }
    }
    is_consistent(&place).await;
}
