//! Conversion of errors of a PostgreSQL connection to those of the ports: by SQLSTATE, without the server's text. Only
//! errors of connecting show that text, because it names at most the role and the database.

use std::{
    io::{self, ErrorKind},
    iter::successors,
};

use diesel::result::{DatabaseErrorKind, Error};
use patron_domain::store::StoreError;
use tokio_postgres::error::DbError;

use super::sqlstate::SqlState;
use crate::persistence::error::store_error;

/// An error on a connection or of connecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) kind: Kind,
    /// The error to return, unless another try helps.
    pub(super) error: StoreError,
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Another transaction conflicted with this one, which was rolled back.
    Conflict,
    /// The connection is not usable any more.
    Lost,
    /// The server accepts no writes, so other connections to it are not usable either. Nothing was written.
    Standby,
    /// A unique value is taken.
    Unique,
    /// Anything else.
    Other,
}

/// Why a connection through a pooler does not work, and which setting helps.
pub(super) const NO_PREPARED_STATEMENTS: &str = "a pooler in front of PostgreSQL does not keep prepared statements; \
     with PgBouncer 1.21 or later set max_prepared_statements to 200, with an older one pool_mode to session";

impl Problem {
    /// Describes an error, with the server's SQLSTATE if it has one.
    pub(super) fn new(error: &Error, state: Option<SqlState>) -> Self {
        match state {
            Some(state) => Self::of_state(error, state),
            None => Self::of_connection(error),
        }
    }

    /// The connection was lost.
    pub(super) fn lost(reason: &str) -> Self {
        Self { kind: Kind::Lost, error: unavailable(reason) }
    }

    /// The problem of a pooler that keeps no prepared statements, if the code means that.
    pub(super) fn of_pooler(state: SqlState) -> Option<Self> {
        let is_lost_statement = matches!(state.as_str(), "26000" | "42P05");
        let error = || unavailable(&format!("{NO_PREPARED_STATEMENTS} (SQLSTATE {state})"));
        is_lost_statement.then(|| Self { kind: Kind::Lost, error: error() })
    }

    fn of_state(error: &Error, state: SqlState) -> Self {
        if let Some(problem) = Self::of_pooler(state) {
            return problem;
        }
        let (kind, reason) = match state.as_str() {
            "40001" | "40P01" => (Kind::Conflict, "too many changes at once"),
            "23505" => return Self { kind: Kind::Unique, error: failed(error, state) },
            // CockroachDB's way to say that it does not know whether it committed.
            "40003" => (Kind::Lost, "it cannot tell whether it committed"),
            "57014" => return Self { kind: Kind::Other, error: StoreError::TooSlow },
            "55P03" => (Kind::Other, "a lock was held for too long"),
            // A primary that has become a standby: another connection may find the new primary. A standby rejects
            // `BEGIN … READ WRITE` as not supported. The same code means that a table was changed under a prepared
            // statement, and a new connection helps there too.
            "25006" | "0A000" => (Kind::Standby, "it accepts no writes at present, or its tables were changed"),
            "25P03" | "25P04" | "57P05" => (Kind::Lost, "it closed the connection"),
            code if code.starts_with("57P0") => (Kind::Lost, "it is stopping or starting"),
            code if code.starts_with("08") => (Kind::Lost, "the connection was lost"),
            code if code.starts_with("58") => (Kind::Other, "its disk or operating system reported an error"),
            code if code.starts_with("53") => (Kind::Other, "it is out of connections, memory or disk space"),
            _ => return Self { kind: Kind::Other, error: failed(error, state) },
        };
        Self { kind, error: unavailable(&format!("{reason} (SQLSTATE {state})")) }
    }

    fn of_connection(error: &Error) -> Self {
        match error {
            Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _) => {
                Self::lost("the connection was lost")
            }
            _ => Self { kind: Kind::Other, error: store_error(error) },
        }
    }
}

impl From<Problem> for StoreError {
    fn from(problem: Problem) -> Self {
        problem.error
    }
}

/// Says on one line why connecting failed, and what to do.
pub(super) fn not_connected(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return refused_by_server(answer);
    }
    let mut causes = successors(std::error::Error::source(error), |cause| cause.source());
    match causes.find_map(|cause| cause.downcast_ref::<io::Error>()) {
        Some(error) => not_reached(error),
        None if one_line(error).contains("password missing") => {
            "the server asks for a password, and the URL has none: write postgres://user:password@host/database"
                .to_owned()
        }
        None => one_line(error),
    }
}

/// The server's message and advice about it.
fn refused_by_server(answer: &DbError) -> String {
    let code = answer.code().code();
    let advice = match code {
        "28000" => "the role must exist (CREATE ROLE … LOGIN), and pg_hba.conf must allow it to connect from this host",
        "28P01" => "check user and password in the URL: the server reports an unknown role in the same way",
        "3D000" => {
            "create the database, for example with `createdb --owner=ROLE DATABASE`, or correct its name in the URL"
        }
        "42501" => "grant the role the right to connect, or make it the owner of the database",
        "53300" => "raise the server's max_connections, or use fewer (PATRON_DATABASE_CONNECTIONS)",
        "57P03" => "try again soon",
        _ => return format!("the server says: {} (SQLSTATE {code})", answer.message().replace('\n', " ")),
    };
    format!("the server says: {} (SQLSTATE {code}); {advice}", answer.message().replace('\n', " "))
}

/// Says why the server could not be reached, and what to do.
pub(super) fn not_reached(error: &io::Error) -> String {
    // Our own errors, such as those about TLS, and errors of name resolution have no error number of the operating
    // system.
    if error.raw_os_error().is_none() {
        return match error.kind() {
            ErrorKind::UnexpectedEof => {
                "the connection was closed at once; check that PostgreSQL listens there".to_owned()
            }
            _ if error.to_string().contains("lookup address") => {
                "the name of the host has no address; check its spelling".to_owned()
            }
            _ => one_line(error),
        };
    }
    let text = match error.kind() {
        ErrorKind::ConnectionRefused => {
            "nothing listens there; check that PostgreSQL is running, and the host and port"
        }
        ErrorKind::NotFound => "the socket does not exist; check that PostgreSQL is running, and the folder",
        ErrorKind::PermissionDenied => "this user may not use the socket",
        ErrorKind::ConnectionReset => "the connection was closed at once; check that PostgreSQL listens there",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => "the host cannot be reached from here",
        ErrorKind::TimedOut => "the host does not answer",
        _ => return one_line(error),
    };
    text.to_owned()
}

/// An error with its causes, on one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let causes = successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")).replace('\n', "; ")
}

pub(super) fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable { reason: reason.to_owned() }
}

fn failed(error: &Error, state: SqlState) -> StoreError {
    let StoreError::Failed { reason } = store_error(error) else {
        return StoreError::Failed { reason: format!("SQLSTATE {state}") };
    };
    StoreError::Failed { reason: format!("{reason} (SQLSTATE {state})") }
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error};
    use patron_domain::store::StoreError;

    use super::{Kind, Problem};
    use crate::persistence::postgres::sqlstate::SqlState;

    /// An error of the server whose text must not be shown.
    fn problem(kind: DatabaseErrorKind, state: &str) -> Problem {
        let error = Error::DatabaseError(kind, Box::new("Key (external_id)=(acme) already exists.".to_owned()));
        let problem = Problem::new(&error, SqlState::parse(state.as_bytes()));
        assert!(!problem.error.to_string().contains("acme"));
        problem
    }

    #[test]
    fn temporary_errors_are_unavailable() {
        let cases = [
            ("40001", Kind::Conflict),
            ("40P01", Kind::Conflict),
            ("57P01", Kind::Lost),
            ("57P03", Kind::Lost),
            ("08006", Kind::Lost),
            ("25006", Kind::Standby),
            ("0A000", Kind::Standby),
            ("26000", Kind::Lost),
            ("42P05", Kind::Lost),
            ("58030", Kind::Other),
            ("40003", Kind::Lost),
            ("53100", Kind::Other),
            ("53300", Kind::Other),
            ("55P03", Kind::Other),
        ];
        for (state, kind) in cases {
            let problem = problem(DatabaseErrorKind::Unknown, state);
            assert_eq!(problem.kind, kind, "{state}");
            assert!(
                matches!(&problem.error, StoreError::Unavailable { reason } if reason.contains(state)),
                "{problem:?}"
            );
        }
        let slow = problem(DatabaseErrorKind::Unknown, "57014");
        assert_eq!((slow.kind, slow.error), (Kind::Other, StoreError::TooSlow));
        assert_eq!(problem(DatabaseErrorKind::UnableToSendCommand, "").kind, Kind::Lost);
    }

    #[test]
    fn other_errors_show_only_their_code() {
        for (kind, state) in [(DatabaseErrorKind::UniqueViolation, "23505"), (DatabaseErrorKind::Unknown, "42P01")] {
            let problem = problem(kind, state);
            assert_eq!(problem.kind, if state == "23505" { Kind::Unique } else { Kind::Other });
            assert!(matches!(&problem.error, StoreError::Failed { reason } if reason.contains(state)), "{problem:?}");
        }
    }
}
