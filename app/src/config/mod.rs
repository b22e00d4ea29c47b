//! Configuration: defaults, then the file, then the environment, then flags; the later wins.

mod error;
mod settings;

use std::path::PathBuf;

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};

pub(crate) use self::settings::{LogFormat, LogLevel, Settings};
use crate::{cli::Cli, failure::Failure};

/// What every variable starts with.
const PREFIX: &str = "PATRON_";

/// Reads all settings and checks them.
pub(crate) fn load(cli: &Cli) -> Result<Settings, Failure> {
    let file = cli.config.clone().or_else(|| std::env::var_os("PATRON_CONFIG").map(PathBuf::from));
    let mut figment = Figment::from(Serialized::defaults(settings::Raw::default()));
    if let Some(file) = file {
        // A file that is named has to be there: figment itself would pass over it.
        std::fs::metadata(&file).map_err(|error| {
            Failure::configuration(format!("the configuration file {} cannot be read: {error}", file.display()))
        })?;
        figment = figment.merge(Toml::file_exact(file));
    }
    // The name of the file is the one variable that is no setting.
    let environment = Env::prefixed(PREFIX).ignore(&["config"]);
    let figment = figment.merge(environment).merge(Serialized::defaults(&cli.settings));
    let raw: settings::Raw = figment.extract().map_err(|error| Failure::configuration(error::explain(&error)))?;
    raw.check().map_err(Failure::configuration)
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "figment's own test harness")]
mod tests {
    use clap::Parser;
    use figment::Jail;

    use super::load;
    use crate::cli::Cli;

    fn cli(arguments: &[&str]) -> Cli {
        Cli::parse_from(["patron"].iter().chain(arguments))
    }

    fn complaint(arguments: &[&str]) -> String {
        load(&cli(arguments)).unwrap_err().message().to_owned()
    }

    #[test]
    fn nothing_needs_to_be_configured() {
        Jail::expect_with(|_| {
            let settings = load(&cli(&["serve"])).unwrap();
            assert_eq!(settings.database_url.to_string(), "sqlite://patron.db");
            assert_eq!((settings.address.to_string().as_str(), settings.port), ("127.0.0.1", 8080));
            Ok(())
        });
    }

    #[test]
    fn flags_win_over_variables_and_these_over_the_file() {
        Jail::expect_with(|jail| {
            jail.create_file("p.toml", "port = 1\naddress = \"0.0.0.0\"\nlog_level = \"warn\"\n")?;
            jail.set_env("PATRON_CONFIG", "p.toml");
            jail.set_env("PATRON_PORT", "2");
            jail.set_env("PATRON_ADDRESS", "::1");
            let settings = load(&cli(&["serve", "--port", "3"])).unwrap();
            assert_eq!((settings.port, settings.address.to_string().as_str()), (3, "::1"));
            assert_eq!(settings.log_level, super::LogLevel::Warn);
            Ok(())
        });
    }

    #[test]
    fn unknown_keys_are_refused_wherever_they_stand() {
        Jail::expect_with(|jail| {
            jail.create_file("p.toml", "prot = 1\n")?;
            let told = complaint(&["serve", "--config", "p.toml"]);
            assert!(told.contains("prot") && told.contains("p.toml"), "{told}");
            jail.set_env("PATRON_DATABSE_URL", "x");
            let told = complaint(&["serve"]);
            assert!(told.contains("PATRON_DATABSE_URL"), "{told}");
            Ok(())
        });
    }

    #[test]
    fn wrong_values_are_refused_by_name_and_secrets_not_repeated() {
        Jail::expect_with(|jail| {
            for (variable, value) in [
                ("PATRON_PORT", "70000"),
                ("PATRON_ADDRESS", "localhost"),
                ("PATRON_DATABASE_URL", "mysql://root:hunter2@h/d"),
                ("PATRON_BOOTSTRAP_KEY", "hunter2"),
                ("PATRON_LOG_FORMAT", "xml"),
                ("PATRON_BODY_LIMIT_BYTES", "1"),
                ("PATRON_BODY_TIMEOUT_SECONDS", "0"),
                ("PATRON_CORS_ORIGINS", "example.com"),
                ("PATRON_METRICS_ADDRESS", "9090"),
                ("PATRON_WORKERS", "0"),
                ("PATRON_DATABASE_CONNECTIONS", "0"),
                ("PATRON_EVENTS_DAYS", "0"),
                ("PATRON_EVENTS_DAYS", "1"),
                ("PATRON_IDEMPOTENCY_HOURS", "0"),
                ("PATRON_SECRETS_KEY", "hunter2"),
                ("PATRON_WEBHOOKS_LEASE_SECONDS", "1"),
                ("PATRON_WEBHOOKS_RETRY_SECONDS", "0"),
                ("PATRON_WEBHOOKS_DISABLE_AFTER_SECONDS", "0"),
                ("PATRON_WEBHOOKS_RETENTION_HOURS", "0"),
            ] {
                jail.set_env(variable, value);
                let told = complaint(&["serve"]);
                assert!(told.contains(variable), "{variable}: {told}");
                assert!(!told.contains("hunter2"), "{told}");
                jail.clear_env();
            }
            Ok(())
        });
    }

    #[test]
    fn messages_name_what_is_allowed_in_plain_words() {
        Jail::expect_with(|jail| {
            for (variable, value, words) in [
                ("PATRON_PORT", "", "whole number from 0 to 65535"),
                ("PATRON_WORKERS", "-1", "whole number"),
                ("PATRON_LOG_FORMAT", "xml", "must be one of auto, human, json"),
                ("PATRON_LOG_LEVEL", "1", "one of error, warn, info, debug"),
            ] {
                jail.set_env(variable, value);
                let told = complaint(&["serve"]);
                assert!(told.contains(words) && !told.contains("xml"), "{told}");
                jail.clear_env();
            }
            Ok(())
        });
    }

    #[test]
    fn a_file_that_is_no_toml_is_not_quoted() {
        Jail::expect_with(|jail| {
            jail.create_file("p.toml", "port = 1\nbootstrap_key = \"sk_hunter2\n")?;
            let told = complaint(&["serve", "--config", "p.toml"]);
            assert!(told.contains("line 2") && told.contains("invalid"), "{told}");
            assert!(!told.contains("hunter2") && !told.contains('\n'), "{told}");
            Ok(())
        });
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there() {
        Jail::expect_with(|_| {
            let told = complaint(&["serve", "--config", "missing.toml"]);
            assert!(told.contains("missing.toml"), "{told}");
            Ok(())
        });
    }
}
