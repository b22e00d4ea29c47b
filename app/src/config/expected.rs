//! The values that settings accept, in words that follow "must be".

use figment::{Figment, providers::Serialized};

use super::settings::Raw;

/// A port.
pub(crate) const PORT: &str = "a whole number from 0 to 65535, such as 8080";
/// An address to listen on.
pub(crate) const ADDRESS: &str =
    "an IP address, such as 127.0.0.1, or 0.0.0.0 for every address of this machine; host names are not accepted";

/// The values that a setting accepts. `by_type` is the expectation that follows from its type alone.
pub(super) fn of(key: &str, by_type: &str) -> String {
    match key {
        "port" => return PORT.to_owned(),
        "address" => return ADDRESS.to_owned(),
        "metrics_address" => return "an IP address with a port, such as 127.0.0.1:9090".to_owned(),
        _ => {}
    }
    match by_type {
        "u16" | "u32" | "u64" | "usize" => format!("a whole number{}", example(key)),
        "a boolean" => "true or false".to_owned(),
        "a string" | "path string" => "text; in a file, write it in quotes".to_owned(),
        "enum LogFormat" => "one of auto, human, json".to_owned(),
        "enum LogLevel" => "one of error, warn, info, debug".to_owned(),
        other => other.to_owned(),
    }
}

/// The default as an example value.
fn example(key: &str) -> String {
    let default = Figment::from(Serialized::defaults(Raw::default())).find_value(key).ok();
    default.and_then(|value| value.to_u128()).map(|number| format!(", such as {number}")).unwrap_or_default()
}
