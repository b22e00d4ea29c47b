//! The place where a setting was set, and its name there: a flag, a variable, or a key in the file.

use figment::{Figment, Metadata, Profile, Provider, Result, value::Map};
use serde::Serialize;

use super::{PREFIX, file::ConfigFile};

/// The place of a value. Later places win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    Default,
    File,
    Variable,
    Flag,
}

impl Origin {
    /// Recognises the place by the name of the provider.
    pub(super) fn of(metadata: Option<&Metadata>) -> Self {
        match metadata.map(|metadata| metadata.name.as_ref()) {
            Some(Flags::<()>::NAME) => Self::Flag,
            Some(name) if name.contains("environment variable") => Self::Variable,
            Some(name) if name.starts_with("TOML") => Self::File,
            _ => Self::Default,
        }
    }
}

/// Flags as a provider, recognised by its name.
pub(super) struct Flags<T>(pub(super) T);

impl<T> Flags<T> {
    const NAME: &'static str = "flags";
}

impl<T: Serialize> Provider for Flags<T> {
    fn metadata(&self) -> Metadata {
        Metadata::named(Self::NAME)
    }

    fn data(&self) -> Result<Map<Profile, figment::value::Dict>> {
        figment::providers::Serialized::defaults(&self.0).data()
    }
}

/// Names each setting by the place where it was set.
pub(super) struct Names<'a> {
    pub(super) figment: &'a Figment,
    pub(super) file: Option<&'a ConfigFile>,
}

impl Names<'_> {
    /// The place where the setting was set.
    pub(super) fn origin(&self, key: &str) -> Origin {
        Origin::of(self.figment.find_metadata(key))
    }

    /// `--port`, `PATRON_PORT` or `port (p.toml, line 3)`.
    pub(super) fn of(&self, key: &str) -> String {
        self.from(self.origin(key), key)
    }

    /// The name of a setting in one place.
    pub(super) fn from(&self, origin: Origin, key: &str) -> String {
        match origin {
            Origin::Flag => format!("--{}", key.replace('_', "-")),
            Origin::File => match self.file {
                Some(file) => format!("{key} ({})", file.place(key)),
                None => key.to_owned(),
            },
            Origin::Variable | Origin::Default => variable(key),
        }
    }
}

/// The environment variable of a setting.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase())
}
