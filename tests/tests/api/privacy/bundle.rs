//! The bundle of a customer.

use patron_tests::{
    patron::{Backend, Place, send},
    requests::minimal,
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::text;

#[rstest]
#[tokio::test]
async fn a_bundle_lists_the_rows_of_imports_about_its_customer(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let acme = text(&server.post("/v1/customers", &minimal("acme")).await.expect(201)["id"]);
    let other = text(&server.post("/v1/customers", &minimal("other")).await.expect(201)["id"]);
    // The second row about a customer of a file fails.
    let file = "external_id,name\nacme,Ada\nother,Bob\nacme,Augusta\n";
    let upload = server.request(Method::POST, "/v1/imports?format=csv&mode=upsert&dry_run=true").body(file);
    let import = text(&send(upload).await.expect(202)["id"]);
    wait::until(async || {
        let found = server.get(&format!("/v1/imports/{import}")).await.expect(200);
        if found["state"] == "ready" { Ok(()) } else { Err(found) }
    })
    .await;
    let bundle = server.get(&format!("/v1/customers/{acme}/bundle")).await.expect(200);
    let rows = bundle["imports"].as_array().expect("rows");
    let seen: Vec<_> = rows.iter().map(|row| (&row["import_id"], &row["row"], text(&row["outcome"]))).collect();
    let id = json!(import);
    assert_eq!(seen, [(&id, &json!(3), "failed".to_owned()), (&id, &json!(1), "updated".to_owned())], "{bundle:#}");
    assert!(text(&rows[0]["original"]).contains("Augusta") && rows[0]["faults"][0]["message"].is_string());
    assert_eq!(rows[1]["changed"], json!(["name"]));
    let bundle = server.get(&format!("/v1/customers/{other}/bundle")).await.expect(200);
    assert_eq!(bundle["imports"].as_array().map(Vec::len), Some(1), "{bundle:#}");
    assert!(!bundle.to_string().contains("Augusta"));
}
