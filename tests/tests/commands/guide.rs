//! The commands of `docs/api.md`, run one after the other on a fresh server, as a reader would.

use std::{
    fs,
    process::{Command, Stdio},
};

use patron_tests::patron::{Backend, KEY, Place};
use rstest::rstest;

/// Tells each answer's status on standard error, also where the guide throws the answer away.
const CURL: &str = r#"curl() { command curl --silent --show-error "$@" --write-out '%{stderr}%{http_code}\n'; }"#;

/// The statuses of the refusals that the guide shows, in their order.
const REFUSALS: [u16; 3] = [412, 400, 409];

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_command_works(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let guide = include_str!("../../../docs/api.md");
    let blocks = guide.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    // We start the server ourselves, on a port of its own.
    let blocks: Vec<_> = blocks.filter(|block| !block.contains("cargo run")).collect();
    let place = Place::fresh(backend).await;
    let server = place.serve();
    fs::write(place.path().join("patron.db.first-key"), KEY).unwrap();
    let script = format!("{CURL}\n{}", blocks.join("\n").replace("http://127.0.0.1:8080", server.base()));

    let mut shell = Command::new("bash");
    shell.args(["-euc", &script]).current_dir(place.path()).stdin(Stdio::null());
    let output = shell.output().expect("bash starts");
    let (answers, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{answers}");
    let statuses: Vec<u16> = told.lines().map(|line| line.parse().unwrap_or_else(|_| panic!("{told}"))).collect();
    assert!(statuses.len() >= script.matches("curl -").count(), "{told}");
    let refusals: Vec<_> = statuses.iter().copied().filter(|status| *status >= 400).collect();
    assert_eq!(refusals, REFUSALS, "{answers}");
}
