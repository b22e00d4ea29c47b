//! Conversion of Diesel's errors to those of the ports. The database's own text is left out, because it may quote
//! personal data.

use diesel::result::{DatabaseErrorKind, Error};
use patron_domain::store::StoreError;

/// The error of work on a connection: a refusal of the port, or an error of the database.
pub(crate) enum Failure<E> {
    /// The port's refusal. On SQLite it comes before the first write of its job, because a batch has no savepoints; on
    /// PostgreSQL all writes are rolled back.
    Refused(E),
    /// An error of the database.
    Database(Error),
}

impl<E> Failure<E> {
    /// Converts the refusal.
    pub(crate) fn map<F>(self, convert: impl FnOnce(E) -> F) -> Failure<F> {
        match self {
            Self::Refused(refusal) => Failure::Refused(convert(refusal)),
            Self::Database(error) => Failure::Database(error),
        }
    }
}

/// The refusal of a port because of an error, for `map_err`.
pub(crate) fn refused<T, E: From<T>>(error: T) -> Failure<E> {
    Failure::Refused(error.into())
}

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

#[cfg(feature = "sqlite")]
impl<E: From<StoreError>> Failure<E> {
    /// Converts it to the port's error.
    pub(crate) fn into_port_error(self) -> E {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Database(error) => store_error(&error).into(),
        }
    }
}

/// Describes an error without the database's message, which contains values of rows.
pub(crate) fn store_error(error: &Error) -> StoreError {
    let unavailable = |reason: &str| StoreError::Unavailable { reason: reason.to_owned() };
    let failed = |reason: &str| StoreError::Failed { reason: reason.to_owned() };
    match error {
        Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => unavailable("the connection was closed"),
        Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => unavailable("too many changes at once"),
        Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
            unavailable("it accepts no writes at present")
        }
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => failed("a unique value is taken"),
        Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => failed("a referenced row is missing"),
        Error::DatabaseError(DatabaseErrorKind::NotNullViolation, _) => failed("a required value is missing"),
        Error::DatabaseError(DatabaseErrorKind::CheckViolation, _) => failed("a value violates a check"),
        Error::DatabaseError(_, information) => match information.message() {
            "database is locked" | "database table is locked" => {
                unavailable("another process has been writing for too long")
            }
            // See `sqlite/deadline.rs`.
            message if message.contains("the time for this statement is up") => StoreError::TooSlow,
            "database or disk is full" => unavailable("the disk is full"),
            "disk I/O error" => unavailable("the disk reports an I/O error"),
            "attempt to write a readonly database" => unavailable("the file is read-only"),
            "database disk image is malformed" => failed("the file is damaged; restore it from a backup"),
            _ => failed("an unknown error"),
        },
        Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => {
            unavailable("the connection failed within a transaction")
        }
        Error::DeserializationError(_) => failed("a column has an unexpected type"),
        Error::NotFound => failed("an expected row is missing"),
        _ => failed("an unknown error"),
    }
}
