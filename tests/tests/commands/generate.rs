//! `patron customers generate`: generated customers are stored like real ones.

use std::collections::BTreeSet;

use patron_tests::patron::{Backend, KEY, Place, send};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

/// Starts a server once, which creates the first environment.
async fn place(backend: Backend) -> Place {
    let place = Place::fresh(backend).await;
    drop(place.serve());
    place
}

#[rstest]
#[tokio::test]
async fn generated_customers_look_like_real_ones(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = place(backend).await;
    let told = place.run_ok(&["customers", "generate", "--count", "1500"]);
    assert!(told.starts_with("created 1500 customers in env_"), "{told}");
    let server = place.serve();
    let first = server.get("/v1/customers?limit=1").await.expect(200);
    assert_eq!(first["pagination"]["total"], 1500);

    let one = server.get("/v1/customers/external/generated-000000007").await;
    assert_eq!(one.header("etag"), Some("\"1\""));
    let one = one.expect(200);
    assert_eq!(one["integrations"][0]["provider_type"], "stripe");
    assert_eq!((&one["created_by"], &one["status"]), (&json!("system"), &json!("published")));
    for field in ["name", "email", "address_line1", "address_city", "address_country", "contact"] {
        assert_ne!(one[field].as_str().unwrap_or_default(), "", "{field}");
    }
    let search = |body: Value| send(server.request(Method::POST, "/v1/customers/search").json(&body));
    let by_email = search(json!({ "email": one["email"] })).await.expect(200);
    assert_eq!((&by_email["pagination"]["total"], &by_email["items"][0]["id"]), (&json!(1), &one["id"]));
    let by_group = search(json!({ "metadata": { "group": one["metadata"]["group"] } })).await.expect(200);
    let found = by_group["items"].as_array().unwrap().iter().map(|one| one["external_id"].as_str().unwrap().to_owned());
    let group = (7..=1_500).step_by(100).map(|number| format!("generated-{number:09}"));
    assert_eq!(found.collect::<BTreeSet<_>>(), group.collect());

    let id = one["id"].as_str().unwrap();
    let history = server.get(&format!("/v1/customers/{id}/history")).await.expect(200);
    let kinds: Vec<_> = history["items"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["customer.created"]);
}

#[rstest]
#[tokio::test]
async fn generating_can_be_continued_and_run_next_to_a_server(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = place(backend).await;
    let server = place.serve();
    let generate = |more: &[&str]| place.run(&[&["customers", "generate", "--prefix", "c-"], more].concat());
    assert!(generate(&["--count", "20"]).status.success());
    let before = server.get("/v1/customers/external/c-000000003").await.expect(200);

    let refused = generate(&["--count", "50"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    for word in ["c-000000001", "--prefix", "--continue"] {
        assert!(told.contains(word), "{word} is missing in: {told}");
    }
    assert_eq!(
        server.get("/v1/customers/external/c-000000021").await.status,
        404,
        "a refused command must create nothing"
    );

    let continued = generate(&["--count", "50", "--continue"]);
    let told = String::from_utf8_lossy(&continued.stdout).into_owned();
    assert!(told.starts_with("created 30 customers in env_") && told.contains("20 existed already"), "{told}");
    assert_eq!(server.get("/v1/customers?limit=1").await.expect(200)["pagination"]["total"], 50);
    assert_eq!(server.get("/v1/customers/external/c-000000003").await.expect(200), before);
}

#[tokio::test]
async fn invalid_arguments_are_refused() {
    let place = place(Backend::Sqlite).await;
    for (arguments, code, word) in [
        (&["--count", "0"][..], 2, "must be a whole number from 1 to 999999999"),
        (&["--count", "1", "--prefix", "a\tb"], 2, "--prefix"),
        (&["--count", "1", "--environment", "env_01JDG3W9Z5X0M8R2K7T4B6Q1NE"], 1, "no environment"),
    ] {
        let output = place.run(&[&["customers", "generate"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(word), "{told}");
    }
    let server = place.serve();
    let none = send(server.request_as(KEY, Method::GET, "/v1/customers")).await.expect(200);
    assert_eq!(none["pagination"]["total"], 0);
}
