//! The public API of `patron-domain`, read from its documentation as rendered by rustdoc.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// A public item.
#[derive(Debug)]
pub struct Item {
    /// Its kind and path, such as `struct customer::Email`.
    pub name: String,
    /// Its declaration, its methods, and the traits it implements, one a line.
    pub lines: Vec<String>,
    /// Whether its own description has an example.
    pub has_example: bool,
}

/// Members that mockall generates for every mock.
const MADE: [&str; 3] = ["checkpoint", "expect_", "pub fn new() -> Self"];

/// Every public item of the crate, with all its features, in the order of their names.
///
/// # Panics
/// When the documentation cannot be made or read.
#[must_use]
pub fn of_domain() -> Vec<Item> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // A separate folder, because other tests and tools use the common one at the same time.
    let target = root.join("target/surface");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["doc", "--quiet", "--locked", "--package", "patron-domain", "--all-features", "--no-deps"]);
    let status = cargo.arg("--target-dir").arg(&target).current_dir(&root).status().expect("cargo starts");
    assert!(status.success(), "cargo doc failed");
    let pages = target.join("doc/patron_domain");
    let all = fs::read_to_string(pages.join("all.html")).expect("the list of all items");
    // The headings link to places on the page itself.
    let links =
        between(&all, "<li><a href=\"", "\"").filter(|link| link.ends_with(".html") && !link.contains("__mock"));
    let links = links.map(|link| (link.to_owned(), read(&pages.join(link), link)));
    links.collect::<BTreeMap<_, _>>().into_values().collect()
}

fn read(page: &Path, link: &str) -> Item {
    let html = fs::read_to_string(page).expect("the page of an item");
    let (module, file) = link.rsplit_once('/').unwrap_or(("", link));
    let mut parts = file.split('.');
    let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let path = if module.is_empty() { name.to_owned() } else { format!("{}::{name}", module.replace('/', "::")) };
    let (described, rest) = html.split_once("class=\"section-header\"").unwrap_or((&html, ""));
    let (own, traits) = rest.split_once("id=\"trait-implementations-list\"").unwrap_or((rest, ""));
    let traits = traits.split("id=\"synthetic-implementations\"").next().unwrap_or_default();
    // A trait has its methods in its declaration, followed by its implementors.
    let own = if kind == "trait" { "" } else { own };
    let declaration = between(&html, "<pre class=\"rust item-decl\"><code>", "</code></pre>").take(1);
    let methods = between(own, "<h4 class=\"code-header\">", "</h4>");
    let traits = between(traits, "<h3 class=\"code-header\">", "</h3>");
    let mut lines: Vec<String> = declaration.chain(methods).map(text).collect();
    let mut traits: Vec<String> = traits.map(text).collect();
    traits.sort();
    lines.extend(traits);
    lines.retain(|line| !line.contains("StructuralPartialEq"));
    // A mock is generated from its trait, which is listed itself.
    lines.retain(|line| !name.starts_with("Mock") || !MADE.iter().any(|made| line.contains(made)));
    let top = described.split("class=\"toggle top-doc\"").nth(1).unwrap_or_default();
    let has_example = top.contains("rust-example-rendered") || name.starts_with("Mock");
    Item { name: format!("{kind} {path}"), lines, has_example }
}

/// Every text between two marks.
fn between<'a>(html: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(start).skip(1).filter_map(move |rest| rest.split(end).next())
}

/// The text of an HTML fragment, on one line.
fn text(html: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            other => text.push(other),
        }
    }
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    let plain = plain.replace("&nbsp;", " ").replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
