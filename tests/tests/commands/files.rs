//! `patron customers import` and `export`

use patron_tests::patron::{Backend, Place};
use rstest::rstest;

use super::assert_refused;

/// Starts a server once, which creates the first environment.
async fn place(backend: Backend) -> Place {
    let place = Place::fresh(backend).await;
    drop(place.serve());
    place
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_without_a_server_and_exported_again(
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let place = place(backend).await;
    let file = place.path().join("customers.csv");
    let path = file.to_str().unwrap();
    let rows: String = (0..300).map(|number| format!("c{number},Name {number}\n")).collect();
    std::fs::write(&file, format!("external_id,name\n{rows}")).unwrap();
    let dry = place.run_ok(&["customers", "import", path, "--dry-run"]);
    assert!(dry.contains(" ready: 300 created, 0 updated, 0 unchanged, 0 failed"), "{dry}");
    assert!(dry.contains("row 1: created c0"), "{dry}");
    assert_eq!(place.number("SELECT count(*) FROM customers").await, 0);
    let ready = place.run_ok(&["customers", "import", path, "--confirm"]);
    let id = ready.split(' ').next().unwrap();
    assert!(ready.contains(&format!("patron customers import --resume {id}")), "{ready}");
    let done = place.run_ok(&["customers", "import", "--resume", id]);
    assert!(done.starts_with(&format!("{id} completed: 300 created")), "{done}");
    let again = place.run_ok(&["customers", "import", path, "--mode", "upsert"]);
    assert!(again.contains("300 unchanged"), "{again}");

    let export = place.path().join("export.csv");
    let told =
        place.run_ok(&["customers", "export", "--output", export.to_str().unwrap(), "--columns", "external_id,name"]);
    assert_eq!(told, "");
    // Customers of one step of an import have no order among themselves.
    let lines_of = |file: &std::path::Path| -> std::collections::BTreeSet<String> {
        std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
    };
    assert_eq!(lines_of(&export), lines_of(&file));
    let lines = place.run_ok(&["customers", "export"]);
    assert_eq!(lines.lines().count(), 300);
    let output = place.run(&["customers", "export", "--output", export.to_str().unwrap()]);
    assert_refused(&output, 1, &["cannot be created"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let place = place(backend).await;
    let file = place.path().join("customers.csv");
    let path = file.to_str().unwrap();
    let import = |flags: &[&str]| place.run(&[&["customers", "import"], flags].concat());
    assert_refused(&import(&[path]), 1, &["cannot be read"]);
    std::fs::write(&file, "external_id,colour\na,red\n").unwrap();
    assert_refused(&import(&[path]), 1, &["the columns colour are unknown"]);
    assert_refused(&import(&[path, "--columns", "x"]), 2, &["--columns: must be a JSON object"]);
    std::fs::write(&file, "external_id,email\na,nobody\nb,\n").unwrap();
    let output = import(&[path]);
    assert_refused(&output, 1, &["1 of 2 rows failed"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("completed_with_errors: 1 created") && shown.contains("line 2: email: "), "{shown}");
    let refused = place.run(&["customers", "import", "--resume", "imp_01JDG3W9Z5X0M8R2K7T4B6Q1NE"]);
    assert_refused(&refused, 1, &["there is no import with this id"]);
}
