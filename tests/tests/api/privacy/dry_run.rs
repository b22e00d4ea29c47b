//! Dry runs of the privacy routes: what an erasure would redact, and that nothing is written.

use patron_tests::{
    patron::{Backend, Place, send},
    requests::{everything, minimal, tax_rate},
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{REQUESTS, cancel, events, request, text, until};

const DRY: &str = "/v1/privacy/deletion-requests?dry_run=true";

/// The numbers of records by category, from the member with this name.
fn by_category(counts: &Value, member: &str) -> Vec<(String, u64)> {
    let counts = counts.as_array().expect("counts").iter();
    counts.map(|one| (text(&one["category"]), one[member].as_u64().expect("a number"))).collect()
}

#[rstest]
#[tokio::test]
async fn a_dry_run_counts_what_the_erasure_then_redacts(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    server.post("/v1/custom-fields", &json!({ "key": "code", "type": "string", "unique": true })).await.expect(201);
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let mut body = everything("acme");
    body["custom_fields"] = json!({ "code": "A-1" });
    let create = server.request(Method::POST, "/v1/customers").header("idempotency-key", "create-1");
    let id = text(&send(create.json(&body)).await.expect(201)["id"]);
    let rename = server.request(Method::PUT, &format!("/v1/customers/{id}"));
    send(rename.json(&json!({ "external_id": "acme-2" }))).await.expect(200);
    // A request that is cancelled has a reason, too.
    let asked = |path: &str| {
        let asked = json!({
            "customer_id": id, "request_channel": "written", "cooldown_days": 0, "reason": "Letter of 2026-11-03",
        });
        let request = server.request(Method::POST, path).json(&asked);
        async move { send(request).await }
    };
    let first = request(&server, &id, 7).await.expect(202);
    cancel(&server, &text(&first["id"])).await.expect(200);

    let tables =
        ["customers", "events", "deletion_requests", "suppressed_customers", "erased_subjects", "customer_index"];
    let rows = async || {
        let mut rows = Vec::new();
        for table in tables {
            rows.push(place.number(&format!("SELECT count(*) FROM {table}")).await);
        }
        rows
    };
    let (before, log) = (rows().await, events(&server).await);
    let dry = asked(DRY).await;
    assert_eq!(dry.header("patron-dry-run"), Some("true"));
    let said = dry.expect(200);
    assert_eq!((&said["would"]["status"], &said["would"]["body"]["state"]), (&json!(202), &json!("suppressed")));
    assert_eq!(said["would"]["made_up"], json!(["id"]));
    assert_eq!(said["events"], json!([{ "type": "customer.suppressed", "changed": [] }]));
    let gone: Vec<_> = said["changes"].as_array().unwrap().iter().map(|one| text(&one["path"])).collect();
    assert!(gone.contains(&"name".to_owned()) && said["changes"][0]["to"].is_null(), "{said:#}");
    assert_eq!((rows().await, events(&server).await), (before, log), "nothing is written");
    assert_eq!(server.get(&format!("/v1/customers/{id}")).await.status, 200);

    let request_id = text(&asked(REQUESTS).await.expect(202)["id"]);
    let done = until(&server, &request_id, "completed").await;
    assert_eq!(by_category(&said["counts"], "records"), by_category(&done["counts"], "redacted"));
    for (category, records) in by_category(&said["counts"], "records") {
        let has_some = !["webhook_deliveries", "onboarding_runs", "imports"].contains(&category.as_str());
        assert_eq!(records > 0, has_some, "{category}: {said:#}");
    }
    let receipt = server.get(&format!("{REQUESTS}/{request_id}/receipt")).await.expect(200);
    let receipt: Value = serde_json::from_str(&text(&receipt["payload"])).unwrap();
    assert_eq!(by_category(&receipt["counts"], "redacted"), by_category(&said["counts"], "records"));
    // The request exists, so a dry run returns it.
    let repeated = asked(DRY).await.expect(200);
    assert_eq!((&repeated["would"]["status"], &repeated["would"]["body"]["id"]), (&json!(200), &json!(request_id)));
    assert_eq!(repeated.get("counts"), None);
    // Both dry runs are counted; the count is written with a delay.
    wait::until(async || {
        let audit = server.get("/v1/audit").await.expect(200);
        let mut entries = audit["items"].as_array().unwrap().iter();
        let counted = entries.find(|entry| entry["action"] == "api_key.dry_run").map(|entry| entry["count"].clone());
        if counted == Some(json!(2)) { Ok(()) } else { Err(counted) }
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn dry_runs_refuse_what_the_real_ones_refuse(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let id = text(&server.post("/v1/customers", &minimal("acme")).await.expect(201)["id"]);
    let hold = format!("/v1/customers/{id}/legal-hold");
    let put = |path: String| send(server.request(Method::PUT, &path).json(&json!({ "reason": "Lawsuit 7 O 11/26" })));
    let said = put(format!("{hold}?dry_run=true")).await;
    assert_eq!((said.header("patron-dry-run"), said.status), (Some("true"), 200));
    assert_eq!(said.body["would"]["body"]["legal_hold"], true);
    assert_eq!(server.get(&format!("/v1/customers/{id}")).await.expect(200).get("legal_hold"), None);
    // A misspelt parameter must not write.
    assert_eq!(put(format!("{hold}?dryrun=true")).await.error().1, ["dryrun"]);
    let misspelt = send(server.request(Method::DELETE, &format!("{hold}?dryrun=true"))).await;
    assert_eq!(misspelt.error().1, ["dryrun"]);
    put(hold.clone()).await.expect(200);
    let blocked = server.post(DRY, &json!({ "customer_id": id, "request_channel": "api" })).await;
    assert_eq!((blocked.status, blocked.header("patron-dry-run")), (409, Some("true")));
    assert_eq!(blocked.body["details"]["blocking"], json!(["legal_hold"]));
    let said = send(server.request(Method::DELETE, &format!("{hold}?dry_run=true"))).await.expect(200);
    assert_eq!(said["would"]["status"], 204);
    send(server.request(Method::DELETE, &hold)).await;

    let unknown = server.post(DRY, &json!({ "external_customer_id": "nobody", "request_channel": "api" })).await;
    assert_eq!((unknown.status, unknown.header("patron-dry-run")), (404, Some("true")));
    let made = place.number("SELECT count(*) FROM installation_keys").await;
    assert_eq!(made, 0, "a dry run makes no keys");
    let request_id = text(&request(&server, &id, 7).await.expect(202)["id"]);
    let said =
        send(server.request(Method::POST, &format!("{REQUESTS}/{request_id}/cancel?dry_run=true"))).await.expect(200);
    assert_eq!((&said["would"]["status"], &said["would"]["body"]["state"]), (&json!(200), &json!("cancelled")));
    assert_eq!(said["events"][0]["type"], "customer.unsuppressed");
    assert_eq!(server.get(&format!("/v1/customers/{id}")).await.status, 404, "it is still suppressed");
    let misspelt = send(server.request(Method::POST, &format!("{REQUESTS}/{request_id}/cancel?dryrun=true"))).await;
    assert_eq!(misspelt.error().1, ["dryrun"]);
}
