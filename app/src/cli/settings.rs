//! Settings as flags. Each also has an environment variable.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::value;
use crate::config::{LogFormat, LogLevel};

/// Flags of every command that uses the database, accepted before and after the command's name.
#[derive(Debug, Default, Args, Serialize)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingFlags {
    /// A configuration file in TOML [PATRON_CONFIG].
    ///
    /// Its keys are the variable names without PATRON_, in lower case: port = 8080.
    #[arg(long, global = true, value_name = "FILE", display_order = 1)]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,

    /// The location of the database [PATRON_DATABASE_URL].
    ///
    /// A SQLite file, for example sqlite://patron.db (the default) or sqlite:///var/lib/patron/patron.db, or a
    /// PostgreSQL database, for example postgres://patron@db.example.com/patron. Put passwords into the variable or
    /// into a file (PATRON_DATABASE_URL_FILE), because other users of the machine can see flags.
    #[arg(long, global = true, value_name = "URL", display_order = 2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    database_url: Option<String>,

    /// The log format: auto, human or json [PATRON_LOG_FORMAT].
    #[arg(long, global = true, value_name = "FORMAT", hide_possible_values = true, display_order = 5)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_format: Option<LogFormat>,

    /// The log level: error, warn, info or debug [PATRON_LOG_LEVEL].
    #[arg(long, global = true, value_name = "LEVEL", hide_possible_values = true, display_order = 6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_level: Option<LogLevel>,
}

/// Flags that only the server takes.
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

/// Replaces [`SettingFlags`] in commands without a database: the flags are accepted before the command's name and left
/// out of its help.
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
