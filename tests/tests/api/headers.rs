//! Request and response headers that all routes share: keys, caches, browsers, conditions, and the format of answers.

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server, provide_cryptography, send},
    requests::{minimal, tax_rate},
};
use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};

async fn server() -> (Place, Server) {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    (place, server)
}

fn values(answer: &Answer, name: &str) -> Vec<String> {
    let all = answer.headers.get_all(name).iter().flat_map(|value| value.to_str().unwrap().split(','));
    all.map(|value| value.trim().to_lowercase()).collect()
}

#[track_caller]
fn assert_private(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"), "{}: {:#}", answer.status, answer.body);
    let vary = values(answer, "vary");
    assert!(["x-api-key", "authorization"].iter().all(|name| vary.iter().any(|one| one == name)), "{vary:?}");
}

#[tokio::test]
async fn caches_must_not_share_answers_between_clients() {
    let (_place, server) = server().await;
    let created = server.post("/v1/customers", &minimal("acme")).await;
    assert_private(&created);
    let id = created.body["id"].as_str().unwrap().to_owned();
    for (method, path, status) in [
        (Method::GET, format!("/v1/customers/{id}"), 200),
        (Method::HEAD, format!("/v1/customers/{id}"), 200),
        (Method::GET, "/v1/customers?limit=0".to_owned(), 400),
        (Method::GET, "/v1/customers/external/nobody".to_owned(), 404),
        (Method::GET, "/v1/nothing".to_owned(), 404),
        (Method::PATCH, "/v1/customers".to_owned(), 405),
        (Method::POST, "/v1/customers".to_owned(), 400),
        (Method::DELETE, format!("/v1/customers/{id}"), 204),
    ] {
        let answer = send(server.request(method, &path)).await;
        assert_eq!(answer.status, status, "{path}");
        assert_private(&answer);
        let nobody = send(server.anonymous(Method::GET, &path)).await;
        assert_eq!(nobody.status, 401);
        assert_private(&nobody);
    }
    let known = server.request(Method::GET, &format!("/v1/customers/{id}")).header("if-none-match", "\"2\"");
    let known = send(known).await;
    assert_eq!(known.status, 304);
    assert_private(&known);
    // Public answers have no such headers.
    assert_eq!(server.get("/health/live").await.header("vary"), None);
}

#[tokio::test]
async fn answers_with_a_secret_must_not_be_stored() {
    let (_place, server) = server().await;
    let key = json!({ "name": "k", "type": "private_key" });
    let endpoint = json!({ "url": "https://example.com/hooks" });
    let workflow = json!({ "value": { "steps": [{ "type": "http_call", "url": "https://crm.example" }] } });
    let made = server.post("/v1/webhooks/endpoints", &endpoint).await;
    let rotate = format!("/v1/webhooks/endpoints/{}/rotate-secret", made.body["id"].as_str().unwrap());
    let put = server.request(Method::PUT, "/v1/settings/customer_onboarding").json(&workflow);
    for answer in
        [server.post("/v1/secrets/api/keys", &key).await, made, server.post(&rotate, &json!({})).await, send(put).await]
    {
        assert!(answer.body.to_string().contains("sk_") || answer.body["secret"].is_string(), "{:#}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(values(&answer, "vary").contains(&"x-api-key".to_owned()));
    }
    // A replay under the same idempotency key shows no secret.
    let once = || server.request(Method::POST, "/v1/secrets/api/keys").header("idempotency-key", "k").json(&key);
    assert_eq!(send(once()).await.header("cache-control"), Some("no-store"));
    assert_private(&send(once()).await);
}

#[tokio::test]
async fn a_created_resource_has_a_location() {
    let (_place, server) = server().await;
    let put = server.request(Method::PUT, "/v1/customers/external/hooli").json(&json!({}));
    for answer in [
        server.post("/v1/customers", &minimal("acme")).await,
        send(put).await,
        server.post("/v1/taxes/rates", &tax_rate("VAT")).await,
        server.post("/v1/environments", &json!({ "name": "E", "type": "development" })).await,
        server.post("/v1/secrets/api/keys", &json!({ "name": "k", "type": "private_key" })).await,
        server.post("/v1/webhooks/endpoints", &json!({ "url": "https://example.com/hooks" })).await,
    ] {
        assert_eq!(answer.status, 201, "{:#}", answer.body);
        let id = answer.body.get("secret").filter(|secret| secret.is_object()).unwrap_or(&answer.body)["id"].clone();
        let location = answer.header("location").unwrap();
        assert!(location.starts_with("/v1/") && location.ends_with(id.as_str().unwrap()), "{location}");
        assert_eq!(server.get(location).await.expect(200)["id"], id, "{location}");
    }
    let again = server.request(Method::PUT, "/v1/customers/external/hooli").json(&json!({ "name": "Hooli" }));
    let again = send(again).await;
    assert_eq!((again.status, again.header("location")), (200, None));
}

#[tokio::test]
async fn a_browser_may_read_every_header() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve_with(&[("PATRON_CORS_ORIGINS", "https://app.example.com")]);
    let from = |request: reqwest::RequestBuilder| request.header("origin", "https://app.example.com");
    let created = server.request(Method::POST, "/v1/customers").json(&json!({ "external_id": "acme", "nmae": "x" }));
    let created = send(from(created)).await;
    assert_eq!(created.header("access-control-allow-origin"), Some("https://app.example.com"));
    let exposed = values(&created, "access-control-expose-headers");
    for name in ["location", "etag", "patron-ignored", "x-request-id"] {
        assert!(created.header(name).is_some() && exposed.contains(&name.to_owned()), "{name}");
    }
    for name in ["x-patron-former-external-id", "retry-after", "idempotency-replayed", "allow"] {
        assert!(exposed.contains(&name.to_owned()), "{name}");
    }
    // `Origin` is added to the other values of `Vary`, for other origins too.
    for answer in [created, server.get("/v1/customers").await] {
        let vary = values(&answer, "vary");
        assert!(
            ["origin", "x-api-key", "authorization"].iter().all(|name| vary.contains(&(*name).to_owned())),
            "{vary:?}"
        );
    }
    let preflight = server.anonymous(Method::OPTIONS, "/v1/customers").header("access-control-request-method", "POST");
    assert_eq!(send(from(preflight)).await.status, 204);
}

#[tokio::test]
async fn contradictory_api_keys_are_refused() {
    let (_place, server) = server().await;
    let path = "/v1/customers/external/x";
    let with = |headers: &[(&str, &str)]| {
        headers.iter().fold(server.anonymous(Method::GET, path), |request, (name, value)| request.header(*name, *value))
    };
    let bearer = format!("Bearer {KEY}");
    for (headers, status) in [
        (vec![("x-api-key", ""), ("authorization", bearer.as_str())], 404),
        (vec![("x-api-key", KEY), ("authorization", bearer.as_str())], 404),
        (vec![("x-api-key", KEY), ("authorization", "Basic abc")], 404),
        (vec![("x-api-key", "sk_another_one_0123456789"), ("authorization", bearer.as_str())], 400),
        (vec![("x-api-key", KEY), ("authorization", "Bearer sk_nobodys_0123456789")], 400),
        (vec![("x-api-key", ""), ("authorization", "")], 401),
    ] {
        let answer = send(with(&headers)).await;
        assert_eq!(answer.status, status, "{headers:?}: {:#}", answer.body);
        if status == 400 {
            assert_eq!(answer.error(), ("validation_error", vec!["x-api-key"]));
        }
    }
}

#[tokio::test]
async fn authentication_comes_before_routing_and_parsing() {
    let (_place, server) = server().await;
    let two = |method: Method, path: &str| {
        server
            .request(method, path)
            .header("authorization", "Bearer sk_nobodys_0123456789")
            .header("content-type", "text/plain")
    };
    for (method, path, with_key) in [
        (Method::GET, "/v1/nothing", 404),
        (Method::POST, "/v1/nothing", 404),
        (Method::GET, "/v1", 404),
        (Method::PATCH, "/v1/customers", 405),
        (Method::OPTIONS, "/v1/customers", 405),
        (Method::POST, "/v1/customers", 415),
    ] {
        let plain = |request: reqwest::RequestBuilder| request.header("content-type", "text/plain").body("{");
        assert_eq!(send(plain(server.anonymous(method.clone(), path))).await.status, 401, "{method} {path}");
        assert_eq!(send(plain(server.request(method.clone(), path))).await.status, with_key, "{method} {path}");
        assert_eq!(send(two(method.clone(), path)).await.status, 400, "{method} {path}");
    }
    let form =
        server.anonymous(Method::POST, "/v1/customers").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(send(form.body("_method=delete")).await.status, 401);
}

#[tokio::test]
async fn an_entity_tag_changed_by_a_proxy_is_reported_as_such() {
    let (_place, server) = server().await;
    let created = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let path = format!("/v1/customers/{}", created["id"].as_str().unwrap());
    let patch = |tag: &str, name: &str| {
        server.request(Method::PATCH, &path).header("if-match", tag).json(&json!({ "name": name }))
    };
    for tag in ["W/\"1\"", "\"1-gzip\"", "\"1;br\"", "1", "W/\"1\", \"9\""] {
        let refused = send(patch(tag, "x")).await;
        assert_eq!((refused.status, refused.error()), (412, ("version_conflict", vec!["If-Match"])), "{tag}");
        for message in [&refused.body["message"], &refused.body["details"]["If-Match"]["message"]] {
            let message = message.as_str().unwrap();
            assert!(message.contains("proxy") && message.contains("foreign entity tag"), "{tag}: {message}");
        }
        assert_eq!(refused.header("etag"), Some("\"1\""), "{tag}");
    }
    let stale = send(patch("\"9\"", "x")).await;
    assert_eq!(stale.status, 412);
    assert!(!stale.body.to_string().contains("proxy"), "{:#}", stale.body);
    assert_eq!(send(patch("W/\"9\", \"1\"", "y")).await.status, 200);
}

#[tokio::test]
async fn compressed_bodies_are_refused_and_a_byte_order_mark_is_skipped() {
    let (_place, server) = server().await;
    let post = |external_id: &str, coding: &str| {
        let request = server.request(Method::POST, "/v1/customers").header("content-type", "application/json");
        request.header("content-encoding", coding).body(minimal(external_id).to_string())
    };
    for coding in ["gzip", "identity, br", "nonsense"] {
        let refused = send(post("a", coding)).await;
        assert_eq!(
            (refused.status, refused.error()),
            (415, ("unsupported_media_type", vec!["Content-Encoding"])),
            "{coding}"
        );
        assert!(refused.body["message"].as_str().unwrap().contains("Content-Encoding"));
    }
    for (number, coding) in ["identity", "Identity", ""].into_iter().enumerate() {
        send(post(&format!("c{number}"), coding)).await.expect(201);
    }
    let marked = server.post_raw("/v1/customers", format!("\u{feff}{}", minimal("marked"))).await.expect(201);
    assert_eq!(marked["external_id"], "marked");
}

#[tokio::test]
async fn unknown_members_are_reported_but_not_refused() {
    let (_place, server) = server().await;
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let body = json!({
        "external_id": "acme",
        "adress_country": "DE",
        "a,b ü": 1,
        "metadata": { "free": "x" },
        "tax_rate_overrides": [{ "tax_rate_code": "VAT", "currency": "EUR", "tax_behaviour": "inclusive" }],
    });
    let created = server.post("/v1/customers", &body).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    let ignored = created.header("patron-ignored").unwrap().split(", ").collect::<Vec<_>>();
    let wanted = ["[\"a%2Cb%20%C3%BC\"]", "adress_country", "tax_rate_overrides[0].tax_behaviour"];
    assert_eq!(ignored, wanted);
    let known = server.post("/v1/customers", &minimal("plain")).await;
    assert_eq!(known.header("patron-ignored"), None);
    // A refusal reports them too, at most twenty.
    let mut body = json!({ "external_id": "" });
    (0..100).for_each(|number| body[format!("x{number:03}")] = json!(number));
    let refused = server.post("/v1/customers", &body).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.header("patron-ignored").unwrap().split(", ").count(), 20);
    // A member that only creates use is known to create-or-update as well.
    let put = || {
        let request = server.request(Method::PUT, "/v1/customers/external/both");
        request.json(&json!({ "skip_onboarding_workflow": true, "nmae": "x" }))
    };
    for status in [201, 200] {
        let answer = send(put()).await;
        assert_eq!((answer.status, answer.header("patron-ignored")), (status, Some("nmae")));
    }
}

/// The bytes of an answer.
async fn text(request: reqwest::RequestBuilder) -> String {
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn answers_end_with_a_newline_and_are_indented_on_request() {
    let (_place, server) = server().await;
    server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let path = "/v1/customers/external/acme";
    let compact = text(server.request(Method::GET, path)).await;
    assert!(compact.ends_with("}\n") && compact.lines().count() == 1, "{compact}");
    let value: Value = serde_json::from_str(&compact).unwrap();
    for request in [
        server.request(Method::GET, &format!("{path}?pretty=true")),
        server.request(Method::GET, &format!("{path}?pretty")),
        server.request(Method::GET, path).header("accept", "application/json; pretty"),
    ] {
        let pretty = text(request).await;
        assert!(pretty.ends_with("}\n") && pretty.starts_with("{\n  \"id\""), "{pretty}");
        assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), value);
    }
    let refused = text(server.anonymous(Method::GET, "/v1/customers?pretty=true")).await;
    assert!(refused.starts_with("{\n  \"code\": \"unauthenticated\"") && refused.ends_with("}\n"), "{refused}");
    for path in ["/openapi.json", "/health/live"] {
        assert!(text(server.anonymous(Method::GET, path)).await.ends_with("}\n"), "{path}");
    }
    // `pretty` does not make it a different request.
    let post = |path: &str| server.request(Method::POST, path).header("idempotency-key", "k").json(&minimal("once"));
    send(post("/v1/customers")).await.expect(201);
    assert_eq!(send(post("/v1/customers?pretty=true")).await.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn the_front_page_redirects_to_the_documentation_and_not_found_errors_link_to_it() {
    let (_place, server) = server().await;
    provide_cryptography();
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let front = client.get(server.base()).send().await.unwrap();
    assert_eq!((front.status().as_u16(), front.headers()["location"].to_str().unwrap()), (307, "/docs/"));
    for path in ["/v1/customer", "/nothing", "/docs/nothing.js"] {
        let answer = server.get(path).await;
        let message = answer.body["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 404);
        assert!(message.contains("/docs"), "{path}: {message}");
    }
    let message = server.get("/v1/customer?secret=x").await.body["message"].to_string();
    assert!(message.contains("GET /v1/customer;") && !message.contains("secret"), "{message}");
    let long = server.get(&format!("/v1/{}", "x".repeat(5_000))).await.body["message"].to_string();
    assert!(long.chars().count() < 300, "{long}");
}
