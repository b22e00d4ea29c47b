//! `patron database`

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Databases {
    /// Copy a whole database into another one, SQLite or PostgreSQL.
    ///
    /// Copies everything: ids, keys, the log of events, webhooks and their positions. The target must be empty. Counts
    /// and hashes of all tables are compared before anything is committed. Stop all servers of the source first,
    /// because later writes are not copied.
    Copy(CopyFlags),
    /// Distribute the tables of a PostgreSQL database over the workers of Citus.
    ///
    /// All data of an environment stays together on one worker. Needs Citus 11 or later, and the URL of the
    /// coordinator. Stop all servers first.
    Distribute,
}

/// The source and the target.
#[derive(Debug, Args)]
pub(crate) struct CopyFlags {
    /// The source, such as sqlite://patron.db; by default the configured database.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,
    /// The target, such as postgres://patron@db.example.com/patron.
    #[arg(long, value_name = "URL", required_unless_present = "to_file")]
    pub(crate) to: Option<String>,
    /// A file with the URL of the target, because other users of the machine can see --to.
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    pub(crate) to_file: Option<PathBuf>,
}
