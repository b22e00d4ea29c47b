//! From Diesel's errors to the ports': without any text of the database, which may quote personal data.

use diesel::result::{DatabaseErrorKind, Error};
use patron_domain::store::StoreError;

/// What ends a piece of work on a connection: a refusal that the port knows, or an error of the database.
pub(crate) enum Failure<E> {
    /// The port's own answer. On SQLite it comes before the first write of its job, because a batch has no savepoints; on
    /// PostgreSQL whatever was written is taken back.
    Refused(E),
    /// The database's.
    Database(Error),
}

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

#[cfg(feature = "sqlite")]
impl<E: From<StoreError>> Failure<E> {
    /// The port's error.
    pub(crate) fn into_port_error(self) -> E {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Database(error) => store_error(&error).into(),
        }
    }
}

/// Names what happened without quoting the database: its messages hold values of rows.
pub(crate) fn store_error(error: &Error) -> StoreError {
    let unavailable = |reason: &str| StoreError::Unavailable { reason: reason.to_owned() };
    let failed = |reason: &str| StoreError::Failed { reason: reason.to_owned() };
    match error {
        Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => unavailable("the connection was closed"),
        Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => unavailable("too many changes at once"),
        Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => unavailable("it takes no writes now"),
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => failed("a value that has to be unique is taken"),
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => failed("a row that is named is missing"),
        Error::DatabaseError(DatabaseErrorKind::NotNullViolation, _) => failed("a value that is needed is missing"),
        Error::DatabaseError(DatabaseErrorKind::CheckViolation, _) => failed("a value breaks a check"),
        Error::DatabaseError(_, information) => match information.message() {
            "database is locked" | "database table is locked" => unavailable("another process is writing for too long"),
            "database or disk is full" => unavailable("the disk is full"),
            "disk I/O error" => unavailable("the disk does not answer"),
            "attempt to write a readonly database" => unavailable("the file may not be written"),
            "database disk image is malformed" => failed("the file is damaged; restore it from a backup"),
            _ => failed("an error that Patron does not know"),
        },
        Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => {
            unavailable("the connection broke within a transaction")
        }
        Error::DeserializationError(_) => failed("a column has another type than expected"),
        Error::NotFound => failed("a row that has to be there is missing"),
        _ => failed("an error that Patron does not know"),
    }
}
