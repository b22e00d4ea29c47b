//! The configuration file.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// A configuration file with its text.
#[derive(Debug, Clone)]
pub(super) struct ConfigFile {
    path: PathBuf,
    text: String,
}

impl ConfigFile {
    /// Reads the file that a flag or a variable names.
    ///
    /// # Errors
    /// A line with that flag or variable, and the reason.
    pub(super) fn read(path: &Path, named_by: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{named_by}: {}", why_not(path, &error)))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// Its TOML.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Its name, as it was given.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The place of a key, for messages: the file and the line.
    pub(super) fn place(&self, key: &str) -> String {
        let line = self.text.lines().position(|line| names(line, key));
        let line = line.map(|at| format!(", line {}", at + 1)).unwrap_or_default();
        format!("{}{line}", self.name())
    }
}

/// Whether a line of TOML sets a key, or begins a table with its name.
fn names(line: &str, key: &str) -> bool {
    let quotes: &[char] = &['"', '\'', '[', ' ', '\t'];
    let rest = line.trim_start_matches(quotes).strip_prefix(key);
    let rest = rest.map(|rest| rest.trim_start_matches(['"', '\'', ' ', '\t']));
    rest.is_some_and(|rest| rest.starts_with(['=', '.', ']']))
}

/// The reason why a file cannot be read, with advice.
pub(super) fn why_not(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    match error.kind() {
        ErrorKind::NotFound => format!("there is no file {path}"),
        ErrorKind::IsADirectory => format!("{path} is a folder; name a file in it"),
        ErrorKind::PermissionDenied => format!("this user may not read {path}"),
        ErrorKind::InvalidData => format!("{path} is not UTF-8 text"),
        _ => format!("{path} cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::ConfigFile;

    #[test]
    fn a_key_is_found_in_its_line() {
        let text = "# port = 1\nlog_level = \"port = 2\"\n \"port\" = 3\nport_x = 4\n[table]\n".to_owned();
        let file = ConfigFile { path: "p.toml".into(), text };
        assert_eq!(file.place("port"), "p.toml, line 3");
        assert_eq!(file.place("table"), "p.toml, line 5");
        assert_eq!(file.place("missing"), "p.toml");
    }
}
