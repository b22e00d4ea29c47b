//! The setting `customer_retention`, and the erasure of archived customers by a running server.

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::minimal,
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{REQUESTS, text};

const SETTING: &str = "/v1/settings/customer_retention";

async fn put(server: &Server, path: &str, value: Value) -> Answer {
    send(server.request(Method::PUT, path).json(&json!({ "value": value }))).await
}

async fn archived(server: &Server, external_id: &str) -> String {
    let id = text(&server.post("/v1/customers", &minimal(external_id)).await.expect(201)["id"]);
    send(server.request(Method::DELETE, &format!("/v1/customers/{id}"))).await;
    id
}

#[rstest]
#[tokio::test]
async fn the_setting_is_read_back_and_checked(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let unset = json!({ "key": "customer_retention", "value": {} });
    assert_eq!(server.get(SETTING).await.expect(200), unset);
    let said = put(&server, &format!("{SETTING}?dry_run=true"), json!({ "archived_days": 30 })).await;
    assert_eq!(said.header("patron-dry-run"), Some("true"));
    assert_eq!(said.body["would"]["body"]["value"], json!({ "archived_days": 30 }));
    assert!(said.body["changes"].as_array().unwrap().iter().any(|one| one["path"] == "value.archived_days"));
    assert_eq!(server.get(SETTING).await.expect(200), unset, "a dry run sets nothing");

    let first = put(&server, SETTING, json!({ "archived_days": 3650 })).await;
    let set = first.clone().expect(200);
    assert_eq!((&set["key"], &set["value"]), (&json!("customer_retention"), &json!({ "archived_days": 3650 })));
    assert_eq!(server.get(SETTING).await.expect(200), set);
    let again = put(&server, SETTING, json!({ "archived_days": 3650 })).await;
    assert_eq!((again.header("etag"), &again.body), (first.header("etag"), &set), "the same changes nothing");
    let tag = first.header("etag").unwrap();
    let change = |tag: &str, days: u32| {
        let body = json!({ "value": { "archived_days": days, "former_ids_days": 365 } });
        send(server.request(Method::PUT, SETTING).header("if-match", tag).json(&body))
    };
    let changed = change(tag, 3651).await;
    assert_eq!(changed.status, 200);
    assert_eq!(change(tag, 3652).await.status, 412);

    for (body, path) in [
        (json!({}), "value"),
        (json!({ "value": { "archived_days": -1 } }), "value.archived_days"),
        (json!({ "value": { "former_ids_days": 36_501 } }), "value.former_ids_days"),
        (json!({ "value": { "archived_days": "30" } }), "value.archived_days"),
    ] {
        let refused = send(server.request(Method::PUT, SETTING).json(&body)).await;
        assert_eq!((refused.status, refused.error().1), (400, vec![path]), "{body}");
    }
    let misspelt = put(&server, &format!("{SETTING}?dryrun=true"), json!({ "archived_days": 0 })).await;
    assert_eq!((misspelt.status, misspelt.error().1), (400, vec!["dryrun"]));
    let writer = json!({ "name": "w", "type": "private_key", "roles": ["all_writer", "all_reader"] });
    let writer = text(&server.post("/v1/secrets/api/keys", &writer).await.expect(201)["api_key"]);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let denied = server.request_as(&writer, method, SETTING).json(&json!({ "value": {} }));
        assert_eq!(send(denied).await.status, 403);
    }

    assert_eq!(send(server.request(Method::DELETE, SETTING)).await.status, 204);
    assert_eq!(send(server.request(Method::DELETE, SETTING)).await.status, 204, "a second one changes nothing");
    assert_eq!(server.get(SETTING).await.expect(200), unset);
    let audit = server.get("/v1/audit").await.expect(200);
    let entries = audit["items"].as_array().unwrap().iter();
    let changes: Vec<_> = entries.filter(|entry| entry["action"] == "customer_retention.updated").collect();
    let fields: Vec<_> = changes.iter().map(|entry| entry["changed"].clone()).collect();
    let both = json!(["archived_days", "former_ids_days"]);
    assert_eq!(fields, [both.clone(), both, json!(["archived_days"])]);
}

#[rstest]
#[tokio::test]
async fn archived_customers_are_erased_without_a_request(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (old, held) = (archived(&server, "old").await, archived(&server, "held").await);
    let hold = format!("/v1/customers/{held}/legal-hold");
    send(server.request(Method::PUT, &hold).json(&json!({ "reason": "Lawsuit" }))).await.expect(200);
    let stays = text(&server.post("/v1/customers", &minimal("stays")).await.expect(201)["id"]);
    put(&server, SETTING, json!({ "archived_days": 30 })).await.expect(200);
    let due = server.get("/v1/privacy/due").await.expect(200);
    let [due] = due["items"].as_array().unwrap().as_slice() else { panic!("one is due: {due:#}") };
    assert_eq!((&due["customer_id"], &due["why"]), (&json!(old), &json!("retention")));

    put(&server, SETTING, json!({ "archived_days": 0 })).await.expect(200);
    let done = wait::until(async || {
        let all = server.get(&format!("{REQUESTS}?state=completed")).await.expect(200);
        match all["items"].as_array().unwrap().as_slice() {
            [one] => Ok(one.clone()),
            other => Err(format!("{} are completed", other.len())),
        }
    })
    .await;
    assert_eq!((&done["customer_id"], &done["request_channel"]), (&json!(old), &json!("retention")));
    assert_eq!((&done["cooldown_days"], &done["created_by"]), (&json!(0), &json!("system")));
    assert_eq!(server.get(&format!("/v1/customers/{old}")).await.status, 404);
    for id in [&held, &stays] {
        assert_eq!(server.get(&format!("/v1/customers/{id}")).await.status, 200);
    }
    let receipt = server.get(&format!("{REQUESTS}/{}/receipt", text(&done["id"]))).await.expect(200);
    assert!(text(&receipt["payload"]).contains("\"retention\""), "{receipt:#}");
    let asked = json!({ "customer_id": stays, "request_channel": "retention" });
    let refused = server.post(REQUESTS, &asked).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["request_channel"]), "only retention uses it");
    patron_tests::audit::is_consistent(&place).await;
}
