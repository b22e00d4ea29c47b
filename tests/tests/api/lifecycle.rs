//! Changing customers over HTTP, over both databases: updates, merge patches, archiving, restoring, links, versions.

use futures::future::join_all;
use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::{full, minimal, tax_rate},
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

async fn ask(server: &Server, method: Method, path: &str, body: &Value) -> Answer {
    send(server.request(method, path).json(body)).await
}

async fn ask_if(server: &Server, method: Method, path: &str, tag: &str, body: &Value) -> Answer {
    send(server.request(method, path).header("if-match", tag).json(body)).await
}

/// A server over a fresh database with one customer, and its path.
async fn with_customer(backend: Backend) -> (Place, Server, Value, String) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let customer = server.post("/v1/customers", &full("acme")).await.expect(201);
    let path = format!("/v1/customers/{}", customer["id"].as_str().unwrap());
    (place, server, customer, path)
}

async fn count(server: &Server, what: &str, id: &Value) -> u64 {
    let path = format!("/v1/{what}?entity_type=customer&entity_id={}", id.as_str().unwrap());
    server.get(&path).await.body["pagination"]["total"].as_u64().unwrap_or(0)
}

#[rstest]
#[tokio::test]
async fn a_put_changes_given_fields_and_clears_empty_ones(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (_place, server, before, path) = with_customer(backend).await;
    let body = json!({
        "name": "Ada", "email": null, "address_city": "", "contact": "", "metadata": { "a": "1" },
        "integration_entity_mapping": [{ "provider_type": "crm", "provider_entity_id": "7" }],
    });
    let answer = ask(&server, Method::PUT, &path, &body).await;
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let after = answer.expect(200);
    assert_eq!((&after["name"], &after["email"]), (&json!("Ada"), &before["email"]));
    assert_eq!((&after["address_city"], after.get("contact")), (&json!(""), None));
    assert_eq!(after["metadata"], json!({ "a": "1" }));
    assert_eq!(after["integrations"].as_array().unwrap().len(), 2);
    assert_eq!(after["created_at"], before["created_at"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(server.get(&path).await.expect(200), after);

    let named = "/v1/customers?external_customer_id=acme";
    let renamed =
        ask(&server, Method::PUT, named, &json!({ "external_id": "acme-2", "timezone": "" })).await.expect(200);
    assert_eq!((&renamed["external_id"], &renamed["timezone"]), (&json!("acme-2"), &json!("UTC")));
    let by_id = format!("/v1/customers?id={}", before["id"].as_str().unwrap());
    assert_eq!(ask(&server, Method::PUT, &by_id, &json!({})).await.expect(200)["name"], "Ada");
}

#[rstest]
#[tokio::test]
async fn updates_and_creates_refuse_the_same_fields(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (_place, server, before, path) = with_customer(backend).await;
    let other = server.post("/v1/customers", &minimal("other")).await.expect(201);
    let wrong = json!({ "external_id": "", "email": "x", "address_country": "de", "name": 1 });
    let refused = ask(&server, Method::PUT, &path, &wrong).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.error(), ("validation_error", vec!["address_country", "email", "external_id", "name"]));
    let taken = ask(&server, Method::PUT, &path, &json!({ "external_id": "other" })).await;
    assert_eq!(taken.body["details"]["external_id"]["existing_id"], other["id"]);
    assert_eq!(taken.status, 409);
    for (query, status) in [
        ("", 400),
        ("?external_customer_id=none", 404),
        ("?id=cust_none", 404),
        (format!("?external_customer_id=acme&id={}", other["id"].as_str().unwrap()).as_str(), 400),
    ] {
        let answer = ask(&server, Method::PUT, &format!("/v1/customers{query}"), &json!({ "name": "x" })).await;
        assert_eq!(answer.status, status, "{query}");
    }
    let gone = path.replace("cust_0", "cust_1");
    assert_eq!(ask(&server, Method::PUT, &gone, &json!({})).await.error().0, "not_found");
    assert_eq!(server.get(&path).await.expect(200), before);
}

#[rstest]
#[tokio::test]
async fn a_patch_merges(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (_place, server, before, path) = with_customer(backend).await;
    let body = json!({ "name": null, "metadata": { "plan": null, "new": "1" }, "timezone": null });
    let after = ask(&server, Method::PATCH, &path, &body).await.expect(200);
    assert_eq!((&after["name"], &after["timezone"], &after["email"]), (&json!(""), &json!("UTC"), &before["email"]));
    assert_eq!(after["metadata"], json!({ "größe": "🦀", "new": "1" }));
    let merged = send(
        server
            .request(Method::PATCH, &path)
            .header("content-type", "application/merge-patch+json")
            .body(r#"{"metadata":null}"#),
    );
    assert_eq!(merged.await.expect(200)["metadata"], json!({}));
    assert_eq!(ask(&server, Method::PATCH, &path, &json!({ "external_id": null })).await.status, 400);
}

#[rstest]
#[tokio::test]
async fn concurrent_patches_of_different_fields_lose_nothing(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    const CLIENTS: usize = 16;
    const TIMES: usize = 100;
    let (_place, server, _, path) = with_customer(backend).await;
    let client = |number: usize| {
        let (server, path) = (&server, &path);
        async move {
            for time in 0..TIMES {
                let body = json!({ "metadata": { format!("client{number}"): time.to_string() } });
                ask(server, Method::PATCH, path, &body).await.expect(200);
            }
        }
    };
    join_all((0..CLIENTS).map(client)).await;
    let answer = server.get(&path).await;
    assert_eq!(answer.header("etag"), Some(format!("\"{}\"", 1 + CLIENTS * TIMES).as_str()));
    for number in 0..CLIENTS {
        assert_eq!(answer.body["metadata"][format!("client{number}")], (TIMES - 1).to_string());
    }
}

#[rstest]
#[tokio::test]
async fn archiving_hides_a_customer_and_restoring_shows_it_again(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (_place, server, customer, path) = with_customer(backend).await;
    let id = &customer["id"];
    let unlink = json!({ "entity_type": "customer", "entity_id": id, "provider_type": "crm" });
    let link = json!({ "entity_type": "customer", "entity_id": id, "provider_type": "crm", "provider_entity_id": "1" });
    ask(&server, Method::POST, "/v1/integrations/link", &link).await.expect(200);
    ask(&server, Method::DELETE, "/v1/integrations/link", &unlink).await.expect(200);

    let deletes = join_all((0..8).map(|_| send(server.request(Method::DELETE, &path)))).await;
    let mut statuses: Vec<_> = deletes.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![204], vec![404; 7]].concat());

    let archived = server.get(&path).await.expect(200);
    assert_eq!((&archived["status"], &archived["integrations"]), (&json!("archived"), &json!([])));
    assert_eq!(server.get("/v1/customers/external/acme").await.status, 404);
    assert_eq!(count(&server, "integrations/mappings", id).await, 0);
    assert_eq!(
        server
            .get(&format!("/v1/taxes/associations?entity_type=customer&entity_id={}", id.as_str().unwrap()))
            .await
            .status,
        404
    );
    for (method, path, body) in [
        (Method::PUT, path.as_str(), json!({ "name": "x" })),
        (Method::PATCH, path.as_str(), json!({ "name": "x" })),
        (Method::POST, "/v1/integrations/link", link.clone()),
    ] {
        assert_eq!(ask(&server, method, path, &body).await.error().0, "invalid_operation");
    }

    let restore = format!("{path}/restore");
    let usurper = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let refused = send(server.request(Method::POST, &restore)).await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.body["details"]["external_id"]["existing_id"], usurper["id"]);
    let other = format!("/v1/customers/{}", usurper["id"].as_str().unwrap());
    assert_eq!(send(server.request(Method::DELETE, &other)).await.status, 204);
    let restored = send(server.request(Method::POST, &restore)).await.expect(200);
    assert_eq!(restored["integrations"].as_array().unwrap().len(), 1, "the unlinked mapping must not come back");
    assert_eq!(restored["integrations"][0]["id"], customer["integrations"][0]["id"]);
    assert_eq!(count(&server, "taxes/associations", id).await, 1);
    assert_eq!(send(server.request(Method::POST, &restore)).await.error().0, "invalid_operation");
}

#[rstest]
#[tokio::test]
async fn version_preconditions_are_honoured(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (_place, server, _, path) = with_customer(backend).await;
    let first = server.get(&path).await;
    assert_eq!(first.header("etag"), Some("\"1\""));
    let known = send(server.request(Method::GET, &path).header("if-none-match", "W/\"1\"")).await;
    assert_eq!((known.status, known.header("etag"), &known.body), (304, Some("\"1\""), &Value::Null));
    ask_if(&server, Method::PUT, &path, "\"1\"", &json!({ "name": "a" })).await.expect(200);
    let conflict = ask_if(&server, Method::PUT, &path, "\"1\"", &json!({ "name": "b" })).await;
    assert_eq!((conflict.status, conflict.error().0), (412, "version_conflict"));
    assert_eq!(conflict.body["details"]["If-Match"]["current_version"], 2);
    assert_eq!(ask_if(&server, Method::PATCH, &path, "\"7\", \"2\"", &json!({ "name": "b" })).await.status, 200);
    assert_eq!(ask_if(&server, Method::PATCH, &path, "*", &json!({ "name": "c" })).await.status, 200);
    let delete = |tag: &'static str| send(server.request(Method::DELETE, &path).header("if-match", tag));
    assert_eq!(delete("\"3\"").await.status, 412);
    assert_eq!(delete("\"4\"").await.status, 204);
}

#[rstest]
#[tokio::test]
async fn a_former_external_id_finds_its_customer_until_it_is_reused(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (_place, server, customer, path) = with_customer(backend).await;
    ask(&server, Method::PUT, &path, &json!({ "external_id": "acme/2" })).await.expect(200);
    let found = server.get("/v1/customers/external/acme").await;
    assert_eq!(found.header("x-patron-former-external-id"), Some("true"));
    assert_eq!(found.expect(200)["id"], customer["id"]);
    let current = server.get("/v1/customers/lookup/acme/2").await;
    assert_eq!((current.header("x-patron-former-external-id"), &current.body["id"]), (None, &customer["id"]));
    assert_eq!(ask(&server, Method::PUT, "/v1/customers?external_customer_id=acme", &json!({})).await.status, 404);
    let taker = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    assert_eq!(server.get("/v1/customers/external/acme").await.expect(200)["id"], taker["id"]);
    let taker = format!("/v1/customers/{}", taker["id"].as_str().unwrap());
    assert_eq!(send(server.request(Method::DELETE, &taker)).await.status, 204);
    assert_eq!(
        server.get("/v1/customers/external/acme").await.status,
        404,
        "the former external id was reused in between"
    );
}

#[rstest]
#[tokio::test]
async fn only_one_of_racing_get_or_creates_creates(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let put = |number: usize| {
        let body = json!({ "metadata": { "n": number.to_string() }, "tax_rate_overrides": [] });
        let server = &server;
        async move { ask(server, Method::PUT, "/v1/customers/external/gid://a/1", &body).await }
    };
    let answers = join_all((0..32).map(put)).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let refused: Vec<_> = answers.iter().filter(|answer| !matches!(answer.status, 200 | 201)).collect();
    assert!(refused.is_empty(), "{:?}", refused.iter().map(|answer| (answer.status, &answer.body)).collect::<Vec<_>>());
    assert_eq!(created, 1);
    assert!(answers.iter().all(|answer| answer.body["id"] == answers[0].body["id"]));
    let found = server.get("/v1/customers/external/gid%3A%2F%2Fa%2F1").await;
    assert_eq!(found.header("etag"), Some("\"32\""));
    let path = "/v1/customers/external/gid://a/1";
    assert_eq!(ask(&server, Method::PUT, path, &json!({ "external_id": "b" })).await.error().1, ["external_id"]);
    assert_eq!(ask_if(&server, Method::PUT, "/v1/customers/external/new", "*", &json!({})).await.status, 412);
}

#[rstest]
#[tokio::test]
async fn linking_is_an_upsert(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (_place, server, customer, _) = with_customer(backend).await;
    let link = |id: &Value, to: &str| {
        json!({ "entity_type": "customer", "entity_id": id, "provider_type": "stripe", "provider_entity_id": to,
                "metadata": { "to": to } })
    };
    let first = ask(&server, Method::POST, "/v1/integrations/link", &link(&customer["id"], "cus_2")).await.expect(200);
    assert_eq!(first["mapping"]["id"], customer["integrations"][0]["id"]);
    assert_eq!(first["mapping"]["metadata"], json!({ "to": "cus_2" }));
    let unlink = json!({ "entity_type": "customer", "entity_id": customer["id"], "provider_type": "stripe" });
    let gone = ask(&server, Method::DELETE, "/v1/integrations/link", &unlink).await.expect(200);
    assert!(gone["message"].is_string());
    assert_eq!(ask(&server, Method::DELETE, "/v1/integrations/link", &unlink).await.status, 404);
    let again = ask(&server, Method::POST, "/v1/integrations/link", &link(&customer["id"], "cus_2")).await.expect(200);
    assert_ne!(again["mapping"]["id"], first["mapping"]["id"]);
    let unknown = ask(&server, Method::POST, "/v1/integrations/link", &link(&json!("nobody"), "cus_2")).await;
    assert_eq!(unknown.status, 404);
    let mut wrong = link(&customer["id"], "");
    wrong["entity_type"] = json!("plan");
    let wrong = ask(&server, Method::POST, "/v1/integrations/link", &wrong).await;
    assert_eq!(wrong.error(), ("validation_error", vec!["entity_type", "provider_entity_id"]));
}

#[rstest]
#[tokio::test]
async fn every_kind_of_change_is_replayed_under_its_key(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (_place, server, customer, path) = with_customer(backend).await;
    let keyed = |method: Method, path: &str, key: &str, body: Option<Value>| {
        let request = server.request(method, path).header("idempotency-key", key);
        send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
    };
    let link = json!({ "entity_id": customer["id"], "provider_type": "crm", "provider_entity_id": "1" });
    let unlink = json!({ "entity_id": customer["id"], "provider_type": "crm" });
    let restore = format!("{path}/restore");
    for (method, path, key, body) in [
        (Method::PUT, path.as_str(), "1", Some(json!({ "name": "x" }))),
        (Method::PATCH, path.as_str(), "2", Some(json!({ "name": null }))),
        (Method::POST, "/v1/integrations/link", "3", Some(link)),
        (Method::DELETE, "/v1/integrations/link", "4", Some(unlink)),
        (Method::DELETE, path.as_str(), "5", None),
        (Method::POST, restore.as_str(), "6", None),
        (Method::PUT, "/v1/customers/external/new", "7", Some(json!({}))),
    ] {
        let first = keyed(method.clone(), path, key, body.clone()).await;
        assert!(first.status < 300, "{method} {path}: {:#}", first.body);
        assert_eq!(first.header("idempotency-replayed"), None);
        let again = keyed(method, path, key, body).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        assert_eq!(again.header("etag"), first.header("etag"));
    }
    let other = keyed(Method::PUT, &path, "1", Some(json!({ "name": "y" }))).await;
    assert_eq!((other.status, other.error()), (409, ("idempotency_key_reused", vec!["Idempotency-Key"])));
}
