//! Runs every command of README.md and of the pages of `docs/`: in the order of the page, in an empty folder, with the
//! program under test. Module `page` describes the marks for expected results.

mod page;
mod reader;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use patron_tests::patron::{Backend, Place};
use rstest::rstest;

use self::reader::Reader;

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// The number of pages below a folder.
fn count(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let pages = |path: PathBuf| match path.is_dir() {
        true => count(&path),
        false => usize::from(path.extension().is_some_and(|extension| extension == "md")),
    };
    entries.map(pages).sum()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A reader who follows README.md, and then one page.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_page_works_after_readme(
    #[files("../docs/**/*.md")] page: PathBuf,
    #[values(Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let mut reader = Reader::new(backend).await;
    tokio::task::block_in_place(|| {
        reader.follow("README.md", &read(&root().join("README.md")));
        reader.follow(&page.display().to_string(), &read(&page));
    });
}

/// A reader who follows all pages in the order of README.md, beside one server.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_pages_work_one_after_the_other(#[values(Backend::Sqlite, Backend::Postgres)] backend: Backend) {
    let readme = read(&root().join("README.md"));
    let list = readme.split("\n## Read on\n").nth(1).expect("the list of pages");
    let pages: Vec<_> =
        list.split("](docs/").skip(1).filter_map(|rest| rest.split_once(".md)")).map(|(name, _)| name).collect();
    assert_eq!(
        pages.iter().collect::<BTreeSet<_>>().len(),
        count(&root().join("docs")),
        "README.md lists every page: {pages:?}"
    );
    let mut reader = Reader::new(backend).await;
    tokio::task::block_in_place(|| {
        reader.follow("README.md", &readme);
        for name in &pages {
            reader.follow(name, &read(&root().join(format!("docs/{name}.md"))));
        }
    });
}

/// Variables that are not settings of the program: those of Kubernetes, tests and benchmarks.
const NO_SETTINGS: [&str; 2] = ["PATRON_SERVICE_HOST", "PATRON_CRASH_ROUNDS"];

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn pages_name_only_existing_settings() {
    let place = Place::fresh(Backend::Sqlite).await;
    let known = [&["serve", "--help"][..], &["webhooks", "listen", "--help"]].map(|help| place.run_ok(help)).concat();
    let known: BTreeSet<_> = names(&known).collect();
    for path in files(&root().join("docs")).into_iter().chain([root().join("README.md")]) {
        let text = read(&path);
        for name in names(&text).filter(|name| !name.ends_with('_') && !name.starts_with("PATRON_TEST_")) {
            assert!(known.contains(name) || NO_SETTINGS.contains(&name), "{}: {name}", path.display());
        }
    }
}

/// The names of variables in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_uppercase() || c == '_';
    text.split(move |c| !is_part(c)).filter(|word| word.starts_with("PATRON_"))
}
