//! Dry runs and warnings over HTTP, over both databases.

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::{full, minimal, tax_rate},
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

async fn ask(server: &Server, method: Method, path: &str, body: &Value) -> Answer {
    let request = server.request(method, path);
    send(if body.is_null() { request } else { request.json(body) }).await
}

/// The same request as a dry run.
async fn dry(server: &Server, method: Method, path: &str, body: &Value) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    ask(server, method, &format!("{path}{mark}dry_run=true"), body).await
}

/// The paths of the changes.
fn paths(told: &Value) -> Vec<&str> {
    told["changes"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect()
}

/// The rules and places of warnings.
fn rules(told: &Value) -> Vec<(&str, &str)> {
    let warnings = told["warnings"].as_array().expect("always a list");
    warnings.iter().map(|one| (one["path"].as_str().unwrap(), one["rule"].as_str().unwrap())).collect()
}

/// A body without what differs between a dry run and the real write: times, and the ids that were made up.
fn settled(mut body: Value, made_up: &Value) -> Value {
    for path in made_up.as_array().unwrap() {
        let pointer = format!("/{}", path.as_str().unwrap().replace(['.', '['], "/").replace(']', ""));
        *body.pointer_mut(&pointer).expect("a made-up id") = json!("made up");
    }
    without_times(&mut body);
    body
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.ends_with("_at") && name != "start_date" && name != "starts_at");
            members.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

/// Everything that a dry run must leave as it is.
async fn rows(place: &Place) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "customers",
        "customer_index",
        "events",
        "kept_answers",
        "tax_rates",
        "tax_defaults",
        "api_keys",
        "environments",
        "webhook_endpoints",
        "webhook_deliveries",
        "onboarding_workflows",
        "onboarding_runs",
        "owners",
        "logs",
    ] {
        counts.push(place.number(&format!("SELECT count(*) FROM {table}")).await);
    }
    counts.push(place.number("SELECT max(position) FROM logs").await);
    counts
}

/// Asks first, sees that nothing happened, then does it: both have the same answer.
async fn twice(place: &Place, server: &Server, method: Method, path: &str, body: &Value) -> (Value, Value) {
    let before = rows(place).await;
    let asked = dry(server, method.clone(), path, body).await;
    assert_eq!(asked.header("patron-dry-run"), Some("true"), "{path}: {:#}", asked.body);
    assert_eq!(rows(place).await, before, "{path} left something");
    let real = ask(server, method, path, body).await;
    assert_eq!(real.header("patron-dry-run"), None);
    if real.status >= 400 {
        assert_eq!((asked.status, &asked.body), (real.status, &real.body), "{path}");
        return (asked.body, real.body);
    }
    assert_eq!(asked.status, 200, "{path}: {:#}", asked.body);
    let told = asked.body;
    assert_eq!(told["would"]["status"], real.status, "{path}");
    let made_up = &told["would"]["made_up"];
    assert_eq!(settled(told["would"]["body"].clone(), made_up), settled(real.body.clone(), made_up), "{path}");
    (told, real.body)
}

#[rstest]
#[tokio::test]
async fn a_dry_run_says_what_the_write_then_does(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let (told, _) = twice(&place, &server, Method::POST, "/v1/taxes/rates", &tax_rate("VAT")).await;
    assert_eq!(told["events"], json!([{ "type": "tax_rate.created", "changed": [] }]));
    assert!(paths(&told).contains(&"code"), "{told:#}");

    let (told, created) = twice(&place, &server, Method::POST, "/v1/customers", &full("acme")).await;
    assert_eq!(told["events"], json!([{ "type": "customer.created", "changed": [] }]));
    assert_eq!(told["would"]["etag"], "\"1\"");
    assert!(told["would"]["made_up"].as_array().unwrap().contains(&json!("id")), "{told:#}");
    assert!(!told["would"]["made_up"].as_array().unwrap().contains(&json!("tenant_id")));
    for path in ["id", "name", "email", "metadata.plan"] {
        assert!(paths(&told).contains(&path), "{path} {told:#}");
    }
    assert!(paths(&told).iter().all(|path| !path.contains("updated_")), "{told:#}");
    twice(&place, &server, Method::POST, "/v1/customers", &full("acme")).await;
    twice(&place, &server, Method::POST, "/v1/customers", &json!({ "email": "nothing" })).await;

    let path = format!("/v1/customers/{}", created["id"].as_str().unwrap());
    let change = json!({ "name": "Acme", "metadata": { "tier": "gold" }, "email": created["email"] });
    let (told, _) = twice(&place, &server, Method::PATCH, &path, &change).await;
    assert_eq!(paths(&told), ["metadata.tier", "name"]);
    assert_eq!(told["changes"][1], json!({ "path": "name", "from": created["name"], "to": "Acme" }));
    assert_eq!(told["events"], json!([{ "type": "customer.updated", "changed": ["name", "metadata"] }]));
    assert_eq!((&told["would"]["etag"], &told["would"]["made_up"]), (&json!("\"2\""), &json!([])));
    // The same again changes nothing.
    let (told, _) = twice(&place, &server, Method::PATCH, &path, &change).await;
    assert_eq!((&told["changes"], &told["events"], &told["would"]["etag"]), (&json!([]), &json!([]), &json!("\"2\"")));

    let put = "/v1/customers/external/other";
    twice(&place, &server, Method::PUT, put, &json!({ "name": "Other" })).await;
    twice(&place, &server, Method::PATCH, &path, &json!({ "external_id": "other" })).await;
    twice(&place, &server, Method::POST, &format!("{path}/tags"), &json!({ "add": ["vip"] })).await;
    let person = json!({ "first_name": "Ada" });
    let (told, _) = twice(&place, &server, Method::POST, &format!("{path}/contact_persons"), &person).await;
    assert_eq!(told["would"]["made_up"], json!(["contact_persons[0].id"]));
    let link = json!({
        "entity_type": "customer", "entity_id": created["id"], "provider_type": "crm", "provider_entity_id": "1",
    });
    twice(&place, &server, Method::POST, "/v1/integrations/link", &link).await;
    twice(&place, &server, Method::DELETE, "/v1/integrations/link", &link).await;
    let association = json!({
        "tax_rate_code": "VAT", "entity_type": "customer", "entity_id": created["id"], "currency": "chf",
    });
    let (told, made) = twice(&place, &server, Method::POST, "/v1/taxes/associations", &association).await;
    assert!(paths(&told)[0].starts_with("tax_associations[ta_"), "{told:#}");
    let association = format!("/v1/taxes/associations/{}", made["id"].as_str().unwrap());
    twice(&place, &server, Method::PUT, &association, &json!({ "priority": 7 })).await;
    twice(&place, &server, Method::DELETE, &association, &Value::Null).await;
    let (told, _) = twice(&place, &server, Method::DELETE, &path, &Value::Null).await;
    assert_eq!((&told["would"]["status"], &told["would"]["body"]), (&json!(204), &Value::Null));
    assert!(paths(&told).contains(&"status"), "{told:#}");
    twice(&place, &server, Method::DELETE, &path, &Value::Null).await;
    twice(&place, &server, Method::POST, &format!("{path}/restore"), &Value::Null).await;
}

#[rstest]
#[tokio::test]
async fn every_kind_of_write_has_a_dry_run(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let default = json!({ "tax_rate_code": "VAT", "entity_type": "tenant", "auto_apply": true });
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let (told, _) = twice(&place, &server, Method::POST, "/v1/taxes/associations", &default).await;
    assert!(paths(&told).contains(&"auto_apply"), "{told:#}");

    let environment = json!({ "name": "Trial", "type": "development" });
    let (told, made) = twice(&place, &server, Method::POST, "/v1/environments", &environment).await;
    assert_eq!(told["would"]["made_up"], json!(["id"]));
    let path = format!("/v1/environments/{}", made["id"].as_str().unwrap());
    let (told, _) = twice(&place, &server, Method::PUT, &path, &json!({ "name": "Other" })).await;
    assert_eq!(told["changes"], json!([{ "path": "name", "from": "Trial", "to": "Other" }]));

    let key = json!({ "name": "k", "type": "private_key" });
    let asked = dry(&server, Method::POST, "/v1/secrets/api/keys", &key).await.expect(200);
    assert_eq!(asked["would"]["made_up"], json!(["api_key", "secret.display_id", "secret.id"]));
    let secret = asked["would"]["body"]["api_key"].as_str().unwrap();
    assert_eq!(send(server.request_as(secret, Method::GET, "/v1/customers")).await.status, 401);
    let made = server.post("/v1/secrets/api/keys", &key).await.expect(201);
    let real = made["api_key"].as_str().unwrap();
    let path = format!("/v1/secrets/api/keys/{}", made["secret"]["id"].as_str().unwrap());
    let rotated = dry(&server, Method::POST, &format!("{path}/rotate"), &json!({})).await.expect(200);
    assert!(paths(&rotated).iter().any(|path| path.ends_with(".expires_at")), "{rotated:#}");
    twice(&place, &server, Method::DELETE, "/v1/secrets/api/keys/secret_01JDG3W9Z5X0M8R2K7T4B6Q1NE", &Value::Null)
        .await;
    dry(&server, Method::DELETE, &path, &Value::Null).await.expect(200);
    assert_eq!(send(server.request_as(real, Method::GET, "/v1/customers")).await.status, 200, "it is still valid");

    let url = json!({ "url": "https://127.0.0.1:9/" });
    let asked = dry(&server, Method::POST, "/v1/webhooks/endpoints", &url).await.expect(200);
    assert_eq!(asked["would"]["made_up"], json!(["id", "secret"]));
    let made = server.post("/v1/webhooks/endpoints", &url).await.expect(201);
    let path = format!("/v1/webhooks/endpoints/{}", made["id"].as_str().unwrap());
    let (told, _) = twice(&place, &server, Method::PUT, &path, &json!({ "description": "mine" })).await;
    assert_eq!(told["changes"], json!([{ "path": "description", "from": null, "to": "mine" }]));
    let tested = dry(&server, Method::POST, &format!("{path}/test"), &Value::Null).await.expect(200);
    assert_eq!(tested["would"]["requests"][0]["url"], "https://127.0.0.1:9/");
    assert!(tested["would"]["requests"][0]["body"]["event_type"].is_string(), "{tested:#}");
    assert_eq!(tested["would"]["body"]["attempts"], 0);
    server.post("/v1/customers", &minimal("a")).await.expect(201);
    // The server delivers its event meanwhile, and would add this row between two counts.
    until(async || match place.number("SELECT count(*) FROM webhook_deliveries").await {
        1 => Ok(()),
        count => Err(count),
    })
    .await;
    let replay = json!({ "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z" });
    let told = dry(&server, Method::POST, &format!("{path}/replay"), &replay).await.expect(200);
    assert_eq!(told["would"]["body"], json!({ "replayed": 2 }), "{told:#}");
    twice(&place, &server, Method::DELETE, &path, &Value::Null).await;

    let field = json!({ "key": "score", "type": "integer" });
    let (told, _) = twice(&place, &server, Method::POST, "/v1/custom-fields", &field).await;
    assert!(paths(&told).contains(&"key"), "{told:#}");
    let scored = json!({ "external_id": "scored", "custom_fields": { "score": 7 } });
    let (told, _) = twice(&place, &server, Method::POST, "/v1/customers", &scored).await;
    assert!(paths(&told).contains(&"custom_fields.score"), "{told:#}");
    let path = "/v1/custom-fields/score";
    twice(&place, &server, Method::DELETE, path, &Value::Null).await;
    dry(&server, Method::DELETE, &format!("{path}?purge=true"), &Value::Null).await.expect(200);
    assert_eq!(server.get("/v1/customers/external/scored").await.expect(200)["custom_fields"], json!({ "score": 7 }));

    let workflow = json!({ "value": { "steps": [{ "type": "http_call", "url": "https://crm.example/" }] } });
    let path = "/v1/settings/customer_onboarding";
    let asked = dry(&server, Method::PUT, path, &workflow).await.expect(200);
    assert!(paths(&asked).contains(&"value.steps"), "{asked:#}");
    assert_eq!(server.get(path).await.expect(200)["value"]["steps"], json!([]));
    ask(&server, Method::PUT, path, &workflow).await.expect(200);
    dry(&server, Method::DELETE, path, &Value::Null).await.expect(200);
    assert_eq!(server.get(path).await.expect(200)["value"]["steps"].as_array().unwrap().len(), 1);
    // No run begins.
    dry(&server, Method::POST, "/v1/customers", &minimal("b")).await.expect(200);
    assert_eq!(place.number("SELECT count(*) FROM onboarding_runs").await, 0);
}

#[rstest]
#[tokio::test]
async fn permissions_values_keys_and_reads_are_as_always(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let reader = json!({ "name": "r", "type": "private_key", "roles": ["all_reader"] });
    let reader = server.post("/v1/secrets/api/keys", &reader).await.expect(201);
    let reader = reader["api_key"].as_str().unwrap();
    let path = "/v1/customers?dry_run=true";
    let denied = send(server.request_as(reader, Method::POST, path).json(&minimal("a"))).await;
    assert_eq!((denied.status, denied.header("patron-dry-run")), (403, Some("true")));
    let unknown = send(server.request_as("sk_wrong_wrong_wrong_wrong_wrong_wrong", Method::POST, path)).await;
    assert_eq!((unknown.status, unknown.header("patron-dry-run")), (401, None));

    for (value, status) in [("1", 200), ("true", 200), ("0", 201), ("false", 201), ("", 201)] {
        let path = format!("/v1/customers?dry_run={value}");
        assert_eq!(server.post(&path, &minimal(&format!("value {value}"))).await.status, status, "{value}");
    }
    for value in ["yes", "TRUE", "2"] {
        let refused = server.post(&format!("/v1/customers?dry_run={value}"), &json!({ "email": "x" })).await;
        assert_eq!(refused.error(), ("validation_error", vec!["dry_run", "email", "external_id"]), "{value}");
        assert_eq!(refused.header("patron-dry-run"), None);
    }
    let created = server.post("/v1/customers", &minimal("here")).await.expect(201);
    let here = format!("/v1/customers/{}", created["id"].as_str().unwrap());
    let refused = ask(&server, Method::DELETE, &format!("{here}?dry_run=maybe"), &Value::Null).await;
    assert_eq!(refused.error(), ("validation_error", vec!["dry_run"]));
    assert_eq!(server.get(&here).await.expect(200)["status"], "published");

    // Reads do not know the parameter.
    assert_eq!(server.get(&format!("{here}?dry_run=maybe")).await.status, 200);
    let found = server.post("/v1/customers/search?dry_run=maybe", &json!({})).await;
    assert_eq!((found.status, found.header("patron-dry-run")), (200, None));

    // A key is neither checked nor used.
    let keyed = |path: &str| server.request(Method::POST, path).header("idempotency-key", "k").json(&minimal("keyed"));
    send(keyed("/v1/customers?dry_run=true")).await.expect(200);
    send(keyed("/v1/customers")).await.expect(201);
    assert_eq!(send(keyed("/v1/customers?dry_run=true")).await.status, 409, "the customer is there now");
    let stale = server.request(Method::PATCH, &format!("{here}?dry_run=true")).header("if-match", "\"9\"");
    let stale = send(stale.json(&json!({ "name": "x" }))).await;
    assert_eq!((stale.status, stale.header("patron-dry-run")), (412, Some("true")));
    let pretty = server.request(Method::POST, "/v1/customers?dry_run=true&pretty=true").json(&minimal("pretty"));
    let text = pretty.send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with("{\n  \"would\": {\n    \"status\": 201,\n    \"body\": {\n      \"id\""), "{text}");
}

#[rstest]
#[tokio::test]
async fn dry_runs_are_counted(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[("PATRON_METRICS_PUBLIC", "true")]);
    for external_id in ["a", "b", ""] {
        dry(&server, Method::POST, "/v1/customers", &json!({ "external_id": external_id })).await;
    }
    until(async || {
        let entries = server.get("/v1/audit").await.expect(200)["items"].as_array().unwrap().clone();
        let counted: Vec<_> = entries.iter().filter(|one| one["action"] == "api_key.dry_run").cloned().collect();
        let sum: u64 = counted.iter().filter_map(|one| one["count"].as_u64()).sum();
        if sum == 3 { Ok(()) } else { Err(json!(entries)) }
    })
    .await;
    let metrics = server.anonymous(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    for line in ["patron_dry_runs_total{outcome=\"done\"} 2", "patron_dry_runs_total{outcome=\"refused\"} 1"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[rstest]
#[tokio::test]
async fn warnings_are_given_with_dry_runs_and_where_asked_for(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let first = json!({
        "external_id": "first", "email": "Ada@acme.example", "tax_ids": [{ "type": "eu_vat", "value": "DE136695976" }],
        "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_1" }],
    });
    let created = server.post("/v1/customers", &first).await.expect(201);
    let odd = json!({
        "external_id": "odd", "email": "ada@ACME.example", "adress_country": "DE", "address_country": "FR",
        "address_postal_code": "1011", "tax_ids": [{ "type": "eu_vat", "value": "DE 136695976" }],
        "integration_entity_mapping": [{ "provider_type": "stripe", "provider_entity_id": "cus_1", "note": 1 }],
    });
    let all = [
        ("adress_country", "unknown_field"),
        ("integration_entity_mapping[0].note", "unknown_field"),
        ("address_postal_code", "postal_code_country"),
        ("tax_ids[0]", "tax_id_country"),
        ("email", "possible_duplicate"),
        ("tax_ids[0].value", "possible_duplicate"),
        ("integrations[0].provider_entity_id", "possible_duplicate"),
    ];
    let asked = dry(&server, Method::POST, "/v1/customers", &odd).await.expect(200);
    assert_eq!(rules(&asked), all);
    assert!(asked["warnings"][0]["message"].as_str().unwrap().contains("address_country"), "{asked:#}");
    let named = asked["warnings"][4]["message"].as_str().unwrap();
    assert!(named.contains(created["id"].as_str().unwrap()) && !named.to_lowercase().contains("ada"), "{named}");

    let preferring = |method: Method, path: &str, body: &Value| {
        server.request(method, path).header("prefer", "respond-async, return=warnings").json(body)
    };
    let keyed = || preferring(Method::POST, "/v1/customers", &odd).header("idempotency-key", "k");
    let made = send(keyed()).await.expect(201);
    assert_eq!(rules(&made), all);
    let again = send(keyed()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(rules(&again.expect(201)), all[..2], "only what the request itself shows");
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    let plain = send(preferring(Method::PATCH, &path, &json!({ "name": "Odd" }))).await.expect(200);
    assert_eq!(rules(&plain), [], "what stays as it was brings no warning");
    let reversed = send(preferring(Method::PATCH, &path, &json!({ "tax_treatment": "reverse_charge", "tax_ids": [] })));
    assert_eq!(rules(&reversed.await.expect(200)), [("tax_treatment", "treatment_without_tax_id")]);
    let gone = send(preferring(Method::DELETE, &path, &Value::Null)).await;
    assert_eq!((gone.status, gone.body), (204, Value::Null));
    let unasked = server.post("/v1/customers", &minimal("plain")).await.expect(201);
    assert_eq!(unasked.get("warnings"), None);
    let rate = send(preferring(Method::POST, "/v1/taxes/rates", &tax_rate("VAT"))).await.expect(201);
    assert_eq!(rules(&rate), []);
    let refused = send(preferring(Method::POST, "/v1/customers", &json!({ "email": "x" }))).await;
    assert_eq!((refused.status, refused.body.get("warnings")), (400, None));
}
