//! Environments and API keys over HTTP.

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server, send},
    requests::{minimal, tax_rate},
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

const KEYS: &str = "/v1/secrets/api/keys";
const ABSENT: &str = "01JDG3W9Z5X0M8R2K7T4B6Q1NE";

fn key_body(name: &str, role: &str) -> Value {
    json!({ "name": name, "type": "private_key", "roles": [role] })
}

/// Makes a key, and answers its id and the key itself.
async fn new_key(server: &Server, body: &Value) -> (String, String) {
    let made = server.post(KEYS, body).await.expect(201);
    (text(&made["secret"]["id"]), text(&made["api_key"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn put(server: &Server, path: &str, body: &Value) -> Answer {
    send(server.request(Method::PUT, path).json(body)).await
}

async fn delete(server: &Server, path: &str) -> u16 {
    send(server.request(Method::DELETE, path)).await.status
}

#[rstest]
#[tokio::test]
async fn an_environment_is_created_and_renamed(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let made = server.post("/v1/environments", &json!({ "name": "Live", "type": "production" })).await.expect(201);
    let members: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["created_at", "id", "name", "type", "updated_at"]);
    let path = format!("/v1/environments/{}", text(&made["id"]));
    assert_eq!(server.get(&path).await.expect(200), made);

    let list = server.get("/v1/environments?limit=1").await.expect(200);
    assert_eq!((&list["environments"], &list["items"]), (&json!([made]), &json!([made])));
    assert_eq!((&list["total"], &list["offset"], &list["limit"]), (&json!(2), &json!(0), &json!(1)));

    let renamed = put(&server, &path, &json!({ "name": "Production", "type": "production" })).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["created_at"]), (&json!("Production"), &made["created_at"]));
    assert_ne!(renamed["updated_at"], made["updated_at"]);
    assert_eq!(put(&server, &path, &json!({})).await.expect(200), renamed);
    assert_eq!(server.get(&path).await.expect(200), renamed);

    for (body, paths) in [
        (json!({ "type": "development" }), vec!["type"]),
        (json!({ "name": "", "type": "staging" }), vec!["name", "type"]),
        (json!({ "name": 1 }), vec!["name"]),
    ] {
        let answer = put(&server, &path, &body).await;
        assert_eq!((answer.status, answer.error()), (400, ("validation_error", paths)), "{body}");
    }
    let answer = server.post("/v1/environments", &json!({ "type": "x" })).await;
    assert_eq!((answer.status, answer.error()), (400, ("validation_error", vec!["name", "type"])));
    for missing in [format!("env_{ABSENT}"), "nonsense".to_owned()] {
        let path = format!("/v1/environments/{missing}");
        assert_eq!(server.get(&path).await.status, 404);
        assert_eq!(put(&server, &path, &json!({ "name": "x" })).await.status, 404);
    }
}

#[rstest]
#[tokio::test]
async fn a_key_is_created_used_and_revoked(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let body = json!({ "name": "billing", "type": "private_key", "expires_at": "2999-01-01T00:00:00+01:00" });
    let made = server.post(KEYS, &body).await.expect(201);
    let (secret, key) = (&made["secret"], text(&made["api_key"]));
    assert_eq!(secret["display_id"], format!("{}***{}", &key[..5], &key[key.len() - 2..]));
    assert_eq!((&secret["type"], &secret["provider"]), (&json!("private_key"), &json!("flexprice")));
    assert_eq!((&secret["roles"], &secret["status"]), (&json!(["all_writer"]), &json!("published")));
    assert_eq!(secret["expires_at"], "2998-12-31T23:00:00.000000Z");
    assert_eq!(secret.get("last_used_at"), None);

    // It works at once, and can do what its role says.
    let post = server.request_as(&key, Method::POST, "/v1/customers").json(&minimal("acme"));
    send(post).await.expect(201);
    assert_eq!(send(server.request_as(&key, Method::GET, KEYS)).await.status, 403);

    let list = server.get(KEYS).await;
    let shown = format!("{}", list.body);
    assert!(!shown.contains(&key) && !shown.contains(KEY), "a list shows a key");
    let list = list.expect(200);
    assert_eq!(list["pagination"], json!({ "total": 2, "limit": 50, "offset": 0 }));
    assert_eq!(list["items"][0]["id"], secret["id"]);

    // Revoked, it stops at once in the process that revokes.
    let path = format!("{KEYS}/{}", text(&secret["id"]));
    assert_eq!((delete(&server, &path).await, delete(&server, &path).await), (204, 204));
    assert_eq!(send(server.request_as(&key, Method::GET, "/v1/customers/external/acme")).await.status, 401);
    assert_eq!(server.get(KEYS).await.expect(200)["pagination"]["total"], 1);
    let archived = server.get(&format!("{KEYS}?status=archived")).await.expect(200);
    assert_eq!(archived["items"][0]["id"], secret["id"]);
    assert_eq!(archived["items"][0]["status"], "archived");
    for missing in [format!("secret_{ABSENT}"), "nonsense".to_owned()] {
        assert_eq!(delete(&server, &format!("{KEYS}/{missing}")).await, 404);
    }
}

#[tokio::test]
async fn all_faults_of_a_key_are_reported_together() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let all = ["expires_at", "name", "roles[1]", "roles[2]", "type"].to_vec();
    let expiry = |at: &str| json!({ "name": "k", "type": "private_key", "expires_at": at });
    for (body, paths) in [
        (json!({}), vec!["name", "type"]),
        (
            json!({ "type": "publishable_key", "expires_at": "2020-01-01T00:00:00Z", "roles": ["all_reader", "root", 1] }),
            all,
        ),
        (json!({ "name": "k", "type": "private_key", "roles": [] }), vec!["roles"]),
        (json!({ "name": "k", "type": "private_key", "roles": "all_reader" }), vec!["roles"]),
        (expiry("tomorrow"), vec!["expires_at"]),
        (expiry("2020-01-01T00:00:00Z"), vec!["expires_at"]),
    ] {
        let answer = server.post(KEYS, &body).await;
        assert_eq!((answer.status, answer.error()), (400, ("validation_error", paths)), "{body}");
    }
    let answer = server.get(&format!("{KEYS}?status=gone&limit=0")).await;
    assert_eq!((answer.status, answer.error().1), (400, vec!["limit", "status"]));
}

#[rstest]
#[tokio::test]
async fn a_tenant_admin_creates_keys_for_every_environment_of_its_tenant_and_no_other(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let tenant: Value = serde_json::from_str(&place.run_ok(&["tenants", "create", "--name", "O", "--json"])).unwrap();
    let arguments = ["environments", "create", "--tenant", tenant["id"].as_str().unwrap(), "--name", "E", "--type"];
    let foreign: Value =
        serde_json::from_str(&place.run_ok(&[&arguments[..], &["production", "--json"]].concat())).unwrap();
    let foreign = text(&foreign["id"]);
    let arguments = ["keys", "create", "--environment", &foreign, "--name", "f", "--role", "super_admin"];
    let foreign_key = place.run_ok(&arguments).trim().to_owned();

    let other = server.post("/v1/environments", &json!({ "name": "O", "type": "production" })).await.expect(201);
    let other = text(&other["id"]);
    let body = json!({ "name": "k", "type": "private_key", "environment_id": other });
    let made = server.post(KEYS, &body).await.expect(201);
    assert_eq!(made["secret"]["environment_id"], other);
    let customer =
        send(server.request_as(&text(&made["api_key"]), Method::POST, "/v1/customers").json(&minimal("a"))).await;
    assert_eq!(customer.expect(201)["environment_id"], other);
    // Each environment's list holds its own alone.
    let listed = server.get(&format!("{KEYS}?environment_id={other}")).await.expect(200);
    assert_eq!((&listed["items"][0]["id"], &listed["pagination"]["total"]), (&made["secret"]["id"], &json!(1)));
    assert_eq!(server.get(KEYS).await.expect(200)["pagination"]["total"], 1);

    let foreign_id =
        text(&send(server.request_as(&foreign_key, Method::GET, KEYS)).await.expect(200)["items"][0]["id"]);
    for environment in [foreign.as_str(), "env_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "nonsense"] {
        let body = json!({ "name": "k", "type": "private_key", "environment_id": environment });
        let refused = server.post(KEYS, &body).await;
        assert_eq!((refused.status, refused.error()), (404, ("not_found", vec!["environment_id"])));
        assert_eq!(server.get(&format!("{KEYS}?environment_id={environment}")).await.status, 404);
        assert_eq!(server.get(&format!("/v1/environments/{environment}")).await.status, 404);
    }
    assert_eq!(delete(&server, &format!("{KEYS}/{foreign_id}")).await, 404);
    assert_eq!(delete(&server, &format!("{KEYS}/{}", text(&made["secret"]["id"]))).await, 204);
}

#[rstest]
#[tokio::test]
async fn each_administrator_has_exactly_the_permissions_of_its_role(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let live = server.post("/v1/environments", &json!({ "name": "Live", "type": "production" })).await.expect(201);
    let live = text(&live["id"]);
    let elsewhere = |role: &str| {
        let mut body = key_body(role, role);
        body["environment_id"] = json!(live);
        body
    };
    let (live_key_id, live_key) = new_key(&server, &elsewhere("all_writer")).await;
    let (_, admin) = new_key(&server, &key_body("admin", "super_admin")).await;
    let (_, tenant) = new_key(&server, &key_body("tenant", "tenant_admin")).await;
    let (_, hooks) = new_key(&server, &key_body("hooks", "webhook_admin")).await;
    let ask = async |key: &str, method: Method, path: &str, body: &Value| {
        send(server.request_as(key, method, path).json(body)).await.status
    };
    let none = json!({});
    let of_live = format!("{KEYS}/{live_key_id}");
    let list_live = format!("{KEYS}?environment_id={live}");
    let hook = json!({ "url": "https://example.com/hook" });
    // The statuses for super_admin, tenant_admin and webhook_admin.
    for (method, path, body, wanted) in [
        (Method::POST, "/v1/environments", &json!({ "name": "E", "type": "development" }), [403, 201, 403]),
        (Method::GET, "/v1/environments", &none, [200, 200, 403]),
        (Method::GET, KEYS, &none, [200, 200, 403]),
        (Method::GET, &list_live, &none, [403, 200, 403]),
        (Method::GET, &of_live, &none, [404, 200, 403]),
        (Method::POST, KEYS, &key_body("k", "all_reader"), [201, 201, 403]),
        (Method::POST, KEYS, &key_body("k", "tenant_admin"), [403, 201, 403]),
        (Method::POST, KEYS, &elsewhere("all_reader"), [403, 201, 403]),
        (Method::GET, "/v1/customers", &none, [200, 403, 403]),
        (Method::POST, "/v1/customers", &none, [400, 403, 403]),
        (Method::GET, "/v1/events", &none, [200, 403, 403]),
        (Method::GET, "/v1/audit", &none, [200, 403, 403]),
        (Method::GET, "/v1/webhooks/endpoints", &none, [200, 403, 200]),
        (Method::POST, "/v1/webhooks/endpoints", &hook, [201, 403, 201]),
        (Method::DELETE, &of_live, &none, [404, 204, 403]),
    ] {
        let mut answered = Vec::new();
        for key in [&admin, &tenant, &hooks] {
            answered.push(ask(key, method.clone(), path, body).await);
        }
        assert_eq!(answered, wanted, "{method} {path} {body}");
    }
    // The change is in both environments' logs.
    let (_, live_admin) = new_key(&server, &elsewhere("super_admin")).await;
    let there = send(server.request_as(&live_admin, Method::GET, "/v1/audit")).await.expect(200);
    let revoked = there["items"].as_array().unwrap().iter().find(|entry| entry["action"] == "api_key.revoked");
    assert_eq!(revoked.expect("an entry in the other environment")["object"]["id"], live_key_id);
    let here = server.get("/v1/audit").await.expect(200);
    assert!(here["items"].as_array().unwrap().iter().any(|entry| entry["object"]["id"] == live_key_id));
    assert_eq!(
        ask(&live_key, Method::GET, "/v1/customers", &none).await,
        401,
        "it must be revoked from the other environment"
    );
}

#[tokio::test]
async fn readers_and_writers_change_no_environment_and_see_no_key() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    for role in ["all_reader", "all_writer"] {
        let (id, key) = new_key(&server, &key_body(role, role)).await;
        let ask = |method: Method, path: &str, body: &Value| send(server.request_as(&key, method, path).json(body));
        // 403 comes before anything of the body is looked at.
        for (method, path) in [
            (Method::POST, "/v1/environments".to_owned()),
            (Method::PUT, format!("/v1/environments/env_{ABSENT}")),
            (Method::POST, KEYS.to_owned()),
            (Method::GET, KEYS.to_owned()),
            (Method::DELETE, format!("{KEYS}/{id}")),
        ] {
            let answer = ask(method, &path, &json!({})).await;
            assert_eq!((answer.status, answer.error().0), (403, "permission_denied"), "{role} {path}");
        }
        send(server.request_as(&key, Method::GET, "/v1/environments")).await.expect(200);
    }
}

#[rstest]
#[tokio::test]
async fn the_last_use_of_a_key_is_saved_within_seconds(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (used_id, used) = new_key(&server, &key_body("used", "all_writer")).await;
    let (unused_id, _) = new_key(&server, &key_body("unused", "all_writer")).await;
    send(server.request_as(&used, Method::POST, "/v1/taxes/rates").json(&tax_rate("VAT"))).await.expect(201);
    let (used, unused) = until(async || {
        let list = server.get(KEYS).await.expect(200);
        let items = list["items"].as_array().unwrap().clone();
        let find = |id: &str| items.iter().find(|item| item["id"] == id).unwrap().clone();
        let (used, unused) = (find(&used_id), find(&unused_id));
        if used.get("last_used_at").is_some() { Ok((used, unused)) } else { Err(used) }
    })
    .await;
    let at = used["last_used_at"].as_str().expect("a time");
    assert!(at > used["created_at"].as_str().unwrap(), "{used:#}");
    assert_eq!(unused.get("last_used_at"), None);
    assert_eq!(used["updated_at"], used["created_at"], "using a key is no change of it");
}
