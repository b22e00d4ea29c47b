//! Configuration: defaults, then the file, then the environment, then flags. Later sources win.

mod error;
pub(crate) mod expected;
mod file;
mod names;
mod secret_file;
mod settings;
mod values;

use std::path::Path;

use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};

pub(crate) use self::settings::{LogFormat, LogLevel, Settings};
use self::{
    file::ConfigFile,
    names::{Flags, Names, variable},
    settings::Raw,
};
use crate::{
    cli::{Cli, Command},
    failure::Failure,
};

/// The prefix of every variable.
const PREFIX: &str = "PATRON_";
/// The variable that names the configuration file.
const CONFIG: &str = "PATRON_CONFIG";
/// The secret for `patron webhooks listen`.
pub(crate) const LISTEN_SECRET: &str = "PATRON_LISTEN_SECRET";

/// Reads all settings and checks them.
pub(crate) fn load(cli: &Cli) -> Result<Settings, Failure> {
    let file = file(cli).map_err(Failure::configuration)?;
    let mut figment = Figment::from(Serialized::defaults(Raw::default()));
    if let Some(file) = &file {
        figment = figment.merge(Toml::string(file.text()));
    }
    // These two variables are not settings of the server.
    let environment = Env::prefixed(PREFIX).ignore(&["config", "listen_secret"]);
    figment = figment.merge(environment).merge(Flags(&cli.settings));
    if let Command::Serve(flags) = &cli.command {
        figment = figment.merge(Flags(flags));
    }
    let raw: Raw =
        figment.extract().map_err(|error| Failure::configuration(error::explain(&error, &figment, file.as_ref())))?;
    raw.check(&Names { figment: &figment, file: file.as_ref() }).map_err(Failure::configuration)
}

/// The configuration file, if a flag or a variable names one.
fn file(cli: &Cli) -> Result<Option<ConfigFile>, String> {
    if let Some(path) = &cli.settings.config {
        return ConfigFile::read(path, "--config").map(Some);
    }
    match std::env::var_os(CONFIG) {
        Some(path) => ConfigFile::read(Path::new(&path), CONFIG).map(Some),
        None => Ok(None),
    }
}

/// The text below the help of `patron serve`: the variables of all settings.
pub(crate) fn help() -> String {
    let names: Vec<_> = known().iter().map(|key| variable(key)).collect();
    format!(
        "Every setting has a variable. In a configuration file its key is the same without PATRON_, in lower case. \
         README.md and docs/operations.md say what each means:\n  {}",
        names.join("\n  ")
    )
}

/// The keys of all settings. Serde lists them in its error about an unknown field.
fn known() -> &'static [&'static str] {
    let error = Figment::from((" ", true)).extract::<Raw>().err();
    match error.map(|error| error.kind) {
        Some(Kind::UnknownField(_, known)) => known,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
