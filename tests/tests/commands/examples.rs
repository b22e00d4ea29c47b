//! The examples do what they say.

use std::{io::Cursor, sync::Arc};

use patron_domain::testkit::contract;
use patron_tests::patron::provide_cryptography;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[path = "../../examples/axum_service/main.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod axum_service;
#[path = "../../examples/command_line.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod command_line;
#[path = "../../examples/rocket_application.rs"]
#[expect(dead_code, reason = "its main function is for people")]
mod rocket_application;

#[test]
fn the_command_line_program_keeps_customers_and_says_all_that_is_wrong() {
    let lines = "add acme DE Acme GmbH\nadd acme FR\nadd \u{7} XX\nlist\nhelp\n";
    let mut output = Vec::new();
    command_line::run(Cursor::new(lines), &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    let answers: Vec<_> = output.lines().collect();
    assert_eq!(answers[..2], ["added acme", "refused: somebody has this external_id"]);
    assert!(answers[2].contains("external_id: ") && answers[2].contains("address_country: "), "{}", answers[2]);
    assert_eq!(answers[3], "1 customers: acme");
    assert!(answers[4].starts_with("say: add"));
}

#[tokio::test]
async fn the_shelf_of_the_axum_service_meets_the_contract() {
    let shelf = Arc::new(axum_service::Shelf::default());
    for seed in 0..2 {
        contract::check_customers(shelf.clone(), seed).await.assert_clean();
    }
}

#[tokio::test]
async fn the_axum_service_creates_finds_and_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let companies = format!("http://{}/companies", listener.local_addr().unwrap());
    tokio::spawn(axum_service::serve(listener));
    provide_cryptography();
    let client = reqwest::Client::new();
    let create = |company: Value| client.post(&companies).json(&company).send();
    let company = json!({ "number": "acme", "name": "Acme GmbH" });
    let created = create(company.clone()).await.unwrap();
    assert_eq!(
        (created.status(), created.json::<Value>().await.unwrap()),
        (reqwest::StatusCode::CREATED, company.clone())
    );
    assert_eq!(create(company.clone()).await.unwrap().status(), 409);
    let refused = create(json!({ "number": "" })).await.unwrap();
    assert_eq!(refused.status(), 422);
    let told = refused.text().await.unwrap();
    assert!(told.contains("number: ") && told.contains("name: "), "{told}");
    let found = client.get(format!("{companies}/acme")).send().await.unwrap();
    assert_eq!(found.json::<Value>().await.unwrap(), company);
    assert_eq!(client.get(format!("{companies}/nobody")).send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rocket_application_serves_its_routes_beside_ours() {
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
    // Outside the base an unknown path is the application's own affair.
    let unknown = client.get("/unknown").dispatch().await;
    assert_eq!((unknown.status().code, unknown.headers().get_one("X-Request-ID")), (404, None));
    assert!(client.get("/customers-api/v1/unknown").dispatch().await.headers().get_one("X-Request-ID").is_some());
}
