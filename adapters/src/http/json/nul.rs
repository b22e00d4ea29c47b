//! U+0000, which no database here can store, is refused wherever it stands in a body.

use patron_domain::{
    TextFault,
    metadata::member_path,
    violation::{Rule, Violations},
};
use serde_json::Value;

struct Nul;

impl std::fmt::Display for Nul {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&TextFault::Nul, f)
    }
}

impl Rule for Nul {
    fn rule(&self) -> &'static str {
        TextFault::Nul.rule()
    }
}

/// Whether a body may hold U+0000. In JSON it can only be written as this escape; a doubled backslash before it is a
/// false alarm, which costs no more than a second look.
pub(super) fn is_suspected(body: &str) -> bool {
    // Most bodies hold no backslash at all. This looks at many bytes at once, as it does not leave off early.
    let any_escape = body.bytes().fold(false, |any, byte| any | (byte == b'\\'));
    any_escape && body.contains(r"\u0000")
}

/// Every place in a body where a key or string holds U+0000.
///
/// # Errors
/// When the body cannot be looked through. A field that is ignored may hold what no tree of values can (such as 1e999 or
/// very deep nesting); such a body is refused only when it may hold U+0000 as well.
pub(super) fn find(body: &[u8]) -> Result<Violations, serde_json::Error> {
    let mut broken = Violations::new();
    if let Value::Object(map) = serde_json::from_slice(body)? {
        for (key, value) in &map {
            member("", key, value, &mut broken);
        }
    }
    Ok(broken)
}

fn member(parent: &str, key: &str, value: &Value, broken: &mut Violations) {
    let path = member_path(parent, key);
    let path = path.strip_prefix('.').unwrap_or(&path);
    if key.contains('\0') {
        broken.add(path, &Nul);
    }
    visit(path, value, broken);
}

fn visit(path: &str, value: &Value, broken: &mut Violations) {
    match value {
        Value::String(text) if text.contains('\0') => broken.add(path, &Nul),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| visit(&format!("{path}[{index}]"), item, broken));
        }
        Value::Object(map) => map.iter().for_each(|(key, value)| member(path, key, value, broken)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{find, is_suspected};

    #[test]
    fn every_place_is_named() {
        let body = r#"{"a":"\u0000","b":[{"c d":"x\u0000"}],"k\u0000":1,"fine":"\\u0000"}"#;
        assert!(is_suspected(body));
        let found = find(body.as_bytes()).unwrap();
        let mut paths: Vec<_> = found.iter().map(|violation| violation.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["[\"k\\u0000\"]", "a", "b[0][\"c d\"]"]);
    }

    #[test]
    fn what_cannot_be_looked_through_is_no_clean_bill() {
        assert!(find(br#"{"ignored":1e999,"other":"\u0000"}"#).is_err());
    }

    #[test]
    fn a_body_without_the_escape_needs_no_second_look() {
        assert!(!is_suspected(r#"{"a":"\u0001 \\u000"}"#));
    }
}
