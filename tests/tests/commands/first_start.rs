//! What a start makes: a database, a first key, files for their owner alone; and what makes none.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::Duration,
};

use patron_tests::{
    patron::{Backend, KEY, Place, send},
    requests::minimal,
    wait::until,
};
use reqwest::Method;
use rstest::rstest;
use serde_json::Value;

use super::assert_refused;

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
    let other = "sk_another_key_0123456789abcdefghijklmno";
    let server = place.serve_with(&[("PATRON_BOOTSTRAP_KEY", other)]);
    assert_eq!(send(server.request_as(other, Method::GET, "/v1/customers/external/x")).await.status, 401);
    assert_eq!(send(server.request_as(KEY, Method::GET, "/v1/customers/external/x")).await.status, 404);
}

#[rstest]
#[tokio::test]
async fn a_lost_key_has_a_way_back(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    let first_key =
        place.path().join(if backend == Backend::Sqlite { "patron.db.first-key" } else { "patron.first-key" });
    // The lines in front of the address are those of the first start.
    let log = place.path().join("log");
    let mut server = place.command(&["serve", "--port", "0"]);
    let mut server = server.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    let mut told = String::new();
    for _ in 0..200 {
        told = std::fs::read_to_string(&log).unwrap();
        if told.contains("Patron listens on") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let _ = server.kill();
    let _ = server.wait();
    assert!(
        first_key.exists() && told.contains(first_key.to_str().unwrap()) && told.contains("delete the file"),
        "{told}"
    );

    let command = told.split("create another: ").nth(1).unwrap().split(['"', '(']).next().unwrap().to_owned();
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).env_clear().current_dir("/");
    if backend == Backend::Postgres {
        shell.env("PATRON_DATABASE_URL", place.database_url());
    }
    let output = shell.output().unwrap();
    let key = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let server = place.serve();
    send(server.request_as(&key, Method::GET, "/v1/secrets/api/keys")).await.expect(200);
}

#[tokio::test]
async fn an_occupied_port_is_reported_and_loses_no_key() {
    let place = Place::fresh(Backend::Sqlite).await;
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    assert_refused(&place.run(&["serve", "--port", &port]), 1, &["127.0.0.1", &port, "PATRON_PORT"]);
    assert!(!place.path().join("patron.db.first-key").exists(), "no key was made, so none is lost");
    let _server = place.serve();
}

#[tokio::test]
async fn only_the_server_or_an_explicit_flag_creates_a_database() {
    let place = Place::fresh(Backend::Sqlite).await;
    let file = place.path().join("patron.db");
    let file = file.to_str().unwrap();
    for arguments in [
        &["migrate"][..],
        &["keys", "list"],
        &["keys", "create", "--name", "k", "--role", "all_reader"],
        &["tenants", "list"],
        &["tenants", "create", "--name", "T"],
        &["environments", "list"],
        &["events", "tail"],
        &["events", "export"],
        &["customers", "generate", "--count", "1"],
        &["onboarding", "list"],
        &["webhooks", "replay", "wh_01JDG3W9Z5X0M8R2K7T4B6Q1NE", "--failed"],
    ] {
        let output = place.run(arguments);
        assert_refused(
            &output,
            1,
            &[file, "--database-url", "PATRON_DATABASE_URL", "patron serve", "--create-database"],
        );
        // By its default name too, in a folder that has none.
        let output = place.command(arguments).env_remove("PATRON_DATABASE_URL").output().unwrap();
        assert_refused(&output, 1, &[file]);
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "nothing was made");
    let tenant = place.run_ok(&["tenants", "create", "--name", "T", "--create-database"]);
    assert!(place.run_ok(&["tenants", "list"]).contains(tenant.trim()));
}

#[tokio::test]
async fn the_files_of_a_database_are_private() {
    let place = Place::fresh(Backend::Sqlite).await;
    let program = place.command(&[]).get_program().to_owned();
    // The same program with the most generous umask; it ends by itself when the port is taken.
    let mut shell = Command::new("sh");
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    shell.args(["-c", "umask 000; exec \"$0\" serve --port \"$1\""]).arg(program).arg(port);
    shell.env_clear().env("PATRON_DATABASE_URL", place.database_url()).current_dir(place.path());
    assert_eq!(shell.output().unwrap().status.code(), Some(1));
    let server = place.serve();
    let mode = |name: &str| std::fs::metadata(place.path().join(name)).unwrap().permissions().mode() & 0o777;
    for name in ["patron.db", "patron.db-wal", "patron.db-shm", "patron.db.lock"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    drop(server);
    assert!(!place.serve().log().join("\n").contains("chmod"));
    let opened = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(place.path().join("patron.db"), opened).unwrap();
    let output =
        place.command(&["serve", "--port", &occupied.local_addr().unwrap().port().to_string()]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(log.contains("other users of this machine can read") && log.contains("chmod 600"), "{log}");
}

#[rstest]
#[tokio::test]
async fn migrate_prepares_a_database_and_does_no_harm_twice(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let mut advice = "patron tenants create";
    if backend == Backend::Sqlite {
        let _ = place.run_ok(&["tenants", "create", "--name", "T", "--create-database"]);
        advice = "patron environments create";
    }
    for _ in 0..2 {
        assert!(place.run_ok(&["migrate"]).contains("up to date"));
    }
    assert_refused(&place.run(&["keys", "list"]), 1, &["no environment", advice]);
}

#[rstest]
#[tokio::test]
async fn a_database_of_a_newer_patron_is_left_alone(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = Place::fresh(backend).await;
    drop(place.serve());
    place.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')").await;
    assert_refused(&place.run(&["serve", "--port", "0"]), 1, &["newer Patron", "99990101000000"]);
}

#[rstest]
#[tokio::test]
async fn servers_that_start_at_once_migrate_and_bootstrap_once(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = Place::fresh(backend).await;
    let arguments: &[&str] = match backend {
        Backend::Sqlite => &["tenants", "create", "--name", "T", "--create-database"],
        Backend::Postgres => &["migrate"],
    };
    let starts: Vec<_> = (0..4).map(|_| place.command(arguments).spawn().unwrap()).collect();
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
async fn on_a_terminal_the_first_start_prints_a_command_that_creates_a_customer() {
    let place = Place::fresh(Backend::Sqlite).await;
    let program = place.command(&[]).get_program().to_str().unwrap().to_owned();
    let printed = place.path().join("printed");
    // `script` gives it a terminal; a server whose terminal goes away ends.
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--flush", "--command", &format!("'{program}' serve --port 0")]).arg(&printed);
    terminal.env("PATRON_DATABASE_URL", place.database_url()).current_dir(place.path());
    let mut terminal = terminal.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let told = until(async || {
        let told = std::fs::read_to_string(&printed).unwrap_or_default().replace('\r', "");
        if told.contains("Patron listens on") { Ok(told) } else { Err(told) }
    })
    .await;
    let from = told.find("curl --request POST").expect("a command");
    let command = &told[from..from + told[from..].find("\n  }'").expect("its end") + "\n  }'".len()];
    let output = Command::new("bash").args(["-c", command]).output().unwrap();
    let _ = terminal.kill();
    let _ = terminal.wait();
    let customer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(customer["external_id"], "acme-1", "{command}");
    assert!(!place.path().join("patron.db.first-key").exists(), "the key was shown");
}
