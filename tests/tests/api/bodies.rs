//! Bodies that are malformed, of another type, too large or too slow.

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, send},
    requests::minimal,
};
use reqwest::Method;

use super::errors::{assert_error, raw, server};

#[tokio::test]
async fn malformed_bodies_are_refused_and_not_echoed() {
    let (_place, server) = server().await;
    let secret = "private@example.com";
    for body in [
        "".to_owned(),
        "   ".to_owned(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("\"{secret}\""),
        format!("{{\"external_id\": \"{secret}\""),
        format!("{{\"external_id\": \"{secret}\"}} trailing"),
        format!("{{'{secret}': 1}}"),
        format!("{{\"external_id\": {secret}}}"),
        "{\"external_id\": 1e999}".to_owned(),
        "[".repeat(100_000),
        format!(
            "{{\"external_id\":\"a\",\"integration_entity_mapping\":[{{\"provider_type\":\"p\",\"provider_entity_id\":\"e\",\"metadata\":{{\"a\":{}}}}}]}}",
            "[".repeat(10_000) + &"]".repeat(10_000)
        ),
    ] {
        let answer = server.post_raw("/v1/customers", body.clone()).await;
        assert_error(&answer, 400, "validation_error");
        assert!(!answer.body.to_string().contains(secret), "{:#}", answer.body);
    }
    assert_error(&server.post_raw("/v1/customers", vec![b'"', 0xFF, b'"']).await, 400, "validation_error");
    assert_error(
        &server.post_raw("/v1/customers", b"{\"external_id\":\"\xC3\x28\"}".to_vec()).await,
        400,
        "validation_error",
    );
    // Ignored members must be UTF-8 too, and cannot hide U+0000.
    for body in [
        b"{\"external_id\":\"a\",\"ignored\":\"\xFF\"}".to_vec(),
        br#"{"external_id":"a","ignored":1e999,"other":"\u0000"}"#.to_vec(),
        br#"{"external_id":"a","ignored":"\ud800","other":"\u0000"}"#.to_vec(),
        format!(r#"{{"external_id":"a","ignored":{}{},"other":"\u0000"}}"#, "[".repeat(200), "]".repeat(200))
            .into_bytes(),
    ] {
        assert_error(&server.post_raw("/v1/customers", body).await, 400, "validation_error");
    }
    let log = server.log().join("\n");
    assert!(!log.contains(secret), "{log}");
}

#[tokio::test]
async fn other_content_types_for_json_are_accepted() {
    let (_place, server) = server().await;
    let kinds = ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"];
    for (number, kind) in kinds.into_iter().enumerate() {
        let body = minimal(&format!("c{number}")).to_string();
        let request = server.request(Method::POST, "/v1/customers").header("content-type", kind).body(body);
        send(request).await.expect(201);
    }
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "json"]
    {
        let request = server.request(Method::POST, "/v1/customers").header("content-type", kind).body("{}");
        assert_error(&send(request).await, 415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn a_body_is_limited_to_one_mebibyte() {
    let (_place, server) = server().await;
    let padded = |size: usize| {
        let mut body = minimal("large").to_string().into_bytes();
        body.resize(size, b' ');
        body
    };
    assert_error(&server.post_raw("/v1/customers", padded(1_048_577)).await, 413, "payload_too_large");
    assert_eq!(server.post_raw("/v1/customers", padded(1_048_576)).await.status, 201);

    let chunks = futures::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 65_536])));
    let request = server.request(Method::POST, "/v1/customers").header("content-type", "application/json");
    // The server may answer and close before all of it is sent. Then the client may see no answer.
    if let Ok(response) = request.body(reqwest::Body::wrap_stream(chunks)).send().await {
        assert_error(&Answer::read(response).await, 413, "payload_too_large");
    }
}

#[tokio::test]
async fn a_stalled_body_times_out() {
    // Rocket waits for the first 14 bytes before any code of Patron runs. Patron limits the time after that.
    let (place, (_patient_place, patient)) = (Place::fresh(Backend::Sqlite).await, server().await);
    let server = place.serve_with(&[("PATRON_BODY_TIMEOUT_SECONDS", "1")]);
    for kind in ["application/json", "text/plain"] {
        let head = format!(
            "POST /v1/customers HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-type: {kind}\r\ncontent-length: 100\r\n\r\n{{\"external_id\":"
        );
        let answer = tokio::select! {
            answer = raw(&server, head.as_bytes()) => answer,
            _ = raw(&patient, head.as_bytes()) => panic!("the server with a limit of ten seconds answered first"),
        };
        assert!(answer.starts_with("HTTP/1.1 408 "), "{kind}: {answer}");
        assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    }
}

#[tokio::test]
async fn a_form_cannot_override_the_method() {
    let (_place, server) = server().await;
    let customer = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let path = format!("/v1/customers/{}", customer["id"].as_str().unwrap());
    for method in ["delete", "DELETE", "get", "put", "patch"] {
        let form = server.request(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        let answer = send(form.body(format!("_method={method}"))).await;
        assert_error(&answer, 415, "unsupported_media_type");
    }
    let form = server.request(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
    assert_error(&send(form.body("&_method=delete")).await, 415, "unsupported_media_type");
    assert_eq!(server.get(&path).await.expect(200)["status"], "published");
}
