//! The ids in the response to a dry run that exist nowhere.

use patron_domain::report::WriteReport;
use serde_json::Value;

/// The paths of made-up ids in a body, and of made-up secrets if it shows one.
pub(super) fn made_up(body: &Value, report: &WriteReport, shows_secret: bool) -> Vec<String> {
    let is_secret = |text: &str| shows_secret && (text.starts_with("sk_") || text.starts_with("whsec_"));
    let is_made_up = |text: &str| report.made(text) || is_secret(text);
    let mut paths = Vec::new();
    search(&mut paths, String::new(), body, &is_made_up);
    paths
}

fn search(paths: &mut Vec<String>, path: String, value: &Value, is_made_up: &impl Fn(&str) -> bool) {
    match value {
        Value::String(text) => {
            if is_made_up(text) {
                paths.push(path);
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| search(paths, format!("{path}[{index}]"), item, is_made_up));
        }
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                search(paths, path, member, is_made_up);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
