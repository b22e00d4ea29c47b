//! The address of a database.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// The address of a database: `sqlite://path` or `postgres://…`. `Debug` and `Display` never show a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file: `sqlite://patron.db` in the working directory, `sqlite:///var/lib/patron/patron.db` elsewhere.
    Sqlite(PathBuf),
    /// A PostgreSQL database, with a URL in libpq's form.
    Postgres(PostgresUrl),
}

/// A URL in the form of libpq (PostgreSQL, section 34.1.1.2). It may contain a password, so `Debug` and `Display` show
/// only the host and the database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// The error of an invalid database URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Another scheme or none.
    #[error("the database URL must start with sqlite:// or postgres://, for example sqlite://patron.db")]
    Scheme,
    /// No path after `sqlite://`.
    #[error("the database URL has no file: write sqlite://patron.db or sqlite:///absolute/path/patron.db")]
    NoPath,
    /// A query or a fragment after the path. Options of SQLite are not supported.
    #[error("the database URL must end with the file's path: no '?' and no '#' (Patron sets SQLite's options itself)")]
    Options,
}

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// For any scheme except `sqlite`, `postgres` and `postgresql`: a mistyped URL must not create a SQLite file.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        match text.split_once("://") {
            Some(("sqlite", "")) => Err(DatabaseUrlError::NoPath),
            Some(("sqlite", path)) if path.contains(['?', '#']) || path.starts_with(':') => {
                Err(DatabaseUrlError::Options)
            }
            Some(("sqlite", path)) => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(PostgresUrl(text.to_owned()))),
            _ => Err(DatabaseUrlError::Scheme),
        }
    }

    /// The path of the file, for SQLite.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl PostgresUrl {
    /// The whole URL, including its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => fmt::Display::fmt(url, f),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        // The first '@' ends user and password, which may contain '?' and '#'. A further one means that they contain
        // '@' too. Then the text before it may belong to them, and is not shown.
        let behind = rest.split_once('@').map_or(rest, |(_, behind)| behind);
        let (place, options) = behind.split_at(behind.find(['?', '#']).unwrap_or(behind.len()));
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        write!(f, "postgres://{}", if options.contains('@') { "…" } else { place })
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{DatabaseUrl, DatabaseUrlError};

    #[test]
    fn relative_and_absolute_files_are_sqlite() {
        let path = |url: &str| DatabaseUrl::parse(url).unwrap().sqlite_path().map(Path::to_owned);
        assert_eq!(path("sqlite://patron.db").as_deref(), Some(Path::new("patron.db")));
        assert_eq!(path("sqlite:///var/lib/p.db").as_deref(), Some(Path::new("/var/lib/p.db")));
    }

    #[test]
    fn other_schemes_are_rejected() {
        for bad in ["", "patron.db", "mysql://h/db", "sqlite:patron.db", "SQLITE://x", "file://x", "postgre://h/d"] {
            assert_eq!(DatabaseUrl::parse(bad), Err(DatabaseUrlError::Scheme), "{bad}");
        }
        assert_eq!(DatabaseUrl::parse("sqlite://"), Err(DatabaseUrlError::NoPath));
        assert_eq!(DatabaseUrl::parse("sqlite://a.db?mode=ro"), Err(DatabaseUrlError::Options));
        assert_eq!(DatabaseUrl::parse("sqlite://:memory:"), Err(DatabaseUrlError::Options));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::parse("postgres://user:p@ss@db.example:5432/patron?password=again").unwrap();
        assert_eq!(format!("{url} {url:?}"), "postgres://db.example:5432/patron postgres://db.example:5432/patron");
        for url in [
            "postgres://user:s3cret#s3cret@db/patron",
            "postgres://user:s3cret?s3cret@db/patron",
            "postgres://user:s3cret/s3cret@db/patron?password=s3cret",
            "postgres://user:s3cret@s3cret?s3cret@db/patron",
            "postgres://user:s3cret@db/patron?password=s3c@s3cret",
            "postgres://db/patron?password=s3cret",
        ] {
            let shown = DatabaseUrl::parse(url).unwrap().to_string();
            assert!(!shown.contains("s3c"), "{url}: {shown}");
            assert!(shown == "postgres://…" || shown == "postgres://db/patron", "{url}: {shown}");
        }
    }
}
