//! Options for opening a database, and the errors of opening it.

use std::{path::PathBuf, time::Duration};

use patron_domain::store::StoreError;

use super::timeout::TIMEOUT;

/// Options for opening a database.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// Whether to reject a second process that opens the same SQLite file with this option. Servers set it, so two of
    /// them never share a file; the command line does not. Ignored for PostgreSQL, which is made to be shared.
    pub exclusive: bool,
    /// Whether to create a missing SQLite file. Otherwise opening it fails with [`OpenError::Missing`], so a mistyped
    /// path creates no empty database. A PostgreSQL database must exist in any case.
    pub create: bool,
    /// The most connections for lists, searches and other work that may take long. Environments take turns at them. Short
    /// work has its own connections: on SQLite four for look-ups by key and one that writes; on PostgreSQL two for
    /// look-ups of customers, and four for other look-ups, changes of customers and background work.
    pub connections: usize,
    /// The most writes in the queue. A further one is rejected as unavailable.
    pub write_queue: usize,
    /// Whether each shared commit contains changes of one environment only, so a slow transaction does not delay other
    /// environments. Ignored for SQLite, which has one writer. Always on if Citus distributes the tables.
    pub commits_by_environment: bool,
    /// How long a caller waits for an answer, whatever happens to the database. The time-outs of statements, commits
    /// and connections are derived from it.
    pub timeout: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            exclusive: false,
            create: true,
            connections: 8,
            write_queue: 1_024,
            commits_by_environment: false,
            timeout: TIMEOUT,
        }
    }
}

/// The error of opening a database. Messages say what to do, and never contain a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file does not exist, and the options do not allow creating it.
    #[error("no database exists at {}", path.display())]
    Missing {
        /// The absolute path of the file.
        path: PathBuf,
    },
    /// The file cannot be opened or created.
    #[error("cannot open the SQLite file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Another server uses the file.
    #[error(
        "another Patron server is using {}; stop it, or give this one another database (PATRON_DATABASE_URL). \
         For several servers over one database use PostgreSQL", path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The server cannot be reached, or rejects the connection.
    #[error("cannot connect to {url}: {reason}")]
    Connect {
        /// The address, without the password.
        url: String,
        /// The reason.
        reason: String,
    },
    /// The URL is invalid.
    #[error("the database URL is invalid: {reason}")]
    Url {
        /// The reason.
        reason: String,
    },
    /// A newer Patron has changed the tables.
    #[error(
        "the database was migrated by a newer Patron (it has the migration {migration}, which this version does not \
         know); start that version or a later one"
    )]
    NewerSchema {
        /// The first migration that this version does not know.
        migration: String,
    },
    /// The tables cannot be migrated.
    #[error("the database cannot be migrated: {reason}")]
    Migrate {
        /// The reason.
        reason: String,
    },
    /// This build has no support for the database.
    #[error("this build of Patron cannot use {0}; build it with the feature of that name")]
    NotBuilt(&'static str),
    /// The database failed in another way.
    #[error(transparent)]
    Store(#[from] StoreError),
}
