//! One server for each SQLite file.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::connection::{PRIVATE, reason};
use crate::persistence::open::OpenError;

/// Holds a lock on a file beside the database. The operating system releases it when the process ends in any way, so
/// nothing needs cleaning up.
pub(super) struct ServerLock(#[expect(dead_code, reason = "held for the lock on it")] File);

impl ServerLock {
    /// Takes the lock of a database, or fails if another server holds it.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let failed = |error: std::io::Error| OpenError::File {
            path: database.to_owned(),
            reason: format!("its lock file {}: {}", Path::new(&name).display(), reason(Path::new(&name), &error)),
        };
        let options = &mut File::options();
        let file = options.create(true).truncate(false).write(true).mode(PRIVATE).open(&name).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: database.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ServerLock;
    use crate::persistence::open::OpenError;

    #[test]
    fn a_second_server_is_rejected_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("patron.db");
        let first = ServerLock::take(&database).unwrap();
        assert!(matches!(ServerLock::take(&database), Err(OpenError::InUse { .. })));
        drop(first);
        assert!(ServerLock::take(&database).is_ok());
    }
}
