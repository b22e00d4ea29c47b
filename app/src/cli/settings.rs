//! Settings as flags. Each has a variable of the same name.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::value;
use crate::config::{LogFormat, LogLevel};

/// Flags of every command that uses the database. They stand before its name or after it.
#[derive(Debug, Default, Args, Serialize)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingFlags {
    /// A configuration file in TOML [PATRON_CONFIG].
    ///
    /// Its keys are the variables' names without PATRON_, in lower case: port = 8080.
    #[arg(long, global = true, value_name = "FILE", display_order = 1)]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,

    /// Where the database is [PATRON_DATABASE_URL].
    ///
    /// A SQLite file, such as sqlite://patron.db (the default) or sqlite:///var/lib/patron/patron.db, or a database of
    /// PostgreSQL, such as postgres://patron@db.example.com/patron. Put a password into the variable or into a file
    /// (PATRON_DATABASE_URL_FILE) rather than here, where other users of the machine can see it.
    #[arg(long, global = true, value_name = "URL", display_order = 2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    database_url: Option<String>,

    /// How logs look: auto, human or json [PATRON_LOG_FORMAT].
    #[arg(long, global = true, value_name = "FORMAT", hide_possible_values = true, display_order = 5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_format: Option<LogFormat>,

    /// How much is logged: error, warn, info or debug [PATRON_LOG_LEVEL].
    #[arg(long, global = true, value_name = "LEVEL", hide_possible_values = true, display_order = 6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_level: Option<LogLevel>,
}

/// Flags of the server alone.
#[derive(Debug, Default, Args, Serialize)]
#[command(next_help_heading = "Settings")]
pub(crate) struct ServeFlags {
    /// The IP address to listen on [PATRON_ADDRESS].
    #[arg(long, value_parser = value::address, value_name = "IP", display_order = 3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,

    /// The port to listen on, 0 for any free one [PATRON_PORT].
    #[arg(long, value_parser = value::port, display_order = 4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

/// Takes the place of [`SettingFlags`] in a command that uses no database: they may stand before its name, and are not
/// shown in its help.
#[derive(Debug, Args)]
pub(crate) struct NoSettings {
    #[arg(long, hide = true)]
    config: Option<PathBuf>,
    #[arg(long, hide = true)]
    database_url: Option<String>,
    #[arg(long, hide = true)]
    log_format: Option<LogFormat>,
    #[arg(long, hide = true)]
    log_level: Option<LogLevel>,
}
