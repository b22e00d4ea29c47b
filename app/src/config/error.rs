//! Messages about a wrong configuration, on one line: the setting, the place where it was set, what is expected, and an
//! example.
//!
//! They never repeat the wrong value, because it may be a misplaced secret.

use figment::{Error, Figment, error::Kind};

use super::{
    PREFIX, expected,
    file::ConfigFile,
    names::{Names, Origin, variable},
};

/// Describes the first problem.
pub(super) fn explain(error: &Error, figment: &Figment, file: Option<&ConfigFile>) -> String {
    let (names, origin) = (Names { figment, file }, Origin::of(error.metadata.as_ref()));
    let key = error.path.join(".");
    let name = names.from(origin, &key);
    match &error.kind {
        Kind::UnknownField(unknown, known) => unknown_name(&names, origin, unknown, known),
        Kind::InvalidType(_, by_type) | Kind::InvalidValue(_, by_type) => {
            format!("{name} must be {}", expected::of(&key, by_type))
        }
        Kind::UnknownVariant(_, known) => format!("{name} must be one of {}", known.join(", ")),
        Kind::Message(message) if key.is_empty() => of_toml(message, file),
        // The message of another type's parser, such as that of addresses.
        Kind::Message(message) => format!("{name} must be {}", expected::of(&key, without_value(message))),
        other => format!("{name}: {other}"),
    }
}

/// Describes an unknown name, and suggests the setting that was probably meant.
fn unknown_name(names: &Names<'_>, origin: Origin, unknown: &str, known: &[&str]) -> String {
    let name = names.from(origin, unknown);
    let lower = unknown.to_lowercase();
    if origin == Origin::File {
        let bare = lower.strip_prefix(&PREFIX.to_lowercase()).unwrap_or(&lower);
        if known.contains(&bare) {
            return format!("{name} is not a setting; in a file, write {bare}");
        }
        if names.figment.find_value(unknown).is_ok_and(|value| value.as_dict().is_some()) {
            return format!("{name} is not a setting; settings belong at the top of the file, in no [table]");
        }
        return match nearest(bare, known) {
            Some(near) => format!("{name} is not a setting; did you mean {near}?"),
            None => format!("{name} is not a setting; `patron serve --help` lists them all"),
        };
    }
    if ["service_", "port_"].iter().any(|begin| lower.starts_with(begin)) {
        return format!(
            "{name} is not a setting; if Kubernetes sets it, for a service named patron, set enableServiceLinks: false for \
             the pod"
        );
    }
    match nearest(&lower, known) {
        Some(near) => format!("{name} is not a setting; did you mean {}?", variable(near)),
        None => format!("{name} is not a setting; unset it, or correct its name: `patron serve --help` lists them all"),
    }
}

/// The setting with the most similar name, if it is similar enough, by the measure that clap uses for flags.
fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = known.iter().map(|key| (strsim::jaro(unknown, key), *key)).filter(|(alike, _)| *alike > 0.7);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, key)| key)
}

/// Describes where a file is not valid TOML, and why. The lines of the error up to its caret quote the file and could
/// show a secret, so they are left out. The words about the expected token come from the grammar, so they are safe.
fn of_toml(message: &str, file: Option<&ConfigFile>) -> String {
    let name = file.map_or_else(|| "the configuration".to_owned(), ConfigFile::name);
    let mut lines = message.trim().lines();
    let place = lines.next().unwrap_or_default().trim_start_matches("TOML parse error at ");
    let reasons = lines.skip_while(|line| !line.contains('^')).skip(1);
    let reasons = reasons.map(|line| if line.starts_with("expected ") { line } else { without_value(line) });
    let what = reasons.map(str::trim_end).collect::<Vec<_>>().join(", ");
    let example = "write settings as in port = 8080, with quotes around text, as in address = \"127.0.0.1\"";
    format!("{name} is not valid TOML: {place}: {what}; {example}")
}

/// Removes the quoted value from figment's own messages. Messages of other types' parsers quote none.
fn without_value(message: &str) -> &str {
    message.split('`').next().unwrap_or_default()
}
