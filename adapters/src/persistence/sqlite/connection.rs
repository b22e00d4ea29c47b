//! Connections to a SQLite file: their settings, and the migration of its tables.

use std::{
    fs::File,
    io::{Error as IoError, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use diesel::{connection::SimpleConnection, prelude::*, result::Error};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use patron_domain::store::StoreError;

use crate::persistence::{
    error::{Failure, store_error},
    migrate,
    open::OpenError,
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The use of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
}

/// Settings of both roles: wait up to 5 s for another process, check foreign keys, and limit a reader's page cache to 4 MiB.
const COMMON: &str =
    "PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON; PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;";
/// A commit is on the disk when it is acknowledged, and readers do not wait for it. The log is checkpointed at 16 MiB,
/// four times SQLite's default: a page that many commits change is then written to the file once for all of them.
/// Deleted and overwritten values are zeroed in the file, so its free space holds no erased data. The page cache has 8 MiB: the
/// index of `find` reads its recent parts again when it merges them.
const WRITER: &str =
    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA secure_delete=ON; PRAGMA cache_size=-8192;";
const READER: &str = "PRAGMA query_only=ON;";

/// Read and write access for this user only. SQLite gives its log and the index of the log the same mode as the file.
pub(super) const PRIVATE: u32 = 0o600;

/// Creates the file if it is missing, so that failures show as the operating system's own errors. Returns its canonical
/// path, because all names of a file must share one lock.
pub(crate) fn prepare_path(path: &Path) -> Result<PathBuf, OpenError> {
    true_path(path, true)
}

/// The same for a file that must exist.
pub(super) fn existing_path(path: &Path) -> Result<PathBuf, OpenError> {
    true_path(path, false)
}

fn true_path(path: &Path, create: bool) -> Result<PathBuf, OpenError> {
    let failed = |error: IoError| match error.kind() {
        ErrorKind::NotFound if !create => OpenError::Missing { path: whole(path) },
        _ => OpenError::File { path: path.to_owned(), reason: reason(path, &error) },
    };
    let options = &mut File::options();
    options.create(create).truncate(false).read(true).write(true).mode(PRIVATE).open(path).map_err(failed)?;
    path.canonicalize().map_err(failed)
}

/// The absolute path.
fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Says why a file cannot be opened, and what to do.
pub(super) fn reason(path: &Path, error: &IoError) -> String {
    let whole = whole(path);
    let folder = whole.parent().unwrap_or(&whole).display();
    match error.kind() {
        ErrorKind::NotFound => format!("the folder {folder} does not exist; create it, or choose another path"),
        ErrorKind::IsADirectory => {
            format!("it is a folder; name a file in it, for example {}/patron.db", whole.display())
        }
        ErrorKind::NotADirectory => "a part of its path is a file, not a folder; choose another path".to_owned(),
        ErrorKind::PermissionDenied if whole.exists() => {
            "this user may not read and write it; run Patron as its owner, or grant this user access (chown, chmod)"
                .to_owned()
        }
        ErrorKind::PermissionDenied => {
            format!(
                "this user may not write to the folder {folder}; change that (chown, chmod), or choose another path"
            )
        }
        ErrorKind::ReadOnlyFilesystem => format!("{folder} is on a file system that is read-only"),
        ErrorKind::StorageFull => format!("the disk of {folder} is full"),
        _ => error.to_string(),
    }
}

/// Opens a connection.
pub(crate) fn open(path: &Path, role: Role) -> Result<SqliteConnection, OpenError> {
    let failed = |reason: String| OpenError::File { path: path.to_owned(), reason };
    let name = path.to_str().ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(name).map_err(|error| failed(error.to_string()))?;
    let settings = format!("{COMMON}{}", if role == Role::Writer { WRITER } else { READER });
    connection.batch_execute(&settings).map_err(|error| failed(file_error(&error)))?;
    if role == Role::Writer {
        let mode = use_log(&mut connection).map_err(|error| failed(file_error(&error)))?;
        if mode != "wal" {
            return Err(failed(format!(
                "it cannot use write-ahead logging (journal_mode is {mode}); is it on a network file system?"
            )));
        }
    }
    Ok(connection)
}

/// Switches the file to write-ahead logging, and returns the mode that it has then.
///
/// If several connections switch a new file at once, SQLite refuses all but one without waiting, because each would wait
/// for the others. So a refused switch is repeated for as long as other statements wait.
fn use_log(connection: &mut SqliteConnection) -> QueryResult<String> {
    const TRIES: u32 = 500;
    const PAUSE: Duration = Duration::from_millis(10);
    let mut tries = 1;
    loop {
        let mode = diesel::dsl::sql::<diesel::sql_types::Text>("PRAGMA journal_mode=WAL").get_result(connection);
        match mode {
            Err(error) if is_locked(&error) && tries < TRIES => std::thread::sleep(PAUSE),
            mode => return mode,
        }
        tries += 1;
    }
}

fn is_locked(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if information.message().contains("locked"))
}

fn file_error(error: &Error) -> String {
    let message = match error {
        Error::DatabaseError(_, information) => information.message(),
        _ => "",
    };
    match message {
        "file is not a database" => {
            "it is not a SQLite database; choose another path, or move the file away".to_owned()
        }
        "attempt to write a readonly database" | "unable to open database file" => {
            "this user may not write to the file and its folder, where SQLite keeps its log; change that (chown, chmod)"
                .to_owned()
        }
        _ => store_error(error).to_string(),
    }
}

/// Moves everything from the write-ahead log to the file, and truncates the log. It has to wait until no reader uses the
/// log, so it is tried again for some time.
pub(super) fn truncate_log(path: &Path, timeout: Duration) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Outcome {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        busy: i32,
    }
    const PAUSE: Duration = Duration::from_millis(20);
    let mut connection = open(path, Role::Writer).map_err(|error| StoreError::unavailable(error.to_string()))?;
    let mut waited = Duration::ZERO;
    loop {
        let outcome = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Outcome>(&mut connection);
        match outcome {
            Ok(Outcome { busy: 0 }) => return Ok(()),
            Err(error) if !is_locked(&error) => return Err(store_error(&error)),
            _ if waited >= timeout => {
                return Err(StoreError::unavailable("readers kept the write-ahead log from being truncated"));
            }
            _ => std::thread::sleep(PAUSE),
        }
        waited += PAUSE;
    }
}

/// Migrates the tables in one transaction. If several processes start at once, one migrates and the others wait for it.
pub(crate) fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let migrated = connection.immediate_transaction::<_, Failure<OpenError>, _>(|connection| {
        migrate::run(connection, MIGRATIONS).map_err(Failure::Refused)
    });
    match migrated {
        Ok(0) => Ok(()),
        Ok(count) => {
            tracing::info!(count, "migrated the database");
            Ok(())
        }
        Err(Failure::Refused(error)) => Err(error),
        Err(Failure::Database(error)) => Err(store_error(&error).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use diesel::{RunQueryDsl, connection::SimpleConnection};

    use super::{PRIVATE, Role, existing_path, migrate, open, prepare_path};
    use crate::persistence::{
        open::OpenError,
        sqlite::testing::{another, migrated, plan},
    };

    #[test]
    fn processes_that_start_at_once_migrate_once() {
        // Repeated, because only some rounds switch a new file to write-ahead logging at the same moment.
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = prepare_path(&folder.path().join("patron.db")).unwrap();
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| migrate(&mut open(&path, Role::Writer).unwrap()).unwrap());
                }
            });
        }
    }

    /// A server that creates its database serves it with the same connection.
    #[test]
    fn the_connection_that_creates_the_tables_plans_as_every_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = migrated(folder.path());
        let mut later = another(folder.path(), Role::Writer);
        for (condition, index) in [
            ("status = 0 AND external_id = ?", "customers_external_id"),
            ("status = 0 AND email_folded = ?", "customers_email"),
            ("status = 0 ORDER BY name_folded LIMIT 50", "customers_name"),
        ] {
            let statement = format!("SELECT id FROM customers WHERE environment = ? AND {condition}");
            let now = plan(&mut first, &statement);
            assert!(now.contains(index), "{now}");
            assert_eq!(now, plan(&mut later, &statement));
        }
    }

    #[test]
    fn a_database_of_a_newer_patron_is_rejected_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = migrated(folder.path());
        connection.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')").unwrap();
        let refused = migrate(&mut connection).unwrap_err();
        assert!(matches!(&refused, OpenError::NewerSchema { migration } if migration == "99990101000000"), "{refused}");
    }

    #[test]
    fn migrations_of_an_embedding_application_are_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = migrated(folder.path());
        connection.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101093015')").unwrap();
        migrate(&mut connection).unwrap();
    }

    #[test]
    fn commits_are_on_the_disk_when_they_are_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let path = prepare_path(&folder.path().join("patron.db")).unwrap();
        let mut connection = open(&path, Role::Writer).unwrap();
        let full = diesel::dsl::sql::<diesel::sql_types::Integer>("SELECT synchronous FROM pragma_synchronous");
        assert_eq!(full.get_result::<i32>(&mut connection), Ok(2));
        let mut reader = open(&path, Role::Reader).unwrap();
        assert!(reader.batch_execute("CREATE TABLE t (a)").is_err());
    }

    #[test]
    fn a_file_that_is_not_a_database_is_rejected_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "Dear diary, ".repeat(100)).unwrap();
        let refused = open(&prepare_path(&path).unwrap(), Role::Writer).map(drop).unwrap_err().to_string();
        assert!(refused.contains("not a SQLite database"), "{refused}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear diary"));
    }

    #[test]
    fn errors_about_unusable_files_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        for (path, word) in [
            ("missing/patron.db", "missing does not exist"),
            ("file/patron.db", "not a folder"),
            ("", "it is a folder"),
        ] {
            let refused = prepare_path(&folder.path().join(path)).unwrap_err().to_string();
            assert!(refused.contains(word) && !refused.contains("os error"), "{refused}");
        }
    }

    #[test]
    fn a_file_is_created_only_on_request() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["patron.db", "missing/patron.db"] {
            let path = folder.path().join(path);
            let refused = existing_path(&path).unwrap_err();
            assert!(matches!(&refused, OpenError::Missing { path: missing } if *missing == path), "{refused}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_the_owner_can_read_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = prepare_path(&folder.path().join("patron.db")).unwrap();
        let mut connection = open(&path, Role::Writer).unwrap();
        migrate(&mut connection).unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 3, "the database, its log and the index of the log");
        for file in files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, PRIVATE, "{:?}", file.file_name());
        }
    }
}
