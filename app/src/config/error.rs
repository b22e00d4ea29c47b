//! What is wrong with the configuration, in one line: which setting, where it came from, what is allowed.
//!
//! The wrong value itself is not repeated: it may be a secret that landed in the wrong place.

use figment::{Error, Source, error::Kind};

use super::PREFIX;

/// The first thing that is wrong.
pub(super) fn explain(error: &Error) -> String {
    let key = error.path.join(".");
    let place = place(error, &key);
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let known: Vec<_> = known.iter().map(|key| named(error, key)).collect();
            format!("{} is not a setting; the settings are {}", place_of_unknown(error, name), known.join(", "))
        }
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("{place} must be {expected}"),
        Kind::Message(message) if key.is_empty() => format!("{place}: {message}"),
        Kind::Message(message) => format!("{place}: {}", without_value(message)),
        other => format!("{place}: {other}"),
    }
}

/// Parsers of other types, such as addresses, quote nothing; figment's own words may.
fn without_value(message: &str) -> &str {
    message.split('`').next().unwrap_or_default()
}

fn is_environment(error: &Error) -> bool {
    error.metadata.as_ref().is_some_and(|metadata| metadata.name.contains("environment variable"))
}

fn named(error: &Error, key: &str) -> String {
    if is_environment(error) { format!("{PREFIX}{}", key.to_uppercase()) } else { key.to_owned() }
}

fn place_of_unknown(error: &Error, name: &str) -> String {
    format!("{}{}", named(error, name), of_file(error))
}

fn place(error: &Error, key: &str) -> String {
    if key.is_empty() { format!("the configuration{}", of_file(error)) } else { place_of_unknown(error, key) }
}

fn of_file(error: &Error) -> String {
    match error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref()) {
        Some(Source::File(path)) => format!(" in {}", path.display()),
        _ => String::new(),
    }
}
