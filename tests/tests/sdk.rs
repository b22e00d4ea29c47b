//! The flows of Flexprice's official SDKs through the real program, over both databases. `tests/sdk` installs the SDKs
//! and runs this; elsewhere it is ignored, as it needs Python, Node.js and the package registries.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use patron_tests::patron::{Backend, KEY, Place};
use rstest::rstest;

/// Where `tests/sdk` put the SDKs.
fn installed() -> PathBuf {
    env::var_os("PATRON_TEST_SDKS").expect("tests/sdk installs the SDKs and runs this").into()
}

/// Runs a command that asks a fresh server, until it ends well.
async fn run(backend: Backend, mut flows: Command) {
    let place = Place::fresh(backend).await;
    let server = place.serve();
    println!("{backend:?}:");
    let status = flows.env("PATRON_URL", server.base()).env("PATRON_KEY", KEY).status().expect("it starts");
    assert!(status.success(), "{flows:?} failed over {backend:?}: {status}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/sdk runs it"]
async fn python(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let mut flows = Command::new(installed().join("python/bin/python"));
    flows.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk_flows/flows.py"));
    run(backend, flows).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests/sdk runs it"]
async fn javascript(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let mut flows = Command::new("node");
    flows.arg(installed().join("javascript/flows.mjs"));
    run(backend, flows).await;
}

/// The numbers by which the checks of tax ids are tested come from python-stdnum, which has to judge them so still.
#[test]
#[ignore = "tests/sdk runs it"]
fn tax_ids() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut judge = Command::new(installed().join("python/bin/python"));
    judge.arg(here.join("tax_ids/vectors.py")).arg("check");
    let status = judge.arg(here.join("../domain/src/customer/items/tax_ids.tsv")).status().expect("it starts");
    assert!(status.success(), "{judge:?}: {status}");
}
