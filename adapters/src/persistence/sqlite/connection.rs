//! Connections to a SQLite file: how they are set up, and how its tables are brought up to date.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use diesel::{connection::SimpleConnection, prelude::*, result::Error};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::persistence::{
    error::{Failure, store_error},
    migrate,
    open::OpenError,
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
}

/// For both roles: wait up to 5 s for another process, keep foreign keys, and keep little memory (4 MiB of pages each).
const COMMON: &str =
    "PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON; PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;";
/// A commit is on the disk when it is acknowledged, and readers do not wait for it. The log is taken over into the file when
/// it has 16 MiB, four times SQLite's own bound: a page that many commits change is then written there once for all of them.
const WRITER: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;";
const READER: &str = "PRAGMA query_only=ON;";

/// Makes the file if it is missing, so that what can go wrong with it is told by the operating system's own words, and
/// answers its one true path: two names of one file must take one lock.
pub(crate) fn prepare_path(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |error: std::io::Error| OpenError::File { path: path.to_owned(), reason: error.to_string() };
    File::options().create(true).truncate(false).read(true).write(true).open(path).map_err(failed)?;
    path.canonicalize().map_err(failed)
}

/// Opens a connection.
pub(crate) fn open(path: &Path, role: Role) -> Result<SqliteConnection, OpenError> {
    let failed = |reason: String| OpenError::File { path: path.to_owned(), reason };
    let name = path.to_str().ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(name).map_err(|error| failed(error.to_string()))?;
    let settings = format!("{COMMON}{}", if role == Role::Writer { WRITER } else { READER });
    connection.batch_execute(&settings).map_err(|error| failed(file_error(&error)))?;
    if role == Role::Writer {
        let mode = diesel::dsl::sql::<diesel::sql_types::Text>("SELECT journal_mode FROM pragma_journal_mode");
        let mode: String = mode.get_result(&mut connection).map_err(|error| failed(file_error(&error)))?;
        if mode != "wal" {
            return Err(failed(format!(
                "it cannot use write-ahead logging (journal_mode is {mode}); is it on a network file system?"
            )));
        }
    }
    Ok(connection)
}

fn file_error(error: &Error) -> String {
    match error {
        Error::DatabaseError(_, information) if information.message() == "file is not a database" => {
            "it is not a SQLite database; give another path, or move the file away".to_owned()
        }
        other => store_error(other).to_string(),
    }
}

/// Brings the tables up to date. One transaction around all of it: of several processes that start at once, one migrates
/// and the others wait for it.
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
    use diesel::{RunQueryDsl, connection::SimpleConnection};

    use super::{Role, migrate, open, prepare_path};
    use crate::persistence::open::OpenError;

    #[test]
    fn processes_that_start_at_once_migrate_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = prepare_path(&folder.path().join("patron.db")).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| migrate(&mut open(&path, Role::Writer).unwrap()).unwrap());
            }
        });
    }

    #[test]
    fn a_database_of_a_newer_patron_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = prepare_path(&folder.path().join("patron.db")).unwrap();
        let mut connection = open(&path, Role::Writer).unwrap();
        migrate(&mut connection).unwrap();
        connection.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')").unwrap();
        let refused = migrate(&mut connection).unwrap_err();
        assert!(matches!(&refused, OpenError::NewerSchema { migration } if migration == "99990101000000"), "{refused}");
    }

    #[test]
    fn migrations_of_an_embedding_application_are_no_newer_patron() {
        let folder = tempfile::tempdir().unwrap();
        let path = prepare_path(&folder.path().join("patron.db")).unwrap();
        let mut connection = open(&path, Role::Writer).unwrap();
        migrate(&mut connection).unwrap();
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
    fn what_is_no_database_is_refused_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "Dear diary, ".repeat(100)).unwrap();
        let refused = open(&prepare_path(&path).unwrap(), Role::Writer).map(drop).unwrap_err().to_string();
        assert!(refused.contains("not a SQLite database"), "{refused}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear diary"));
        let missing = prepare_path(&folder.path().join("missing/patron.db")).unwrap_err().to_string();
        assert!(missing.contains("No such file or directory"), "{missing}");
        assert!(prepare_path(folder.path()).is_err());
    }
}
