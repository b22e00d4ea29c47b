//! Steps, from the first call to the final event, or to a failure that a person retries.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use patron_tests::{
    patron::{Backend, Place},
    receiver::{Receiver, Reply},
    requests::minimal,
    wait,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{QUICK, SETTING, TOKEN, amend, create, crm, events, known_as, put, run, until, workflow};

#[rstest]
#[tokio::test]
async fn a_create_leads_to_a_signed_call_and_a_mapping(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let (place, crm) = (Place::fresh(backend).await, crm().await);
    let server = place.serve_with(&QUICK);
    let unset = server.get(SETTING).await.expect(200);
    assert_eq!(unset["value"], json!({ "steps": [], "actions": [] }));
    let before = create(&server, "before").await;
    let set = put(&server, SETTING, &workflow(&crm.url(), 3)).await.expect(200);
    let secret = set["secret"].as_str().unwrap();
    let read = server.get(SETTING).await.expect(200);
    assert_eq!((&read["value"], &read["secret"]), (&set["value"], &Value::Null));
    let created = server.post("/v1/customers", &minimal("acme")).await.expect(201);
    let id = created["id"].as_str().unwrap();
    let done = until(&server, id, "succeeded").await;
    assert_eq!((&done["step"], &done["attempts"], &done["last_error"]), (&json!(2), &json!(0), &Value::Null));
    let calls = crm.wait_for(1).await;
    assert!(calls[0].is_signed_with(secret), "{:?}", calls[0]);
    let run = done["id"].as_str().unwrap();
    assert!(calls[0].header(TOKEN).starts_with(run) && calls[0].header("webhook-id").starts_with(run));
    assert_eq!(calls[0].json()["customer"], created);
    let found = server.get(&format!("/v1/customers/{id}")).await.expect(200);
    assert_eq!(found["integrations"][0]["provider_entity_id"], "crm-0");
    // The final event is written a moment later than the state of the run.
    let all = wait::until(async || {
        let seen = events(&server, id).await;
        if seen.len() < 3 { Err(seen) } else { Ok(seen) }
    });
    assert_eq!(all.await, ["customer.created", "customer.integration_linked", "customer.onboarding_completed"]);
    // A customer created before the workflow has no run.
    assert_eq!(server.get(&format!("/v1/customers/{before}/onboarding")).await.status, 404);
    assert_eq!(crm.all().len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_failed_run_is_listed_and_continues_when_it_is_retried(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&QUICK);
    let crm = Receiver::answering(|number, _| if number < 4 { Reply::status(503) } else { known_as(number) }).await;
    put(&server, SETTING, &workflow(&crm.url(), 2)).await.expect(200);
    let id = create(&server, "acme").await;
    let failed = until(&server, &id, "failed").await;
    assert_eq!((&failed["attempts"], &failed["last_error"]["code"]), (&json!(2), &json!("status_503")));
    let listed = server.get("/v1/onboarding/runs?state=failed&limit=1").await.expect(200);
    assert_eq!((&listed["items"][0]["customer_id"], listed["items"].as_array().unwrap().len()), (&json!(id), 1));
    assert_eq!(server.get("/v1/onboarding/runs?state=lost").await.status, 400);
    let retried = amend(&server, &id, "retry").await.expect(200);
    assert_eq!((&retried["state"], &retried["attempts"]), (&json!("pending"), &json!(0)));
    until(&server, &id, "failed").await;
    // The command line can list and retry it too.
    assert!(place.run_ok(&["onboarding", "list"]).contains(&id));
    assert!(place.run_ok(&["onboarding", "retry", &id]).contains("continues at step"));
    until(&server, &id, "succeeded").await;
    assert_eq!(amend(&server, &id, "retry").await.status, 400);
    assert_eq!(amend(&server, &id, "cancel").await.status, 400);
    let ids: Vec<_> = crm.all().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    assert!(ids.len() == 5 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn private_addresses_are_not_called() {
    let (place, crm) = (Place::fresh(Backend::Sqlite).await, crm().await);
    let server = place.serve();
    put(&server, SETTING, &workflow(&crm.url(), 1)).await.expect(200);
    let id = create(&server, "acme").await;
    let failed = until(&server, &id, "failed").await;
    assert_eq!((&failed["last_error"]["code"], crm.all().len()), (&json!("address_refused"), 0));
}

#[rstest]
#[tokio::test]
async fn errors_reveal_no_answers_and_no_secrets(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let server = place.serve_with(&QUICK);
    let told = |_: usize, _: &Value| Reply { body: b"ada@acme.example has no account".to_vec(), ..Reply::status(422) };
    let crm = Receiver::answering(told).await;
    let url = format!("{}?token=topsecret", crm.url());
    let set = put(&server, SETTING, &workflow(&url, 1)).await.expect(200);
    let id = create(&server, "acme").await;
    let failed = until(&server, &id, "failed").await;
    let error = failed["last_error"].to_string();
    assert!(error.contains("422"), "{error}");
    let listed = place.run_ok(&["onboarding", "list"]);
    let log = server.log().join("\n");
    for secret in ["ada@", "topsecret", set["secret"].as_str().unwrap()] {
        assert!(
            !error.contains(secret) && !listed.contains(secret) && !log.contains(secret),
            "{error}\n{listed}\n{log}"
        );
    }
    let kept = "SELECT count(*) FROM onboarding_runs WHERE CAST(document AS TEXT) LIKE '%ada@%' \
                OR CAST(document AS TEXT) LIKE '%account%'";
    assert_eq!(place.number(kept).await, 0);
    assert_eq!(run(&server, &id).await["state"], "failed");
}

#[rstest]
#[tokio::test]
async fn a_host_that_asks_to_wait_is_not_called_until_then(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = times.clone();
    let crm = Receiver::answering(move |number, _| {
        noted.lock().unwrap().push(Instant::now());
        match number {
            0 => Reply { headers: "Retry-After: 4\r\n".to_owned(), ..Reply::status(503) },
            _ => known_as(number),
        }
    })
    .await;
    let server = place.serve_with(&QUICK);
    put(&server, SETTING, &workflow(&crm.url(), 5)).await.expect(200);
    let first = create(&server, "first").await;
    crm.wait_for(1).await;
    let second = create(&server, "second").await;
    for customer in [&first, &second] {
        until(&server, customer, "succeeded").await;
    }
    let times = times.lock().unwrap().clone();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= Duration::from_millis(3_900), "{:?}", times[1] - times[0]);
}
