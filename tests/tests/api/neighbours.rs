//! Slow receivers, names and searches of one tenant do not block another.

use std::time::Duration;

use patron_tests::{
    names::NameServer,
    patron::{Answer, Backend, Place, Server, send},
    receiver::{Receiver, Reply},
    requests::minimal,
    wait,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

/// Creates another environment, and returns a key for it.
async fn another_environment(server: &Server) -> String {
    let body = json!({ "name": "Quiet", "type": "development" });
    let made = server.post("/v1/environments", &body).await.expect(201);
    let body = json!({
        "name": "Quiet", "type": "private_key", "environment_id": made["id"], "roles": ["super_admin"],
    });
    let made = server.post("/v1/secrets/api/keys", &body).await.expect(201);
    made["api_key"].as_str().unwrap().to_owned()
}

async fn ask(server: &Server, key: &str, method: Method, path: &str, body: &Value) -> Answer {
    send(server.request_as(key, method, path).json(body)).await
}

#[rstest]
#[tokio::test]
async fn a_host_that_does_not_answer_does_not_delay_the_onboarding_of_others(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&[("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"), ("PATRON_ONBOARDING_CONCURRENCY", "4")]);
    let never = Reply { after: Duration::from_secs(3_600), ..Reply::status(200) };
    let (slow, quick) = (Receiver::answering(move |_, _| never.clone()).await, Receiver::start().await);
    let quiet = another_environment(&server).await;
    let workflow = |url: String| json!({ "value": { "steps": [{ "type": "http_call", "url": url }] } });
    let setting = "/v1/settings/customer_onboarding";
    send(server.request(Method::PUT, setting).json(&workflow(slow.url()))).await.expect(200);
    ask(&server, &quiet, Method::PUT, setting, &workflow(quick.url())).await.expect(200);
    for number in 0..100 {
        server.post("/v1/customers", &minimal(&format!("loud-{number}"))).await.expect(201);
    }
    slow.wait_for(3).await;

    // Behind a hundred runs of ten seconds each, four at a time, these would wait for minutes.
    for number in 0..5 {
        let body = minimal(&format!("quiet-{number}"));
        let made = ask(&server, &quiet, Method::POST, "/v1/customers", &body).await.expect(201);
        let path = format!("/v1/customers/{}/onboarding", made["id"].as_str().unwrap());
        wait::until(async || {
            let run = send(server.request_as(&quiet, Method::GET, &path)).await.expect(200);
            if run["state"] == "succeeded" { Ok(()) } else { Err(run) }
        })
        .await;
    }
    assert_eq!(quick.count(), 5);
    assert!(slow.count() <= 20, "{} calls to a host that does not answer", slow.count());
}

#[rstest]
#[tokio::test]
async fn unresolved_names_do_not_delay_the_webhooks_of_others(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let names = NameServer::start().address().to_string();
    let place = Place::fresh(backend).await;
    let server = place
        .serve_with(&[("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true"), ("PATRON_WEBHOOKS_NAME_SERVERS", names.as_str())]);
    let (quiet, receiver) = (another_environment(&server).await, Receiver::start().await);
    let endpoints = "/v1/webhooks/endpoints";
    for number in 0..50 {
        let url = format!("http://slow{number}.patron.test:9/");
        server.post(endpoints, &json!({ "url": url })).await.expect(201);
    }
    let url = receiver.url().replace("127.0.0.1", "quiet.patron.test");
    let endpoint = ask(&server, &quiet, Method::POST, endpoints, &json!({ "url": url })).await.expect(201);
    for number in 0..20 {
        server.post("/v1/customers", &minimal(&format!("loud-{number}"))).await.expect(201);
    }
    for number in 0..20 {
        let body = minimal(&format!("quiet-{number}"));
        ask(&server, &quiet, Method::POST, "/v1/customers", &body).await.expect(201);
        receiver.wait_for(number + 1).await;
    }
    let path = format!("{endpoints}/{}/deliveries?limit=1000", endpoint["id"].as_str().unwrap());
    wait::until(async || {
        let found = send(server.request_as(&quiet, Method::GET, &path)).await.expect(200);
        let done = found["items"].as_array().unwrap();
        let first = done.iter().filter(|one| one["status"] == "delivered" && one["attempts"] == 1).count();
        if first == 20 { Ok(()) } else { Err(found) }
    })
    .await;
}
