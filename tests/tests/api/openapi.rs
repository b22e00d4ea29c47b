//! `/openapi.json` and `/docs`: well-formed, and true: every example is sent, and every answer held against its schema.

use std::collections::BTreeSet;

use patron_tests::{
    openapi::{Document, Operation},
    patron::{Backend, Place, Server, provide_cryptography, send},
    requests::tax_rate,
    wait::until,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Serves everything that the document has.
const ALL: [(&str, &str); 1] = [("PATRON_METRICS_PUBLIC", "true")];

async fn server() -> (Place, Server, Document) {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve_with(&ALL);
    let document = Document::fetch(&server).await;
    (place, server, document)
}

#[tokio::test]
async fn the_document_is_well_formed() {
    let (_place, _server, document) = server().await;
    assert!(document.json["openapi"].as_str().unwrap().starts_with("3.1."));
    document.references().into_iter().for_each(|reference| {
        assert!(document.json.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    });
    let described = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    let tags = document.json["tags"].as_array().unwrap();
    assert!(tags.iter().all(|tag| described(&tag["description"])), "{tags:#?}");
    let tags: BTreeSet<_> = tags.iter().map(|tag| tag["name"].as_str().unwrap()).collect();

    let (mut ids, mut used) = (BTreeSet::new(), BTreeSet::new());
    for operation in document.operations() {
        let Operation { id, path, json, .. } = &operation;
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(described(&json["summary"]) && described(&json["description"]), "{id} is not explained");
        used.extend(json["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()));
        let statuses: Vec<u16> = operation.statuses();
        assert!(statuses.iter().any(|status| *status < 300), "{id} has no success");
        assert!(statuses.iter().any(|status| *status >= 400), "{id} has no error");
        let in_path: BTreeSet<_> = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        let parameters = document.parameters(&operation);
        let told = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(told.map(|one| one["name"].as_str().unwrap()).collect::<BTreeSet<_>>(), in_path, "{id}");
        assert_eq!(
            json.get("requestBody").is_some() && !operation.takes_file(),
            !operation.examples().is_empty(),
            "{id}: a body needs an example"
        );
    }
    assert_eq!(used.iter().map(String::as_str).collect::<BTreeSet<_>>(), tags);
}

#[tokio::test]
async fn every_example_is_as_its_schema_says() {
    let (_place, _server, document) = server().await;
    let found = document.examples();
    assert!(found.len() > 100, "{}", found.len());
    for (schema, example) in found {
        document.assert_valid(&schema, &example, "an example");
    }
}

#[tokio::test]
async fn limits_are_those_of_the_code() {
    let (_place, server, document) = server().await;
    let schema = &document.json["components"]["schemas"]["CreateCustomerRequest"];
    let longest = schema["properties"]["external_id"]["maxLength"].as_u64().unwrap();
    let longest = usize::try_from(longest).unwrap();
    for (length, status) in [(longest, 201), (longest + 1, 400)] {
        let body = json!({ "external_id": "ü".repeat(length) });
        assert_eq!(server.post("/v1/customers", &body).await.status, status);
        assert_eq!(document.is_valid(schema, &body), status == 201);
    }
}

/// What has to be there before an operation can succeed, and the ids by which its examples name it.
///
/// A new operation may need something more here: make it, and add its id under the prefix of its kind.
async fn seed(server: &Server, operation: &str) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    server.post("/v1/taxes/rates", &tax_rate("VAT_DE")).await.expect(201);
    let unused = server.post("/v1/taxes/rates", &tax_rate("UNUSED")).await.expect(201);
    if operation != "createCustomField" {
        server.post("/v1/custom-fields", &json!({ "key": "seats", "type": "integer" })).await.expect(201);
    }
    // The examples' own workflow, whose calls go nowhere.
    let step = json!({ "type": "http_call", "url": "http://crm.example", "retry": { "max_attempts": 1 } });
    let workflow = json!({ "value": { "steps": [step] } });
    for path in ["/v1/settings/customer_onboarding", "/v1/settings/customer_onboarding/welcome"] {
        assert_eq!(send(server.request(Method::PUT, path).json(&workflow)).await.status, 200);
    }
    let retention = json!({ "value": { "archived_days": 3650 } });
    let retention = server.request(Method::PUT, "/v1/settings/customer_retention").json(&retention);
    assert_eq!(send(retention).await.status, 200);
    let customer = json!({
        "external_id": "acme-1",
        "tax_rate_overrides": [{ "tax_rate_code": "VAT_DE", "currency": "usd" }],
        "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_1" }],
        "contact_persons": [{ "first_name": "Bob" }],
        "tax_ids": [{ "type": "unknown", "value": "AB12" }],
        "tax_exemptions": [{ "reason": "other" }],
    });
    let created = server.post("/v1/customers", &customer).await.expect(201);
    let customer = text(&created["id"]);
    if operation == "restoreCustomer" {
        let path = format!("/v1/customers/{customer}");
        assert_eq!(server.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    }
    if operation == "retryCustomerOnboarding" {
        // Until the only call has failed.
        until(async || {
            let run = server.get(&format!("/v1/customers/{customer}/onboarding")).await.expect(200);
            if run["state"] == "failed" { Ok(()) } else { Err(run) }
        })
        .await;
    }
    let mut change = String::new();
    if operation == "deleteTaxRateChange" {
        let path = format!("/v1/taxes/rates/{}/changes", text(&unused["id"]));
        let later = json!({ "effective_from": "2099-01-01T00:00:00Z", "percentage_value": "16" });
        change = text(&server.post(&path, &later).await.expect(201)["id"]);
    }
    let deletion = deletion(server, operation).await;
    if operation == "removeLegalHold" {
        let hold = server.request(Method::PUT, &format!("/v1/customers/{customer}/legal-hold"));
        assert_eq!(send(hold.json(&json!({ "reason": "a lawsuit" }))).await.status, 200);
    }
    let associations = server.get("/v1/taxes/associations").await.expect(200);
    let environments = server.get("/v1/environments").await.expect(200);
    let mut import = String::new();
    if operation.ends_with("Import") || operation.ends_with("ImportErrors") {
        let upload =
            server.request(Method::POST, "/v1/imports?format=csv&confirm=true").body("external_id,name\nacme-8,\n,\n");
        import = text(&send(upload).await.expect(202)["id"]);
        until(async || {
            let found = server.get(&format!("/v1/imports/{import}")).await.expect(200);
            if found["state"] == "ready" { Ok(()) } else { Err(found) }
        })
        .await;
    }
    let key = server.post("/v1/secrets/api/keys", &json!({ "name": "k", "type": "private_key" })).await.expect(201);
    let url = json!({ "url": "https://127.0.0.1:9/" });
    let endpoint = server.post("/v1/webhooks/endpoints", &url).await.expect(201);
    let events = server.get("/v1/events").await.expect(200);
    vec![
        ("imp_", import),
        ("wh_", text(&endpoint["id"])),
        ("evt_", text(&events["items"][0]["id"])),
        ("cust_", customer),
        ("cper_", text(&created["contact_persons"][0]["id"])),
        ("txi_", text(&created["tax_ids"][0]["id"])),
        ("txe_", text(&created["tax_exemptions"][0]["id"])),
        ("taxrate_", text(&unused["id"])),
        ("trc_", change),
        ("delreq_", deletion),
        ("ta_", associations["items"][0]["id"].as_str().unwrap_or_default().to_owned()),
        ("env_", text(&environments["environments"][0]["id"])),
        ("secret_", text(&key["secret"]["id"])),
    ]
}

/// A deletion request about another customer, completed if the operation needs its receipt.
async fn deletion(server: &Server, operation: &str) -> String {
    let is_completed = operation == "getDeletionReceipt";
    if !is_completed && !["getDeletionRequest", "cancelDeletionRequest"].contains(&operation) {
        return String::new();
    }
    server.post("/v1/customers", &json!({ "external_id": "left" })).await.expect(201);
    let days = if is_completed { 0 } else { 7 };
    let body = json!({ "external_customer_id": "left", "request_channel": "api", "cooldown_days": days });
    let made = server.post("/v1/privacy/deletion-requests", &body).await.expect(202);
    let id = made["id"].as_str().unwrap().to_owned();
    if is_completed {
        until(async || {
            let request = server.get(&format!("/v1/privacy/deletion-requests/{id}")).await.expect(200);
            if request["state"] == "completed" { Ok(()) } else { Err(request) }
        })
        .await;
    }
    id
}

/// What an operation has to be asked beside its required parameters.
fn also_asked(operation: &str) -> &'static [(&'static str, &'static str)] {
    match operation {
        "importCustomers" => &[("format", "csv")],
        "updateNamedCustomer" => &[("external_customer_id", "acme-1")],
        "listMappings" => &[("provider_type", "stripe"), ("provider_entity_id", "cus_1")],
        _ => &[],
    }
}

#[tokio::test]
async fn every_example_is_accepted_and_answered_as_described() {
    let (_place, _server, document) = server().await;
    for operation in document.operations() {
        let place = Place::fresh(Backend::Sqlite).await;
        let server = place.serve_with(&ALL);
        let ids = seed(&server, &operation.id).await;
        let bodies = operation.examples().into_iter().map(Some).chain(operation.examples().is_empty().then_some(None));
        for body in bodies {
            let request = document.request(&server, &operation, &ids, also_asked(&operation.id), body.as_ref());
            let request = if operation.takes_file() { request.body("external_id\nacme-9\n") } else { request };
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let told = answer.headers().contains_key("etag");
            let described = document.check(&operation, answer).await;
            assert!(status < 300, "{} answers {status}: {described:#}\nDoes `seed` make what it needs?", operation.id);
            assert_eq!(document.header(&operation, status, "ETag"), told, "{} and its ETag", operation.id);
        }
    }
}

#[tokio::test]
async fn refusals_are_answered_as_described() {
    let (_place, server, document) = server().await;
    for operation in document.operations() {
        let ids = [];
        let body = operation.examples().into_iter().next();
        if operation.json.get("security").is_some() {
            let mut request = document.request(&server, &operation, &ids, &[], body.as_ref()).build().unwrap();
            request.headers_mut().insert("x-api-key", "wrong".parse().unwrap());
            provide_cryptography();
            let answer = reqwest::Client::new().execute(request).await.unwrap();
            assert_eq!(answer.status(), 401, "{}", operation.id);
            document.check(&operation, answer).await;
        }
        if body.is_some() {
            for (body, status) in [("[]", 400), ("{", 400)] {
                let request =
                    document.request(&server, &operation, &ids, &[], None).header("content-type", "application/json");
                let answer = request.body(body).send().await.unwrap();
                assert_eq!(answer.status(), status, "{}", operation.id);
                document.check(&operation, answer).await;
            }
            let request = document.request(&server, &operation, &ids, &[], None).header("content-type", "text/plain");
            let answer = request.body("{}").send().await.unwrap();
            assert_eq!(answer.status(), 415, "{}", operation.id);
            document.check(&operation, answer).await;
        }
        if operation.path.contains("{id}") {
            // No object has the ids of the examples.
            let request = document.request(&server, &operation, &ids, &[], body.as_ref());
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 404, "{}", operation.id);
            document.check(&operation, answer).await;
        }
    }
}

#[tokio::test]
async fn the_page_comes_from_this_server_alone() {
    let (_place, server, _) = server().await;
    let page = server.anonymous(Method::GET, "/docs").send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/docs/"));
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{policy}");
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let html = page.text().await.unwrap();
    assert!(!html.contains("//"), "{html}");
    let files = html.split(['"']).filter(|text| [".js", ".css", ".png"].iter().any(|end| text.ends_with(end)));
    let files: Vec<_> = files.collect();
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let path = format!("/docs/{}", file.trim_start_matches("./"));
        let answer = server.anonymous(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{file}");
        let tag = answer.headers()["etag"].clone();
        let again = server.anonymous(Method::GET, &path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{file}");
    }
    let script =
        server.anonymous(Method::GET, "/docs/swagger-initializer.js").send().await.unwrap().text().await.unwrap();
    assert!(script.contains("../openapi.json") && script.contains("\"none\""), "{script}");
    let missing = server.anonymous(Method::GET, "/docs/nothing.js").send().await.unwrap();
    assert_eq!(missing.status(), 404);
}
