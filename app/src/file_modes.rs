//! A check whether other users of the machine can read the database's files. Patron creates files that only their owner
//! can read; older and copied files keep their mode.

use std::{ffi::OsString, fs, os::unix::fs::PermissionsExt, path::PathBuf};

use patron_adapters::persistence::DatabaseUrl;

use crate::first_key::quoted;

/// The endings of the files: the database, its write-ahead log, the index of that log, and the first key.
const ENDINGS: [&str; 4] = ["", "-wal", "-shm", ".first-key"];
/// Read access for the group and for others.
const READABLE: u32 = 0o044;

/// Warns about files of a SQLite database that others can read.
pub(crate) fn warn(url: &DatabaseUrl) {
    let readable = readable(url);
    if !readable.is_empty() {
        let files: Vec<_> = readable.iter().map(|path| quoted(&path.display().to_string())).collect();
        tracing::warn!("other users of this machine can read files of the database: chmod 600 {}", files.join(" "));
    }
}

/// The files that others can read.
fn readable(url: &DatabaseUrl) -> Vec<PathBuf> {
    let Some(database) = url.sqlite_path() else { return Vec::new() };
    let with = |ending| {
        let mut name = OsString::from(database);
        name.push(ending);
        PathBuf::from(name)
    };
    let is_readable = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.permissions().mode() & READABLE != 0);
    ENDINGS.into_iter().map(with).filter(is_readable).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use figment::Jail;

    use super::*;

    #[test]
    #[expect(clippy::result_large_err, reason = "figment's own test harness")]
    fn only_files_that_others_can_read_are_named() {
        Jail::expect_with(|jail| {
            for (name, mode) in [("p.db", 0o640), ("p.db-wal", 0o600), ("p.db.first-key", 0o604), ("p.dbx", 0o644)] {
                let path = jail.directory().join(name);
                fs::write(&path, "").unwrap();
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
            let path = jail.directory().join("p.db");
            let found = readable(&DatabaseUrl::Sqlite(path.clone()));
            assert_eq!(found, [path.clone(), path.with_extension("db.first-key")]);
            Ok(())
        });
    }
}
