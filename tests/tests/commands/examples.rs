//! Tests of the example programs.

use std::{io::Cursor, sync::Arc};

use patron_domain::{lifecycle::Owner, testkit::contract};
use patron_tests::patron::provide_cryptography;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[path = "../../examples/axum_service/main.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod axum_service;
#[path = "../../examples/command_line.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod command_line;
#[path = "../../examples/jwt_application.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod jwt_application;
#[path = "../../examples/rocket_application.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod rocket_application;
#[path = "../../examples/sql_store/main.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod sql_store;

#[test]
fn the_command_line_program_stores_customers_and_reports_all_errors() {
    let lines = "add acme DE Acme GmbH\nadd acme FR\nadd \u{7} XX\nlist\nhelp\n";
    let mut output = Vec::new();
    command_line::run(Cursor::new(lines), &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    let answers: Vec<_> = output.lines().collect();
    assert_eq!(answers[..2], ["added acme", "refused: this external id is taken"]);
    assert!(answers[2].contains("external_id: ") && answers[2].contains("address_country: "), "{}", answers[2]);
    assert_eq!(answers[3], "1 customers: acme");
    assert!(answers[4].starts_with("say: add"));
}

#[tokio::test]
async fn the_shelf_of_the_axum_service_meets_the_contract() {
    let shelf = Arc::new(axum_service::Shelf::default());
    for seed in 0..2 {
        contract::check_customers(shelf.clone(), Owner::numbered, seed).await.assert_clean();
    }
}

#[tokio::test]
async fn the_sql_store_meets_the_contract() {
    let store = Arc::new(sql_store::SqlStore::open(":memory:").unwrap());
    for seed in 0..2 {
        let report = contract::check_customers(store.clone(), Owner::numbered, seed).await;
        report.assert_clean();
        assert!(report.passed.len() > 50, "{report}");
    }
}

#[tokio::test]
async fn the_axum_service_creates_changes_finds_and_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let customers = format!("http://{}/customers", listener.local_addr().unwrap());
    tokio::spawn(axum_service::serve(listener));
    provide_cryptography();
    let client = reqwest::Client::new();
    let create = |body: Value| client.post(&customers).header("idempotency-key", "1").json(&body).send();
    let acme = json!({ "external_id": "acme", "name": "Acme GmbH", "metadata": { "plan": "gold" } });
    for _ in 0..2 {
        let created = create(acme.clone()).await.unwrap();
        assert_eq!((created.status().as_u16(), created.headers()["etag"].to_str().unwrap()), (201, "\"1\""));
        assert_eq!(created.json::<Value>().await.unwrap()["name"], "Acme GmbH");
    }
    // The idempotency key belongs to a different request.
    let reused = create(json!({ "external_id": "other" })).await.unwrap();
    assert_eq!(
        (reused.status().as_u16(), reused.json::<Value>().await.unwrap()["code"].clone()),
        (409, json!("idempotency_key_reused"))
    );
    let refused = client.post(&customers).json(&json!({ "external_id": "", "email": "x" })).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let told = refused.json::<Value>().await.unwrap();
    assert!(told["fields"]["external_id"].is_string() && told["fields"]["email"].is_string(), "{told}");

    let one = format!("{customers}/acme");
    let patch = |tag: &'static str| client.patch(&one).header("if-match", tag).json(&json!({ "name": null })).send();
    assert_eq!(patch("\"2\"").await.unwrap().status(), 412);
    assert_eq!(patch("\"1\"").await.unwrap().status(), 200);
    let found = client.get(&one).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(
        (&found["name"], &found["metadata"]["plan"], &found["version"]),
        (&Value::Null, &json!("gold"), &json!(2))
    );
    let unchanged = client.get(&one).header("if-none-match", "\"2\"").send().await.unwrap();
    assert_eq!(unchanged.status(), 304);
    assert_eq!(client.get(format!("{customers}/nobody")).send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jwt_application_serves_its_own_users_under_its_own_path() {
    let folder = tempfile::tempdir().unwrap();
    let config = rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
    let application = jwt_application::application(folder.path().join("jwt.db"), config).await.unwrap();
    let client = rocket::local::asynchronous::Client::untracked(application).await.unwrap();
    let mut tokens = Vec::new();
    for user in ["alice", "bob", "carol"] {
        let token = client.post(format!("/log-in/{user}")).dispatch().await.into_string().await.unwrap();
        tokens.push(rocket::http::Header::new("authorization", format!("Bearer {token}")));
    }
    let [alice, bob, carol] = tokens.try_into().unwrap();
    let customers = "/crm/v1/customers";
    let create = || client.post(customers).json(&json!({ "external_id": "acme" }));

    let created = create().header(alice.clone()).dispatch().await;
    assert_eq!(created.status().code, 201);
    assert_eq!(created.headers().get_one("Vary"), Some("authorization"));
    assert_eq!(
        created.headers().get_one("Location").map(|path| path.starts_with("/crm/v1/customers/cust_")),
        Some(true)
    );
    assert_eq!(created.into_json::<Value>().await.unwrap()["created_by"], "alice");
    let total = async |user: &rocket::http::Header<'static>| {
        let listed = client.get(customers).header(user.clone()).dispatch().await.into_json::<Value>().await.unwrap();
        listed["pagination"]["total"].clone()
    };
    // Bob belongs to the same tenant, Carol does not.
    assert_eq!((total(&bob).await, total(&carol).await), (json!(1), json!(0)));

    // Errors mention callers and tokens, and no API key.
    let denied = create().header(bob).dispatch().await;
    assert_eq!(denied.status().code, 403);
    let denied = denied.into_string().await.unwrap();
    assert!(denied.contains("the caller lacks the permission for this") && !denied.contains("key"), "{denied}");
    for stranger in [create(), create().header(rocket::http::Header::new("authorization", "Bearer a.b.c"))] {
        let refused = stranger.dispatch().await;
        assert_eq!((refused.status().code, refused.headers().get_one("WWW-Authenticate")), (401, Some("Bearer")));
        let refused = refused.into_string().await.unwrap();
        assert!(refused.contains("Authorization") && !refused.contains("key"), "{refused}");
    }

    // Services that were not provided have no routes and are not in the document.
    for nothing in ["/crm/v1/secrets/api/keys", "/crm/v1/webhooks/endpoints", "/docs/", "/openapi.json"] {
        assert_eq!(client.get(nothing).header(alice.clone()).dispatch().await.status().code, 404, "{nothing}");
    }
    assert_eq!(client.get("/crm/docs/").dispatch().await.status().code, 200);
    let document = client.get("/crm/openapi.json").dispatch().await.into_json::<Value>().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/crm/v1/taxes/rates") && paths.contains_key("/crm/docs/{file}"));
    let strange = ["secrets", "webhooks", "settings", "health", "metrics"];
    assert!(paths.keys().all(|path| strange.iter().all(|word| !path.contains(word))), "{:?}", paths.keys());
    let schemes: Vec<_> = document["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(schemes, ["bearer"]);
    let missing = client.get("/crm/v1/custmers").header(alice).dispatch().await.into_string().await.unwrap();
    assert!(missing.contains("; /crm/docs lists"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rocket_application_serves_its_own_routes_and_those_of_patron() {
    let folder = tempfile::tempdir().unwrap();
    let config = rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
    let application = rocket_application::application(folder.path().join("example.db"), config).await.unwrap();
    let client = rocket::local::asynchronous::Client::untracked(application).await.unwrap();
    let hello = client.get("/hello").dispatch().await;
    assert_eq!(hello.headers().get_one("X-Served-By"), Some("an application"));
    assert_eq!(hello.into_string().await.unwrap(), "Hello from the application itself");
    let key = || rocket::http::Header::new("x-api-key", rocket_application::KEY);
    let customers = "/customers-api/v1/customers";
    let created = client.post(customers).header(key()).json(&json!({ "external_id": "acme" })).dispatch().await;
    assert_eq!(created.status().code, 201);
    assert_eq!(created.headers().get_one("X-Served-By"), Some("an application"));
    let listed = client.get(customers).header(key()).dispatch().await;
    assert_eq!(listed.into_json::<Value>().await.unwrap()["pagination"]["total"], 1);
    // Outside the base path, unknown paths are handled by the application.
    let unknown = client.get("/unknown").dispatch().await;
    assert_eq!((unknown.status().code, unknown.headers().get_one("X-Request-ID")), (404, None));
    assert!(client.get("/customers-api/v1/unknown").dispatch().await.headers().get_one("X-Request-ID").is_some());
}
