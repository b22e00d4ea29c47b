//! Opening a database: how, and what can go wrong.

use std::path::PathBuf;

use patron_domain::store::StoreError;

/// How a database is opened.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// Whether a second process that opens the same SQLite file with this option is refused. Servers do, so that two of
    /// them never work over one file; the command line does not. PostgreSQL is made to be shared and ignores it.
    pub exclusive: bool,
    /// Whether a SQLite file that does not exist is made. Otherwise opening it is [`OpenError::Missing`], so that a
    /// mistyped path makes no empty database. A database of PostgreSQL has to exist anyway.
    pub create: bool,
    /// The most connections: of SQLite those that read (it has one more that writes, and one that holds the file's lock while
    /// many look-ups come), of PostgreSQL all but two for look-ups by key.
    pub connections: usize,
    /// The most writes that wait while others are committed; one more is refused as unavailable.
    pub write_queue: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { exclusive: false, create: true, connections: 8, write_queue: 1_024 }
    }
}

/// Why a database cannot be used. Each message says what to do, and none holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file does not exist, and the options do not allow making it.
    #[error("there is no database at {}", path.display())]
    Missing {
        /// The file, from the root of the file system.
        path: PathBuf,
    },
    /// The file cannot be opened or made.
    #[error("cannot open the SQLite file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another server works over the file.
    #[error(
        "another Patron server is using {}; stop it, or give this one another database (PATRON_DATABASE_URL). \
         For several servers over one database use PostgreSQL", path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The server cannot be reached, or refuses.
    #[error("cannot connect to {url}: {reason}")]
    Connect {
        /// Where, without the password.
        url: String,
        /// Why.
        reason: String,
    },
    /// The URL holds something that is wrong.
    #[error("the database URL is wrong: {reason}")]
    Url {
        /// Why.
        reason: String,
    },
    /// A newer Patron has changed the tables.
    #[error(
        "the database was migrated by a newer Patron (it has the migration {migration}, which this version does not \
         know); start that version or a later one"
    )]
    NewerSchema {
        /// The first migration that is unknown here.
        migration: String,
    },
    /// The tables cannot be brought up to date.
    #[error("the database cannot be migrated: {reason}")]
    Migrate {
        /// Why.
        reason: String,
    },
    /// This build has no support for the database.
    #[error("this build of Patron cannot use {0}; build it with the feature of that name")]
    NotBuilt(&'static str),
    /// The database failed otherwise.
    #[error(transparent)]
    Store(#[from] StoreError),
}
