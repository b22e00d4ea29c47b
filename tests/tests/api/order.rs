//! The order of refusals if several apply.

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server, send},
    requests::{minimal, tax_rate},
    wait::until,
};
use reqwest::{Method, RequestBuilder};
use rstest::rstest;
use serde_json::{Value, json};

const UNKNOWN: &str = "sk_nobody_has_this_one_at_all_here";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

async fn made_key(server: &Server, members: Value) -> String {
    let mut body = json!({ "name": "k", "type": "private_key" });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let made = server.post("/v1/secrets/api/keys", &body).await.expect(201);
    text(&made["api_key"]).to_owned()
}

/// A request with every possible fault before its body is read.
async fn worst(server: &Server, key: &str, method: Method, path: &str) -> Answer {
    let request = server.request_as(key, method, path).header("content-type", "text/plain");
    answer(request.body(vec![b'{'; 2_000_000])).await
}

/// The answer to a request with a large body. The server answers before it has read it all, and may close the connection while
/// the client still sends, so a client may have to try again.
async fn answer(request: RequestBuilder) -> Answer {
    let send = async || request.try_clone().unwrap().send().await.map_err(|error| error.to_string());
    Answer::read(until(send).await).await
}

#[rstest]
#[tokio::test]
async fn the_caller_is_checked_before_the_request(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    // Neither key may write, and neither allows this machine's network.
    let reader = made_key(&server, json!({ "roles": ["all_reader"] })).await;
    let elsewhere = json!({ "roles": ["all_reader"], "allowed_networks": ["192.0.2.0/24"] });
    let elsewhere = made_key(&server, elsewhere).await;
    let everywhere = [
        (Method::POST, "/v1/customers"),
        (Method::POST, "/v1/nowhere"),
        (Method::PATCH, "/v1/customers/search"),
        (Method::POST, "/v1/environments"),
    ];
    for (method, path) in everywhere.clone() {
        // Two different keys are refused before either is checked.
        let two =
            server.request_as(UNKNOWN, method.clone(), path).header("authorization", "Bearer sk_another_unknown_key");
        assert_eq!(send(two).await.status, 400, "{method} {path}");
        assert_eq!(worst(&server, UNKNOWN, method.clone(), path).await.status, 401, "{method} {path}");
        let network = worst(&server, &elsewhere, method.clone(), path).await;
        assert_eq!((network.status, network.error().0), (403, "permission_denied"), "{method} {path}");
        assert!(text(&network.body["message"]).contains("networks"), "{}", network.body);
    }
    // The role comes before the body; an unknown path needs no role.
    for (path, status) in [("/v1/customers", 403), ("/v1/environments", 403), ("/v1/nowhere", 404)] {
        assert_eq!(worst(&server, &reader, Method::POST, path).await.status, status, "{path}");
    }
    let environment = server.request_as(&reader, Method::POST, "/v1/customers").header("x-environment-id", "env_other");
    let answer = send(environment).await;
    assert!(text(&answer.body["message"]).contains("X-Environment-ID"), "before the role: {}", answer.body);

    let tenants: Value = serde_json::from_str(&place.run_ok(&["tenants", "list", "--json"])).unwrap();
    let tenant = text(&tenants[0]["id"]).to_owned();
    assert!(place.run_ok(&["tenants", "suspend", &tenant]).contains("has been suspended since"));
    // Suspended comes before all of these, once other processes have noticed.
    for key in [KEY, &reader, &elsewhere] {
        until(async || {
            let answer = send(server.request_as(key, Method::GET, "/v1/customers")).await;
            if answer.status == 403 && answer.error().0 == "suspended" { Ok(()) } else { Err(answer.status) }
        })
        .await;
        for (method, path) in everywhere.clone() {
            let answer = worst(&server, key, method.clone(), path).await;
            assert_eq!((answer.status, answer.error().0), (403, "suspended"), "{method} {path}");
        }
    }
    assert_eq!(worst(&server, UNKNOWN, Method::POST, "/v1/customers").await.status, 401);
    assert!(place.run_ok(&["tenants", "resume", &tenant]).contains("is not suspended"));
    until(async || {
        let answer = server.get("/v1/customers").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.status) }
    })
    .await;
}

#[tokio::test]
async fn the_rate_limit_comes_after_the_role_and_before_the_route() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    let limit = json!({ "reads": 1, "writes": 1 });
    let reader = made_key(&server, json!({ "roles": ["all_reader"], "rate_limit": limit })).await;
    let writer = made_key(&server, json!({ "rate_limit": limit })).await;
    for (method, path, otherwise) in [
        (Method::POST, "/v1/nowhere", 404),
        (Method::PATCH, "/v1/customers/search", 405),
        (Method::POST, "/v1/customers", 413),
        (Method::GET, "/v1/customers?limit=0", 400),
    ] {
        let refused = until(async || {
            let answer = worst(&server, &writer, method.clone(), path).await;
            assert!([429, otherwise].contains(&answer.status), "{method} {path} {}", answer.status);
            if answer.status == 429 { Ok(answer) } else { Err(answer.status) }
        })
        .await;
        assert_eq!(refused.error().0, "too_many_requests");
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(refused.header("ratelimit-policy").is_some_and(|policy| policy.starts_with("\"key-")));
    }
    for _ in 0..5 {
        assert_eq!(
            worst(&server, &reader, Method::POST, "/v1/customers").await.status,
            403,
            "a refused role must not count"
        );
    }
}

#[rstest]
#[tokio::test]
async fn the_parts_of_a_request_are_checked_in_one_order(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let acme = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    server.post("/v1/customers", &minimal("globex")).await.expect(201);
    server.post("/v1/taxes/rates", &tax_rate("VAT")).await.expect(201);
    let path = format!("/v1/customers/{}", text(&acme["id"]));
    let large = format!(r#"{{"external_id":"{}"}}"#, "x".repeat(2_000_000));
    let unknown_rate = json!([{ "tax_rate_code": "NONE", "currency": "EUR" }]);
    let with_rate = |external_id: &str, email: &str| {
        json!({ "external_id": external_id, "email": email, "tax_rate_overrides": unknown_rate }).to_string()
    };
    let post = |kind: &str, body: String| {
        server.request(Method::POST, "/v1/customers").header("content-type", kind).body(body)
    };
    let put = |tag: &str, body: Value| server.request(Method::PUT, &path).header("if-match", tag).json(&body);
    for (what, request, status) in [
        ("an unknown path before its body", server.request(Method::POST, "/v1/nowhere").body(large.clone()), 404),
        ("a wrong method before its body", server.request(Method::PATCH, "/v1/customers").body(large.clone()), 405),
        ("the size before the kind", post("text/plain", large.clone()), 413),
        ("the kind before the content", post("text/plain", "{".to_owned()), 415),
        ("the content before what it refers to", post("application/json", with_rate("new", "no address")), 400),
        ("missing references before taken ids", post("application/json", with_rate("acme", "")), 404),
        ("taken ids before the version", put("\"99\"", json!({ "external_id": "globex" })), 409),
        ("the content before the version", put("\"99\"", json!({ "email": "no address" })), 400),
        ("the version at last", put("\"99\"", json!({ "name": "Acme" })), 412),
    ] {
        let answer = answer(request).await;
        assert_eq!(answer.status, status, "{what}: {:#}", answer.body);
    }
    // Missing objects are reported beside invalid fields.
    let both = send(post("application/json", with_rate("new", "no address"))).await;
    assert_eq!(both.error().1, ["email", "tax_rate_overrides[0].tax_rate_code"]);
}
