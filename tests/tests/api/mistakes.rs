//! Messages about common mistakes: the place, the fault, and the correction.

use patron_tests::{
    patron::{Answer, Backend, Place, Server, send},
    requests::{minimal, tax_rate},
};
use reqwest::Method;
use serde_json::{Value, json};

async fn server() -> (Place, Server) {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    (place, server)
}

/// The message at a path, after a check of its rule.
#[track_caller]
fn said(answer: &Answer, status: u16, path: &str, rule: &str) -> String {
    assert_eq!(answer.status, status, "{:#}", answer.body);
    let detail = &answer.body["details"][path];
    assert_eq!(detail["rule"], rule, "{:#}", answer.body);
    detail["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn invalid_json_is_reported_with_line_column_and_reason() {
    let (_place, server) = server().await;
    for (body, wanted) in [
        (r#"{"external_id":"acme",}"#, "the body is not valid JSON: line 1, column 23: there is a comma before"),
        ("{\n  \"external_id\": acme\n}", "the body is not valid JSON: line 2, column 18: a value is expected here"),
        (r#"{"external_id":"acme""#, "the body is not valid JSON: line 1, column 21: the body ends too early"),
        (r#"{"external_id":"a","external_id":"b"}"#, "external_id is given twice"),
        (r#"{"external_id":"a","name":"\ud800"}"#, "half of a surrogate pair"),
    ] {
        let refused = server.post_raw("/v1/customers", body).await;
        let message = refused.body["message"].as_str().unwrap().to_owned();
        assert!(refused.status == 400 && message.contains(wanted), "{body}: {message}");
        // The message guesses no reason.
        assert!(!message.contains("127 levels") && !message.contains("1e308"), "{message}");
    }
}

#[tokio::test]
async fn a_reused_idempotency_key_has_its_own_code() {
    let (_place, server) = server().await;
    let post =
        |id: &str| server.request(Method::POST, "/v1/customers").header("idempotency-key", "k").json(&minimal(id));
    let first = send(post("a")).await.expect(201);
    let put = server.request(Method::PUT, "/v1/customers/external/a").header("idempotency-key", "k").json(&json!({}));
    for (other, wanted) in [(post("b"), "to the same route but with another body"), (put, "to another route")] {
        let reused = send(other).await;
        assert_eq!(reused.error(), ("idempotency_key_reused", vec!["Idempotency-Key"]));
        let message = said(&reused, 409, "Idempotency-Key", "one_request");
        // It names the time of the first request.
        let wanted = format!("at {}, {wanted}", first["created_at"].as_str().unwrap());
        assert!(message.contains(&wanted) && message.contains("new key"), "{message}");
    }
}

#[tokio::test]
async fn faults_of_headers_query_and_body_are_reported_together() {
    let (_place, server) = server().await;
    let post = server.request(Method::POST, "/v1/customers").header("idempotency-key", "k".repeat(256));
    let post = post.header("x-patron-onboarding-run", "made up").json(&json!({ "name": 1 }));
    let (answer, mut paths) =
        (send(post).await, vec!["Idempotency-Key", "X-Patron-Onboarding-Run", "external_id", "name"]);
    paths.sort_unstable();
    assert_eq!((answer.status, answer.error()), (400, ("validation_error", paths)));
    let put = server.request(Method::PUT, "/v1/customers?id=%FF&external_customer_id=%1b");
    let answer = send(put.header("idempotency-key", "").json(&json!({ "email": "x" }))).await;
    let paths = vec!["Idempotency-Key", "email", "external_customer_id", "id"];
    assert_eq!((answer.status, answer.error()), (400, ("validation_error", paths)));
    // Also without a body, and before the look-up of the path's object.
    let delete = server.request(Method::DELETE, "/v1/customers/x").header("idempotency-key", "");
    assert_eq!(send(delete).await.error(), ("validation_error", vec!["Idempotency-Key"]));
}

#[tokio::test]
async fn references_to_missing_objects_are_named() {
    let (_place, server) = server().await;
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let rates = |codes: &[&str]| {
        Value::from(codes.iter().map(|code| json!({ "tax_rate_code": code, "currency": "EUR" })).collect::<Vec<_>>())
    };
    let mut body = json!({ "external_id": "acme", "tax_rate_overrides": rates(&["VAT", "NO", "NEITHER"]) });
    let places = ["tax_rate_overrides[1].tax_rate_code", "tax_rate_overrides[2].tax_rate_code"];
    let refused = server.post("/v1/customers", &body).await;
    for place in places {
        assert!(said(&refused, 404, place, "exists").contains("create the tax rate first"));
    }
    body["email"] = json!("nobody");
    for refused in [
        server.post("/v1/customers", &body).await,
        send(server.request(Method::PUT, "/v1/customers/external/acme").json(&body)).await,
    ] {
        assert_eq!(refused.error(), ("validation_error", [&["email"][..], &places].concat()));
        said(&refused, 400, places[0], "exists");
    }

    let link = json!({ "entity_id": "acme", "provider_type": "crm", "provider_entity_id": "7" });
    let customer = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let refused = server.post("/v1/integrations/link", &link).await;
    let message = said(&refused, 404, "entity_id", "exists");
    assert!(message.contains("cust_") && message.contains("GET /customers/external/{external_id}"), "{message}");
    let mut both = link.clone();
    both["provider_type"] = json!("");
    let refused = server.post("/v1/integrations/link", &both).await;
    assert_eq!((refused.status, refused.error().1), (400, vec!["entity_id", "provider_type"]));
    let delink = send(server.request(Method::DELETE, "/v1/integrations/link").json(&link)).await;
    said(&delink, 404, "entity_id", "exists");
    let mut own = link;
    own["entity_id"] = customer["id"].clone();
    // The customer exists; the link does not.
    let delink = send(server.request(Method::DELETE, "/v1/integrations/link").json(&own)).await;
    assert_eq!((delink.status, delink.error().1), (404, vec![]));
    // The same for a link that was archived with its customer.
    server.post("/v1/integrations/link", &own).await.expect(200);
    let path = format!("/v1/customers/{}", customer["id"].as_str().unwrap());
    assert_eq!(send(server.request(Method::DELETE, &path)).await.status, 204);
    let delink = send(server.request(Method::DELETE, "/v1/integrations/link").json(&own)).await;
    assert_eq!((delink.status, delink.error().0), (404, "not_found"));

    let listed = server.get("/v1/taxes/associations?external_customer_id=nobody").await;
    said(&listed, 404, "external_customer_id", "exists");
    let listed = server.get("/v1/taxes/associations?entity_id=cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE").await;
    said(&listed, 404, "entity_id", "exists");
}

#[tokio::test]
async fn messages_suggest_a_correction() {
    let (_place, server) = server().await;
    let filter = json!({ "filters": [{ "field": "metadata.plan", "operator": "eq", "value": { "string": "gold" } }] });
    let refused = server.post("/v1/customers/search", &filter).await;
    assert!(said(&refused, 400, "filters[0].field", "one_of").contains("{\"metadata\": {\"plan\": \"gold\"}}"));
    let refused = server.get("/v1/integrations/mappings").await;
    for path in ["entity_type", "entity_id"] {
        let message = said(&refused, 400, path, "required");
        assert!(message.contains("entity_type=customer&entity_id=cust_"), "{message}");
    }
    let rate = |change: Value| {
        let mut rate = json!({ "code": "X", "name": "X" });
        rate.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        rate
    };
    let refused = server.post("/v1/taxes/rates", &rate(json!({}))).await;
    assert!(said(&refused, 400, "percentage_value", "required").contains("\"19\""));
    let refused = server.post("/v1/taxes/rates", &rate(json!({ "tax_rate_type": "fixed" }))).await;
    assert!(said(&refused, 400, "fixed_value", "required").contains("\"2.50\""));
    // A fault is reported once.
    let refused = server.post("/v1/taxes/rates", &rate(json!({ "fixed_value": "much" }))).await;
    assert_eq!(refused.error().1, ["fixed_value"]);

    let customer = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let effective = format!("/v1/customers/{}/taxes/effective?currency=eur", customer["id"].as_str().unwrap());
    for (at, example) in [
        ("tomorrow", "2026-01-31T08:00:00Z"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T08:00:00", "2026-01-31T09:00:00+01:00"),
    ] {
        let refused = server.get(&format!("{effective}&at={at}")).await;
        let message = said(&refused, 400, "at", "rfc_3339");
        assert!(message.contains(example), "{at}: {message}");
    }
    server.get(&format!("{effective}&at=2026-01-31T08:00:00+01:00")).await.expect(200);
}

#[tokio::test]
async fn routes_of_billing_are_not_taken_for_customers() {
    let (_place, server) = server().await;
    server.post("/v1/customers", &minimal("acme")).await.expect(201);
    server.post("/v1/customers", &minimal("has/usage")).await.expect(201);
    for path in [
        "/v1/customers/usage?customer_id=cust_x",
        "/v1/customers/wallets",
        "/v1/customers/external/acme/entitlements",
        "/v1/customers/cust_01JDG3W9Z5X0M8R2K7T4B6Q1NE/wallets",
    ] {
        let answer = server.get(path).await;
        let message = answer.body["message"].as_str().unwrap().to_owned();
        let named = format!("there is nothing at GET {};", path.split('?').next().unwrap());
        assert!(answer.status == 404 && message.starts_with(&named), "{path}: {message}");
    }
    // An external id may end like this.
    server.get("/v1/customers/external/has/usage").await.expect(200);
    let message = server.get("/v1/customers/acme").await.body["message"].as_str().unwrap().to_owned();
    assert!(message.contains("/customers/external/"), "{message}");
    for path in ["/v1/customers/external/acme", "/v1/customers/lookup/acme"] {
        server.get(&format!("{path}?expand=integrations")).await.expect(200);
        let refused = server.get(&format!("{path}?expand=wallets")).await;
        assert_eq!((refused.status, refused.error().1), (400, vec!["expand"]));
    }
}

#[tokio::test]
async fn names_cannot_change_the_direction_of_text() {
    let (place, server) = server().await;
    let name = "a\u{202e}b";
    for (path, body) in [
        ("/v1/secrets/api/keys", json!({ "name": name, "type": "private_key" })),
        ("/v1/environments", json!({ "name": name, "type": "development" })),
        ("/v1/taxes/rates", json!({ "code": "X", "name": name, "percentage_value": 1 })),
    ] {
        let refused = server.post(path, &body).await;
        said(&refused, 400, "name", "no_bidi");
        let mut controls = body.clone();
        controls["name"] = json!("a\u{1b}b");
        said(&server.post(path, &controls).await, 400, "name", "no_control");
        controls["name"] = json!("\u{200b}");
        said(&server.post(path, &controls).await, 400, "name", "not_blank");
    }
    let code = json!({ "code": "\u{200b}\u{feff}", "name": "X", "percentage_value": 1 });
    said(&server.post("/v1/taxes/rates", &code).await, 400, "code", "not_blank");
    let description = json!({ "code": "LINES", "name": "X", "percentage_value": 1, "description": "one\n\ttwo" });
    assert_eq!(server.post("/v1/taxes/rates", &description).await.expect(201)["description"], "one\n\ttwo");
    assert!(!place.run(&["tenants", "create", "--name", name]).status.success());
}
