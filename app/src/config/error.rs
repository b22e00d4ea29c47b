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
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("{place} must be {}", in_words(&expected.to_string()))
        }
        Kind::UnknownVariant(_, known) => format!("{place} must be one of {}", known.join(", ")),
        Kind::Message(message) if key.is_empty() => format!("{place}: {}", of_toml(message)),
        Kind::Message(message) => format!("{place}: {}", without_value(message)),
        other => format!("{place}: {other}"),
    }
}

/// What serde expects, for a person.
fn in_words(expected: &str) -> &str {
    match expected {
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, not negative and not too large",
        "enum LogFormat" => "one of auto, human, json",
        "enum LogLevel" => "one of error, warn, info, debug",
        other => other,
    }
}

/// The first and the last line of a complaint about TOML: where, and what. The lines between quote the file, and so perhaps
/// a key or a password.
fn of_toml(message: &str) -> String {
    let mut lines = message.trim().lines();
    match (lines.next(), lines.next_back()) {
        (Some(place), Some(what)) => format!("{place}: {}", without_value(what)),
        (place, _) => place.unwrap_or_default().to_owned(),
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
