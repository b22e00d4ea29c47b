//! The command line.

mod customers;
mod database;
mod events;
mod privacy;
mod settings;
mod tenancy;
mod value;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use self::settings::{NoSettings, ServeFlags, SettingFlags};
pub(crate) use self::{
    customers::{Customers, Diff, Export, Find, Generate, History, Import, NamedCustomer, Onboarding, Show},
    database::{CopyFlags, Databases},
    events::{Events, Listen, ReplayFlags, Webhooks},
    privacy::{OneRequest, Privacy, RequestFlags},
    tenancy::{Environments, Keys, ListFlags, Secrets, Tenants},
};
use crate::config;

/// A customer registry for billing systems.
///
/// Settings come from flags, then environment variables (PATRON_…), then the configuration file, then defaults.
#[derive(Debug, Parser)]
#[command(name = "patron", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: SettingFlags,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API.
    ///
    /// On an empty database it first creates a tenant, an environment and an API key. A missing SQLite file is created.
    #[command(after_long_help = config::help())]
    Serve(ServeFlags),
    /// Bring the tables of a database up to date.
    Migrate,
    /// Copy a database, or distribute it over several servers.
    #[command(subcommand)]
    Database(Databases),
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Create and list tenants.
    #[command(subcommand)]
    Tenants(Tenants),
    /// Create and list environments.
    #[command(subcommand)]
    Environments(Environments),
    /// Follow the log of events, or export it.
    #[command(subcommand)]
    Events(Events),
    /// Receive webhooks on this machine, or send events again.
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// Encrypt stored secrets with another key.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Import, export, find and compare customers, or generate made-up ones.
    #[command(subcommand)]
    Customers(Customers),
    /// Erase customers, prove it, and hand over what is held about them.
    #[command(subcommand)]
    Privacy(Privacy),
    /// List onboarding runs that need a person, and retry them.
    #[command(subcommand)]
    Onboarding(Onboarding),
    /// Print a script that lets your shell complete commands.
    ///
    /// For bash: patron completions bash > ~/.local/share/bash-completion/completions/patron
    Completions {
        /// The shell.
        shell: Shell,
        #[command(flatten)]
        none: NoSettings,
    },
    /// Print the manual page of a command.
    ///
    /// To read it: patron man keys create | man -l -
    Man(Man),
}

/// The manual pages to write.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command, such as: keys create. Without one, the page of the whole program.
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands into this folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    none: NoSettings,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every command as the full list of its names, from the program's name on.
    fn commands() -> Vec<(String, Command)> {
        fn below(names: &str, command: &Command, all: &mut Vec<(String, Command)>) {
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                let names = format!("{names} {}", sub.get_name());
                below(&names, sub, all);
                all.push((names, sub.clone()));
            }
        }
        let mut all = Vec::new();
        let mut root = Cli::command();
        root.build();
        below("patron", &root, &mut all);
        all.push(("patron".to_owned(), root));
        all
    }

    #[test]
    fn help_shows_a_commands_own_options_first_and_the_settings_that_matter_to_it() {
        for (names, mut command) in commands() {
            let help = command.render_long_help().to_string();
            let place = |text: &str| help.find(text);
            let settings = place("\nSettings:");
            let without = ["patron completions", "patron man", "patron privacy verify", "patron webhooks listen"]
                .contains(&names.as_str());
            assert_eq!(settings.is_none(), without, "{names}: {help}");
            assert_eq!(place("--database-url").is_none(), without, "{names}: {help}");
            assert!(place("\nOptions:") < settings || without, "{names}: {help}");
            let listens = ["patron serve", "patron webhooks listen"].contains(&names.as_str());
            assert_eq!(place("--port").is_some(), listens, "{names}: {help}");
            assert_eq!(place("--address").is_some(), names == "patron serve", "{names}: {help}");
        }
    }

    #[test]
    fn each_command_says_what_it_does_in_one_line() {
        for (names, command) in commands() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && about.chars().count() <= 80, "{names}: {about}");
        }
    }

    #[test]
    fn settings_are_accepted_before_and_after_the_command() {
        for arguments in [["patron", "--database-url", "x", "migrate"], ["patron", "migrate", "--database-url", "x"]] {
            let matches = Cli::command().try_get_matches_from(arguments).unwrap();
            let command = matches.subcommand_matches("migrate").unwrap();
            assert_eq!(command.get_one::<String>("database_url").map(String::as_str), Some("x"));
        }
        Cli::command().try_get_matches_from(["patron", "--config", "p.toml", "completions", "bash"]).unwrap();
    }
}
