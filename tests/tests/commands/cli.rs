//! The command line: first start, keys, tenants, environments, and what a person is told when something is wrong.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use futures::future::join_all;
use patron_tests::{
    patron::{Backend, KEY, Place, Signal, provide_cryptography, send, signal},
    requests::minimal,
    wait::PATIENCE,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::Value;

/// One clear line on standard error, and the exit code.
#[track_caller]
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<_> = told.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert_eq!(lines.len(), 1, "{told}");
    for word in words {
        assert!(lines[0].contains(word), "{word:?} is missing in: {told}");
    }
}

#[tokio::test]
async fn the_first_start_leaves_the_key_in_a_private_file() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve_with(&[("PATRON_BOOTSTRAP_KEY", "")]);
    let path = place.path().join("patron.db.first-key");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let key = std::fs::read_to_string(&path).unwrap();
    let key = key.trim();
    assert!(key.starts_with("sk_") && key.len() == "sk_".len() + 52);
    send(server.request_as(key, Method::POST, "/v1/customers").json(&minimal("acme"))).await.expect(201);
    let log = server.log().join("\n");
    assert!(!log.contains(key), "{log}");
    drop(server);

    // The next start finds its database and leaves the file alone.
    let server = place.serve_with(&[("PATRON_BOOTSTRAP_KEY", "")]);
    send(server.request_as(key, Method::GET, "/v1/customers/external/acme")).await.expect(200);
}

#[tokio::test]
async fn a_key_file_that_cannot_be_written_stops_the_first_start_and_loses_nothing() {
    let place = Place::fresh(Backend::Sqlite).await;
    let path = place.path().join("patron.db.first-key");
    std::fs::write(&path, "another key").unwrap();
    let output = place.command(&["serve", "--port", "0"]).output().unwrap();
    assert_refused(&output, 1, &["patron.db.first-key", "PATRON_BOOTSTRAP_KEY"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "another key");
    std::fs::remove_file(&path).unwrap();
    let _server = place.serve_with(&[("PATRON_BOOTSTRAP_KEY", "")]);
    assert!(path.exists());
}

#[tokio::test]
async fn a_later_start_does_not_take_another_bootstrap_key() {
    let place = Place::fresh(Backend::Sqlite).await;
    drop(place.serve());
    let other = "sk_another_key_0123456789";
    let server = place.serve_with(&[("PATRON_BOOTSTRAP_KEY", other)]);
    assert_eq!(send(server.request_as(other, Method::GET, "/v1/customers/external/x")).await.status, 401);
    assert_eq!(send(server.request_as(KEY, Method::GET, "/v1/customers/external/x")).await.status, 404);
}

#[rstest]
#[tokio::test]
async fn tenants_environments_and_keys_are_made_beside_a_running_server(
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
    let first = place.run_ok(&["keys", "revoke", id]);
    assert_eq!(place.run_ok(&["keys", "revoke", id]), first, "a second time changes nothing");
    let tenants: Value = serde_json::from_str(&place.run_ok(&["tenants", "list", "--json"])).unwrap();
    assert_eq!(tenants.as_array().unwrap().len(), 2);
    let table = place.run_ok(&["environments", "list", "--tenant", &tenant]);
    assert!(table.contains(environment) && table.contains("Live"), "{table}");

    let output = place.run(&["keys", "create", "--name", "k", "--role", "all_writer"]);
    assert_refused(&output, 2, &["--environment", "patron environments list"]);
    let output = place.run(&["environments", "create", "--name", "E", "--type", "production"]);
    assert_refused(&output, 2, &["--tenant", "patron tenants list"]);
    let arguments = ["keys", "create", "--environment", environment, "--name", "k", "--role", "all_reader"];
    let output = place.run(&[&arguments[..], &["--expires-at", "2020-01-01T00:00:00Z"]].concat());
    assert_refused(&output, 2, &["--expires-at", "future"]);
    let missing = "secret_01JDG3W9Z5X0M8R2K7T4B6Q1NE";
    assert_refused(&place.run(&["keys", "revoke", missing]), 1, &["no API key", "patron keys list"]);
}

#[rstest]
#[tokio::test]
async fn migrate_prepares_a_database_and_does_no_harm_twice(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    for _ in 0..2 {
        assert!(place.run_ok(&["migrate"]).contains("up to date"));
    }
    assert_refused(&place.run(&["keys", "list"]), 1, &["no environment", "patron tenants create"]);
}

#[tokio::test]
async fn a_second_server_on_one_file_is_refused() {
    let place = Place::fresh(Backend::Sqlite).await;
    let server = place.serve();
    assert_refused(&place.run(&["serve", "--port", "0"]), 1, &["another Patron server", "patron.db"]);
    // Another name of the same file does not help.
    std::os::unix::fs::symlink(place.path().join("patron.db"), place.path().join("alias.db")).unwrap();
    let output = place.run(&["serve", "--port", "0", "--database-url", "sqlite://alias.db"]);
    assert_refused(&output, 1, &["another Patron server"]);
    server.kill();
    let _next = place.serve();
}

#[tokio::test]
async fn an_occupied_port_is_told_and_loses_no_key() {
    let place = Place::fresh(Backend::Sqlite).await;
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    assert_refused(&place.run(&["serve", "--port", &port]), 1, &["127.0.0.1", &port, "PATRON_PORT"]);
    assert!(!place.path().join("patron.db.first-key").exists(), "no key was made, so none is lost");
    let _server = place.serve();
}

#[tokio::test]
async fn wrong_configuration_is_one_line_and_exit_code_2() {
    let place = Place::fresh(Backend::Sqlite).await;
    std::fs::write(place.path().join("p.toml"), "prot = 1\n").unwrap();
    for (variable, value, words) in [
        ("PATRON_PORT", "seventy", vec!["PATRON_PORT"]),
        ("PATRON_DATABASE_URL", "mysql://root:hunter2@h/d", vec!["PATRON_DATABASE_URL", "sqlite://", "postgres://"]),
        ("PATRON_DATABASE_URL", "patron.db", vec!["PATRON_DATABASE_URL", "sqlite://"]),
        ("PATRON_BOOTSTRAP_KEY", "hunter2", vec!["PATRON_BOOTSTRAP_KEY", "sk_"]),
        ("PATRON_DATABSE_URL", "x", vec!["PATRON_DATABSE_URL", "PATRON_DATABASE_URL"]),
        ("PATRON_CONFIG", "p.toml", vec!["prot", "p.toml"]),
        ("PATRON_CONFIG", "missing.toml", vec!["missing.toml"]),
    ] {
        let output = place.command(&["serve"]).env(variable, value).output().unwrap();
        assert_refused(&output, 2, &words);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
    assert!(!place.path().join("patron.db").exists(), "nothing was made");
    assert_eq!(place.run(&["serv"]).status.code(), Some(2));
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_told_in_one_line() {
    let place = Place::fresh(Backend::Sqlite).await;
    std::fs::write(place.path().join("notes.txt"), "Dear diary, ".repeat(1_000)).unwrap();
    for (url, words) in [
        ("sqlite://missing/patron.db", vec!["missing/patron.db", "No such file"]),
        ("sqlite://notes.txt", vec!["notes.txt", "not a SQLite database"]),
        ("sqlite://.", vec!["SQLite file"]),
        ("postgres://patron:hunter2@127.0.0.1:1/patron", vec!["127.0.0.1:1/patron"]),
    ] {
        let output = place.run(&["serve", "--port", "0", "--database-url", url]);
        assert_refused(&output, 1, &words);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
}

#[rstest]
#[tokio::test]
async fn a_database_of_a_newer_patron_is_left_alone(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let _ = place.run_ok(&["migrate"]);
    place.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')").await;
    assert_refused(&place.run(&["serve", "--port", "0"]), 1, &["newer Patron", "99990101000000"]);
}

#[rstest]
#[tokio::test]
async fn servers_that_start_at_once_migrate_and_bootstrap_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let starts: Vec<_> = (0..4).map(|_| place.command(&["migrate"]).spawn().unwrap()).collect();
    for mut start in starts {
        assert!(start.wait().unwrap().success());
    }
    if backend == Backend::Postgres {
        // Several servers share one PostgreSQL: all know the first key.
        let servers = [place.serve(), place.serve()];
        let tenants: Value = serde_json::from_str(&place.run_ok(&["tenants", "list", "--json"])).unwrap();
        assert_eq!(tenants.as_array().unwrap().len(), 1);
        let created = servers[0].post("/v1/customers", &minimal("acme")).await.expect(201);
        assert_eq!(servers[1].get("/v1/customers/external/acme").await.expect(200), created);
    }
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
async fn a_receiver_of_webhooks_ends_when_nobody_reads_what_it_prints() {
    let place = Place::fresh(Backend::Sqlite).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let mut listener = place.command(&["webhooks", "listen", "--port", "0", "--secret", secret]);
    let mut listener = listener.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
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
            None if begun.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(50)).await,
            None => {
                listener.kill().unwrap();
                panic!("it goes on");
            }
        }
    };
    let told: Vec<_> = told.collect::<Result<_, _>>().unwrap();
    assert!(ended.success(), "{told:?}");
}
