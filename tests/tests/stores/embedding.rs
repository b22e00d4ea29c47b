//! Checks the embedding guide apart from its Rust code, which the documentation tests compile.

use std::path::Path;

const GUIDE: &str = include_str!("../../../docs/embedding.md");

#[test]
fn every_code_block_is_compiled_or_a_manifest_with_existing_features() {
    let languages: Vec<_> = GUIDE.split("\n```").skip(1).step_by(2).filter_map(|rest| rest.lines().next()).collect();
    assert!(languages.len() > 6, "{languages:?}");
    assert!(languages.iter().all(|language| ["rust", "toml"].contains(language)), "{languages:?}");
    let manifests = [include_str!("../../../domain/Cargo.toml"), include_str!("../../../adapters/Cargo.toml")];
    for line in GUIDE.lines().filter(|line| line.starts_with("patron-")) {
        let manifest = manifests[usize::from(line.starts_with("patron-adapters"))];
        let features = line.split("features = [").last().and_then(|rest| rest.split(']').next()).unwrap_or_default();
        for feature in features.split(", ").map(|feature| feature.trim_matches('"')) {
            assert!(manifest.contains(&format!("\n{feature} = [")), "the feature {feature} does not exist");
        }
    }
}

#[test]
fn every_link_into_the_repository_has_a_target() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let links = GUIDE.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links: Vec<_> = links.filter(|link| !link.starts_with("http")).collect();
    assert!(links.len() > 5, "{links:?}");
    for link in links {
        assert!(docs.join(link).exists(), "{link} does not exist");
    }
}
