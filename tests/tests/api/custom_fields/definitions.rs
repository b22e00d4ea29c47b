//! Definitions: what they may be, and how they change.

use patron_tests::patron::{Backend, KEY, Place, send};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::{FIELDS, define, delete, patch, refuses};

#[rstest]
#[tokio::test]
async fn a_definition_is_created_listed_changed_and_deleted(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let body = json!({
        "key": "tier", "type": "select", "options": ["gold", "silver"], "required": true, "personal": true,
        "description": "The contract",
    });
    let created = server.post(FIELDS, &body).await;
    assert_eq!(created.header("location"), Some("/v1/custom-fields/tier"));
    let tag = created.header("etag").unwrap().to_owned();
    let created = created.expect(201);
    for (member, value) in body.as_object().unwrap() {
        assert_eq!(created[member], *value, "{member}");
    }
    assert_eq!((&created["unique"], created.get("purging")), (&json!(false), None));
    assert!(created["id"].as_str().unwrap().starts_with("cf_"));
    let seats = define(&server, "seats", "integer", json!({})).await;
    assert_eq!((&seats["options"], &seats["description"], &seats["required"]), (&json!([]), &json!(""), &json!(false)));

    let path = format!("{FIELDS}/tier");
    let found = server.get(&path).await;
    assert_eq!(found.header("etag"), Some(tag.as_str()));
    assert_eq!(found.expect(200), created);
    let list = server.get(&format!("{FIELDS}?limit=1")).await.expect(200);
    assert_eq!((&list["items"], &list["pagination"]["total"]), (&json!([seats]), &json!(2)));
    let cursor = list["pagination"]["next_cursor"].as_str().unwrap();
    let next = server.get(&format!("{FIELDS}?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(next["items"], json!([created]));

    let stale = server.request(Method::PATCH, &path).header("if-match", "\"7\"").json(&json!({ "required": false }));
    assert_eq!(send(stale).await.status, 412);
    let same = patch(&server, &path, &json!({ "key": "tier", "type": "select", "required": true })).await;
    assert_eq!(same.header("etag"), Some(tag.as_str()), "nothing changed");
    let current = server.request(Method::PATCH, &path).header("if-match", &tag).json(&json!({
        "options": ["gold", "bronze"], "required": null, "description": null,
    }));
    let changed = send(current).await;
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    let changed = changed.expect(200);
    assert_eq!(
        (&changed["options"], &changed["required"], &changed["description"], &changed["personal"]),
        (&json!(["gold", "bronze"]), &json!(false), &json!(""), &json!(true))
    );
    let fixed = patch(&server, &path, &json!({ "key": "other", "type": "string" })).await;
    refuses(&fixed, &[("key", "fixed"), ("type", "fixed")]);

    let gone = server.request(Method::DELETE, &path).header("if-match", &tag);
    assert_eq!(send(gone).await.status, 412);
    assert_eq!(delete(&server, &path).await.status, 204);
    assert_eq!((delete(&server, &path).await.status, server.get(&path).await.status), (404, 404));
    define(&server, "tier", "string", json!({})).await;

    let audit = server.get("/v1/audit").await.expect(200);
    let entries = audit["items"].as_array().unwrap().iter();
    let entries: Vec<_> = entries.map(|entry| entry["action"].as_str().unwrap()).take(5).collect();
    let (made, updated) = ("custom_field.created", "custom_field.updated");
    assert_eq!(entries, [made, "custom_field.deleted", updated, made, made]);
    assert_eq!(audit["items"][2]["changed"], json!(["options", "required", "description"]));
    assert_eq!(audit["items"][4]["object"], json!({ "type": "custom_field", "id": created["id"] }));
}

#[rstest]
#[tokio::test]
async fn invalid_definitions_are_refused(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let many: Vec<_> = (0..101).map(|n| format!("option {n}")).collect();
    for (body, wanted) in [
        (json!({}), vec![("key", "required"), ("type", "required")]),
        (
            json!({ "key": "Seats", "type": "number", "required": "yes" }),
            vec![("key", "pattern"), ("type", "one_of"), ("required", "type")],
        ),
        (json!({ "key": "x".repeat(41), "type": "string" }), vec![("key", "pattern")]),
        (json!({ "key": "tier", "type": "select" }), vec![("options", "required")]),
        (json!({ "key": "tier", "type": "select", "options": [] }), vec![("options", "required")]),
        (json!({ "key": "tier", "type": "string", "options": ["gold"] }), vec![("options", "no_options")]),
        (json!({ "key": "tier", "type": "select", "options": ["a", "a"] }), vec![("options[1]", "unique")]),
        (
            json!({ "key": "tier", "type": "select", "options": ["", "x".repeat(101), 3] }),
            vec![("options[0]", "required"), ("options[1]", "max_length"), ("options[2]", "type")],
        ),
        (json!({ "key": "tier", "type": "select", "options": many }), vec![("options", "max_items")]),
        (
            json!({ "key": "tiers", "type": "multi_select", "options": ["a"], "unique": true }),
            vec![("unique", "no_unique")],
        ),
        (
            json!({ "key": "tier", "type": "string", "description": "x".repeat(501) }),
            vec![("description", "max_length")],
        ),
    ] {
        refuses(&server.post(FIELDS, &body).await, &wanted);
    }
    let most = json!({
        "key": "k".repeat(40), "type": "select", "options": &many[..100], "description": "x".repeat(500),
    });
    let longest = server.post(FIELDS, &most).await.expect(201);
    assert_eq!(longest["options"].as_array().unwrap().len(), 100);
    let taken = server.post(FIELDS, &json!({ "key": "k".repeat(40), "type": "date" })).await;
    assert_eq!((taken.status, &taken.body["details"]["key"]["existing_id"]), (409, &longest["id"]));
    let path = format!("{FIELDS}/{}", "k".repeat(40));
    refuses(&patch(&server, &path, &json!({ "options": [] })).await, &[("options", "required")]);
    assert_eq!(server.get(&format!("{FIELDS}/No-Key")).await.status, 404);
}

#[rstest]
#[tokio::test]
async fn an_environment_has_at_most_100_and_only_a_super_admin_sees_them(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    for number in 0..100 {
        define(&server, &format!("field_{number}"), "string", json!({})).await;
    }
    let more = server.post(FIELDS, &json!({ "key": "one_more", "type": "string" })).await;
    assert_eq!((more.status, more.error().0), (400, "invalid_operation"));
    assert_eq!(delete(&server, &format!("{FIELDS}/field_7")).await.status, 204);
    define(&server, "one_more", "string", json!({})).await;

    let key = json!({ "name": "k", "type": "private_key", "roles": ["all_writer"] });
    let key = server.post("/v1/secrets/api/keys", &key).await.expect(201);
    let key = key["api_key"].as_str().unwrap();
    for method in [Method::GET, Method::POST] {
        let request = server.anonymous(method, FIELDS).header("x-api-key", key).json(&json!({}));
        assert_eq!(send(request).await.status, 403);
    }
    assert_ne!(key, KEY);
}

#[rstest]
#[tokio::test]
async fn a_definition_is_created_and_deleted_once_under_a_key(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let create = || {
        let request = server.request(Method::POST, FIELDS).header("idempotency-key", "create");
        request.json(&json!({ "key": "seats", "type": "integer" }))
    };
    let first = send(create()).await.expect(201);
    let second = send(create()).await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.expect(201), first);
    let remove = || server.request(Method::DELETE, &format!("{FIELDS}/seats")).header("idempotency-key", "delete");
    assert_eq!(send(remove()).await.status, 204);
    let again = send(remove()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (204, Some("true")));
}
