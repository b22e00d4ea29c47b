//! The public API of `patron-domain` is intentional, has examples, and needs few dependencies.

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::LazyLock};

use patron_tests::surface::{Item, of_domain};

static ITEMS: LazyLock<Vec<Item>> = LazyLock::new(of_domain);

/// The list of public items. To update it, run `UPDATE_PUBLIC_ITEMS=1 tests/run --test stores surface`.
const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/public-items.txt");

#[test]
fn the_public_items_match_the_list() {
    let mut now = String::new();
    for item in ITEMS.iter() {
        now.push_str(&item.name);
        now.push('\n');
        item.lines.iter().for_each(|line| now.push_str(&format!("    {line}\n")));
    }
    if std::env::var_os("UPDATE_PUBLIC_ITEMS").is_some() {
        fs::write(LIST, &now).unwrap();
    }
    let listed = fs::read_to_string(LIST).unwrap_or_default();
    let (listed, found) = (with_their_items(&listed), with_their_items(&now));
    let gone: Vec<_> = listed.difference(&found).map(|line| format!("- {line}")).collect();
    let new: Vec<_> = found.difference(&listed).map(|line| format!("+ {line}")).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "the public items have changed; if that is intended, run `UPDATE_PUBLIC_ITEMS=1 tests/run --test stores surface`\n{}",
        [gone, new].concat().join("\n")
    );
}

/// Each line of a list, prefixed with its item.
fn with_their_items(list: &str) -> BTreeSet<String> {
    let mut item = "";
    let mut lines = BTreeSet::new();
    for line in list.lines() {
        match line.strip_prefix("    ") {
            Some(line) => lines.insert(format!("{item}: {line}")),
            None => {
                item = line;
                lines.insert(line.to_owned())
            }
        };
    }
    lines
}

#[test]
fn every_public_type_has_an_example() {
    let is_type = |item: &&Item| ["struct ", "enum ", "trait ", "type "].iter().any(|kind| item.name.starts_with(kind));
    let without: Vec<_> =
        ITEMS.iter().filter(is_type).filter(|item| !item.has_example).map(|item| &item.name).collect();
    assert!(ITEMS.len() > 150, "only {} items were found", ITEMS.len());
    assert!(without.is_empty(), "{} types have no example: {without:#?}", without.len());
}

/// The packages in the dependency tree of the domain crate, including itself, with the given features.
fn tree(features: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--package", "patron-domain", "--edges", "normal,build", "--prefix", "none"]);
    cargo.args(["--no-default-features", "--features", &features.join(",")]).args(["--format", "{p}"]);
    let output = cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let package = |line: &str| line.trim_end_matches(" (*)").split(" (").next().unwrap_or_default().to_owned();
    lines.lines().filter(|line| !line.is_empty()).map(package).collect()
}

#[test]
fn the_dependency_tree_is_small_without_features() {
    let packages = tree(&[]);
    assert!((5..=40).contains(&packages.len()), "{} packages: {packages:#?}", packages.len());
}

#[test]
fn the_dependency_tree_has_no_database_server_or_runtime() {
    let heavy = [
        "async-std",
        "axum",
        "diesel",
        "hyper",
        "libsqlite3",
        "mio",
        "patron-adapters",
        "rocket",
        "smol",
        "sqlx",
        "tokio",
    ];
    for package in tree(&["mock", "serde", "testkit"]) {
        assert!(!heavy.iter().any(|name| package.starts_with(name)), "{package} is in the tree of patron-domain");
    }
    for item in ITEMS.iter() {
        for line in &item.lines {
            let foreign = ["diesel", "rocket", "tokio"].iter().find(|name| line.to_lowercase().contains(*name));
            assert_eq!(foreign, None, "{}: {line}", item.name);
        }
    }
}
