//! The token that stops two systems from creating each other's customers in a loop.

use patron_tests::{
    patron::{Answer, Backend, KEY, Place, Server, send},
    requests::minimal,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{QUICK, SETTING, TOKEN, create, crm, put, until, workflow};

/// Creates with `POST` and with `PUT` that echo a token.
async fn echoing(server: &Server, key: &str, external_id: &str, token: &str) -> [Answer; 2] {
    let post = server.request_as(key, Method::POST, "/v1/customers").json(&minimal(external_id)).header(TOKEN, token);
    let path = format!("/v1/customers/external/{external_id}-2");
    let put = server.request_as(key, Method::PUT, &path).json(&json!({})).header(TOKEN, token);
    [send(post).await, send(put).await]
}

/// A key of another environment of the tenant, with the same workflow.
async fn next_door(server: &Server, workflow: &Value) -> String {
    let there = server.post("/v1/environments", &json!({ "name": "E", "type": "development" })).await.expect(201);
    let key = json!({
        "environment_id": there["id"], "name": "k", "type": "private_key", "roles": ["super_admin"],
    });
    let key = server.post("/v1/secrets/api/keys", &key).await.expect(201)["api_key"].as_str().unwrap().to_owned();
    send(server.request_as(&key, Method::PUT, SETTING).json(workflow)).await.expect(200);
    key
}

#[rstest]
#[tokio::test]
async fn a_create_that_echoes_the_token_starts_no_run_and_other_tokens_are_refused(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (place, crm) = (Place::fresh(backend).await, crm().await);
    let server = place.serve_with(&QUICK);
    let workflow = workflow(&crm.url(), 3);
    let first = put(&server, SETTING, &workflow).await.expect(200);
    let id = create(&server, "first").await;
    let token = crm.wait_for(1).await[0].header(TOKEN).to_owned();
    until(&server, &id, "succeeded").await;
    for echo in echoing(&server, KEY, "echo", &token).await {
        let made = echo.expect(201);
        let path = format!("/v1/customers/{}/onboarding", made["id"].as_str().unwrap());
        assert_eq!(server.get(&path).await.status, 404, "a create with the token must start no run");
    }
    // A new secret applies to later runs. The token of this run stays valid.
    let mut rotated = workflow.clone();
    rotated["rotate_secret"] = json!(true);
    assert_ne!(put(&server, SETTING, &rotated).await.expect(200)["secret"], first["secret"]);
    for echo in echoing(&server, KEY, "later", &token).await {
        echo.expect(201);
    }

    let (run, proof) = token.split_once('.').unwrap();
    let other = create(&server, "other").await.replace("cust_", "onb_");
    let forged = format!("{run}.{}", "0".repeat(64));
    let transferred = format!("{other}.{proof}");
    let elsewhere = next_door(&server, &workflow).await;
    let own = KEY;
    let made_up = [(own, run), (own, &forged), (own, &transferred), (own, "onb_1.x"), (&elsewhere, &token)];
    for (key, token) in made_up {
        for refused in echoing(&server, key, "refused", token).await {
            assert_eq!((refused.status, refused.error()), (400, ("validation_error", vec![TOKEN_AS_TOLD])), "{token}");
        }
    }
    assert_eq!(server.get("/v1/customers/external/refused").await.status, 404);
    assert_eq!(server.get("/v1/customers/external/refused-2").await.status, 404);
}

const TOKEN_AS_TOLD: &str = "X-Patron-Onboarding-Run";
