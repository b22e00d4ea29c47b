//! The command line: keys, tenants, environments, receiving webhooks, logs, and the end.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
    time::{Duration, Instant},
};

use futures::future::join_all;
use patron_tests::{
    patron::{Backend, KEY, Place, Signal, provide_cryptography, send, signal},
    receiver::Receiver,
    requests::minimal,
    wait::TIMEOUT,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::Value;

use super::assert_refused;

#[rstest]
#[tokio::test]
async fn tenants_environments_and_keys_are_created_beside_a_running_server(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    let tenant = place.run_ok(&["tenants", "create", "--name", "Second"]).trim().to_owned();
    assert!(tenant.starts_with("tenant_"));
    let arguments = ["environments", "create", "--tenant", &tenant, "--name", "Live", "--type", "production", "--json"];
    let environment: Value = serde_json::from_str(&place.run_ok(&arguments)).unwrap();
    assert_eq!((&environment["type"], &environment["tenant_id"]), (&"production".into(), &tenant.clone().into()));
    let environment = environment["id"].as_str().unwrap();
    let arguments = ["keys", "create", "--environment", environment, "--name", "k", "--role", "all_writer"];
    let output = place.run(&arguments);
    assert!(output.status.success());
    let key = String::from_utf8(output.stdout).unwrap();
    assert_eq!(key.lines().count(), 1, "the key alone, so that a script can take it");
    let created = send(server.request_as(key.trim(), Method::POST, "/v1/customers").json(&minimal("acme"))).await;
    assert_eq!(created.expect(201)["environment_id"], environment);

    let list = place.run_ok(&["keys", "list", "--environment", environment]);
    assert!(list.contains("all_writer") && !list.contains(key.trim()), "{list}");
    let list: Value =
        serde_json::from_str(&place.run_ok(&["keys", "list", "--environment", environment, "--json"])).unwrap();
    let id = list[0]["id"].as_str().unwrap();
    let rotated = place.run_ok(&["keys", "rotate", id, "--overlap-seconds", "3600"]);
    for key in [&key, &rotated] {
        assert_eq!(send(server.request_as(key.trim(), Method::GET, "/v1/customers")).await.status, 200);
    }
    let first = place.run_ok(&["keys", "revoke", id]);
    assert_eq!(place.run_ok(&["keys", "revoke", id]), first, "a second time changes nothing");
    let tenants: Value = serde_json::from_str(&place.run_ok(&["tenants", "list", "--json"])).unwrap();
    assert_eq!(tenants.as_array().unwrap().len(), 2);
    let table = place.run_ok(&["environments", "list", "--tenant", &tenant]);
    assert!(table.contains(environment) && table.contains("Live"), "{table}");

    // Where there are several, the message lists them.
    let output = place.run(&["keys", "create", "--name", "k", "--role", "all_writer"]);
    assert_refused(&output, 2, &["--environment", environment, "Live, production, of Second", "of Default"]);
    let output = place.run(&["environments", "create", "--name", "E", "--type", "production"]);
    assert_refused(&output, 2, &["--tenant", &tenant, "Second", "Default"]);
    let output = place.run(&["keys", "create", "--environment", environment, "--name", "", "--role", "all_writer"]);
    assert_refused(&output, 2, &["--name must not be empty"]);
    let arguments = ["keys", "create", "--environment", environment, "--name", "k", "--role", "all_reader"];
    let output = place.run(&[&arguments[..], &["--expires-at", "2020-01-01T00:00:00Z"]].concat());
    assert_refused(&output, 2, &["--expires-at", "future"]);
    let limited = ["--allowed-network", "192.0.2.0/24", "--rate-limit-reads", "5"];
    let key = place.run_ok(&[&arguments[..], &limited].concat());
    let refused = send(server.request_as(key.trim(), Method::GET, "/v1/customers")).await;
    assert_eq!(refused.status, 403, "from outside its network");
    let output = place.run(&[&arguments[..], &["--allowed-network", "here"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--allowed-network"));
    let output = place.run(&["keys", "rotate", id]);
    assert_refused(&output, 1, &["was revoked", "create a new key"]);
    let missing = "secret_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
    assert_refused(&place.run(&["keys", "rotate", missing]), 1, &["no API key", "patron keys list"]);
    assert_refused(&place.run(&["keys", "revoke", missing]), 1, &["no API key", "patron keys list"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_requests_finish_and_exits_with_0() {
    let place = Place::fresh(Backend::Sqlite).await;
    let mut server = place.serve();
    let creates: Vec<_> = (0..200)
        .map(|number| {
            tokio::spawn(send(server.request(Method::POST, "/v1/customers").json(&minimal(&format!("c{number}")))))
        })
        .collect();
    while !creates.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    signal(server.process(), Signal::TERM);
    let mut acknowledged = Vec::new();
    for create in creates {
        // One that was not yet connected may be turned away; one that was answered was answered well.
        if let Ok(answer) = create.await {
            acknowledged.push(answer.expect(201)["id"].clone());
        }
    }
    let status = tokio::task::spawn_blocking(move || server.process().wait().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(!acknowledged.is_empty());
    let server = place.serve();
    for id in acknowledged {
        server.get(&format!("/v1/customers/{}", id.as_str().unwrap())).await.expect(200);
    }
}

#[tokio::test]
async fn logs_name_routes_and_no_personal_data() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve_with(&[("PATRON_LOG_LEVEL", "debug")]);
    let mut body = minimal("private-external-id");
    body["name"] = "Private Name".into();
    body["email"] = "private@example.com".into();
    server.post("/v1/customers", &body).await.expect(201);
    server.get("/v1/customers/external/private-external-id?private=query").await.expect(200);
    server.get("/v1/private-path").await.expect(404);
    let lines = server.log();
    let log = lines.join("\n").to_lowercase();
    assert!(!log.contains("private") && !log.contains(KEY), "{log}");
    assert!(log.contains("/v1/customers/external/<_..>"), "{log}");
    assert!(lines.iter().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object())), "{log}");
}

#[tokio::test]
async fn a_receiver_of_webhooks_ends_when_its_output_is_closed() {
    let place = Place::fresh(Backend::Sqlite).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut listener = place.command(&["webhooks", "listen", "--port", "0"]);
    let mut listener =
        listener.env("PATRON_LISTEN_SECRET", secret).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(listener.stderr.take().unwrap()).lines();
    let url = told.next().unwrap().unwrap().rsplit(' ').next().unwrap().to_owned();
    drop(listener.stdout.take());
    provide_cryptography();
    // Some connections are still being opened when it ends: those that came in time are answered.
    let client = reqwest::Client::new();
    let answers = join_all((0..16).map(|_| client.post(&url).body("{}").send())).await;
    assert!(answers.iter().flatten().all(|answer| answer.status() == 401) && answers.iter().any(Result::is_ok));
    let begun = Instant::now();
    let ended = loop {
        match listener.try_wait().unwrap() {
            Some(ended) => break ended,
            None if begun.elapsed() < TIMEOUT => tokio::time::sleep(Duration::from_millis(50)).await,
            None => {
                listener.kill().unwrap();
                panic!("it goes on");
            }
        }
    };
    let told: Vec<_> = told.collect::<Result<_, _>>().unwrap();
    assert!(ended.success(), "{told:?}");
}

#[tokio::test]
async fn a_receiver_takes_its_secret_from_standard_input_and_from_no_flag() {
    let place = Place::fresh(Backend::Sqlite).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut listener = place.command(&["webhooks", "listen", "--port", "0"]);
    listener.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut listener = listener.spawn().unwrap();
    listener.stdin.take().unwrap().write_all(format!("{secret}\n").as_bytes()).unwrap();
    let line = BufReader::new(listener.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(line.starts_with("receiving on http://127.0.0.1:"), "{line}");
    let _ = listener.kill();
    let _ = listener.wait();

    let output = place.run(&["webhooks", "listen", "--secret", secret]);
    assert_refused(&output, 2, &["--secret", "PATRON_LISTEN_SECRET", "standard input"]);
    let output = place.run(&["webhooks", "listen"]);
    assert_refused(&output, 2, &["standard input", "whsec_", "PATRON_LISTEN_SECRET"]);
    let output = place.command(&["webhooks", "listen"]).env("PATRON_LISTEN_SECRET", "hunter2").output().unwrap();
    assert_refused(&output, 2, &["PATRON_LISTEN_SECRET"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
}

#[rstest]
#[tokio::test]
async fn secrets_are_encrypted_with_a_new_key_and_the_old_one_is_no_longer_needed(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let (old, new) = ("0a".repeat(32), "0b".repeat(32));
    let (place, receiver) = (Place::fresh(backend).await, Receiver::start().await);
    let server = place.serve_with(&[("PATRON_SECRETS_KEY", &old), ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")]);
    let hook = serde_json::json!({ "url": receiver.url() });
    let made = server.post("/v1/webhooks/endpoints", &hook).await.expect(201);
    let (id, secret) = (made["id"].as_str().expect("an id"), made["secret"].as_str().expect("a secret"));
    let call = serde_json::json!({ "type": "http_call", "url": "https://crm.example/customers" });
    let workflow = serde_json::json!({ "value": { "steps": [call] } });
    let put = server.request(Method::PUT, "/v1/settings/customer_onboarding").json(&workflow);
    assert_eq!(send(put).await.status, 200);
    drop(server);

    let rotate = |keys: &str| {
        let mut command = place.command(&["secrets", "rotate"]);
        command.env("PATRON_SECRETS_KEY", keys).output().expect("the program starts")
    };
    // Without the old key nothing changes, and the message says so.
    assert_refused(&rotate(&new), 1, &["2 endpoints, workflows and keys cannot be decrypted"]);
    for told in [
        "of 2 endpoints, workflows and keys with the first key; 0 others already were",
        "of 0 endpoints, workflows and keys with the first key; 2 others already were",
    ] {
        let output = rotate(&format!("{new},{old}"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains(told), "{said}");
    }
    assert_refused(&place.run(&["secrets", "rotate"]), 2, &["PATRON_SECRETS_KEY is not set"]);
    let server = place.serve_with(&[("PATRON_SECRETS_KEY", &new), ("PATRON_WEBHOOKS_ALLOW_PRIVATE", "true")]);
    let path = format!("/v1/webhooks/endpoints/{id}/test");
    send(server.request(Method::POST, &path)).await.expect(200);
    assert!(receiver.all()[0].is_signed_with(secret), "the new key must open it");
}
