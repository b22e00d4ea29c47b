//! Secret settings in files of their own, so that no secret is in the environment or in the configuration file.

use std::{
    fs::File,
    io::{Error, ErrorKind, Read},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};

use super::{
    file::why_not,
    names::{Names, Origin},
};

/// The most bytes that are read. All secrets are shorter.
const MOST_BYTES: u64 = 65_536;

/// A secret setting, with its name in the place where it was set.
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) value: Option<SecretString>,
}

impl Secret {
    /// Parses the secret. The errors of `read` must not quote it.
    pub(super) fn read<T, E: std::fmt::Display>(
        self,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.value else { return Ok(None) };
        read(value.expose_secret()).map(Some).map_err(|error| format!("{}: {error}", self.name))
    }
}

/// The value of a setting, or the text of the file that the setting `…_file` names. If both are set, the stronger place
/// wins: a flag over a variable, a variable over the configuration file.
///
/// # Errors
/// A message on one line, if both are set in the same place or the file cannot be used.
pub(super) fn resolve(
    names: &Names<'_>,
    key: &str,
    value: Option<SecretString>,
    file: Option<&Path>,
) -> Result<Secret, String> {
    let file_key = format!("{key}_file");
    let (by_value, by_file) = (names.origin(key), names.origin(&file_key));
    let Some(path) = file.filter(|_| by_file >= by_value) else {
        return Ok(Secret { name: names.of(key), origin: by_value, value });
    };
    let name = names.of(&file_key);
    if by_file == by_value && by_value != Origin::Default {
        return Err(format!("{name} and {} are both set; remove one of them", names.of(key)));
    }
    let value = read(path).map_err(|error| format!("{name}: {}", why_not(path, &error)))?;
    let value = value.trim_end_matches(['\n', '\r']);
    if value.is_empty() {
        return Err(format!("{name}: {} is empty", path.display()));
    }
    let name = format!("{name} ({})", path.display());
    Ok(Secret { name, origin: by_file, value: Some(value.into()) })
}

/// Reads the text of a file, unless it is too long.
fn read(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let read = File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MOST_BYTES { Err(Error::new(ErrorKind::FileTooLarge, "it is too long")) } else { Ok(text) }
}
