//! The sources of settings, and the messages about wrong ones.
#![expect(clippy::result_large_err, reason = "figment's own test harness")]

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
fn unknown_names_are_rejected_with_a_suggestion() {
    Jail::expect_with(|jail| {
        for (file, expected) in [
            ("log_level = \"warn\"\nprot = 1\n", "prot (p.toml, line 2) is not a setting; did you mean port?"),
            ("PATRON_PORT = 1\n", "PATRON_PORT (p.toml, line 1) is not a setting; in a file, write port"),
            ("Port = 1\n", "Port (p.toml, line 1) is not a setting; in a file, write port"),
            ("patron_prot = 1\n", "patron_prot (p.toml, line 1) is not a setting; did you mean port?"),
            ("[serve]\nport = 1\n", "serve (p.toml, line 1) is not a setting; settings belong at the top of the file"),
            ("zzz = 1\n", "zzz (p.toml, line 1) is not a setting; `patron serve --help` lists them all"),
        ] {
            jail.create_file("p.toml", file)?;
            let complaint = complaint(&["serve", "--config", "p.toml"]);
            assert!(complaint.starts_with(expected), "{complaint}");
        }
        for (variable, expected) in [
            ("PATRON_FOO", "PATRON_FOO is not a setting; unset it, or correct its name: `patron serve --help`"),
            ("PATRON_DATABSE_URL", "PATRON_DATABSE_URL is not a setting; did you mean PATRON_DATABASE_URL?"),
            ("PATRON_SERVICE_HOST", "PATRON_SERVICE_HOST is not a setting; if Kubernetes sets it"),
        ] {
            jail.set_env(variable, "1");
            let complaint = complaint(&["serve"]);
            assert!(complaint.starts_with(expected), "{complaint}");
            jail.clear_env();
        }
        Ok(())
    });
}

#[test]
fn errors_name_the_place_of_the_setting() {
    Jail::expect_with(|jail| {
        jail.create_file("p.toml", "\nworkers = 0\ndatabase_url = \"x\"\naddress = \"localhost\"\n")?;
        jail.create_file("q.toml", "workers = \"many\"\n")?;
        for (arguments, expected) in [
            (&["serve", "--config", "p.toml"][..], "address (p.toml, line 4) must be an IP address, such as 127.0.0.1"),
            (&["serve", "--config", "p.toml", "--address", "::1"], "workers (p.toml, line 2) must be from 1 to 1024"),
            (&["serve", "--config", "q.toml"], "workers (q.toml, line 1) must be a whole number"),
            (&["serve", "--database-url", "x"], "--database-url: the database URL must start with sqlite://"),
        ] {
            let complaint = complaint(arguments);
            assert!(complaint.starts_with(expected), "{complaint}");
        }
        Ok(())
    });
}

#[test]
fn secrets_are_read_from_files() {
    Jail::expect_with(|jail| {
        let key = format!("sk_{}", "x".repeat(40));
        jail.create_file("url", "sqlite://other.db\n")?;
        jail.create_file("key", &format!("{key}\r\n"))?;
        jail.create_file("seal", &format!("{}, {}\n", "0a".repeat(32), "0b".repeat(32)))?;
        jail.set_env("PATRON_DATABASE_URL_FILE", "url");
        jail.set_env("PATRON_BOOTSTRAP_KEY_FILE", "key");
        jail.set_env("PATRON_SECRETS_KEY_FILE", "seal");
        let settings = load(&cli(&["serve"])).unwrap();
        assert_eq!(settings.database_url.to_string(), "sqlite://other.db");
        assert_eq!(settings.database_set_by.as_deref(), Some("PATRON_DATABASE_URL_FILE (url)"));
        assert_eq!(settings.bootstrap_key.unwrap().expose(), key);
        assert_eq!(settings.webhooks.secrets_keys.len(), 2);
        Ok(())
    });
}

#[test]
fn of_a_secret_and_its_file_the_stronger_place_wins() {
    Jail::expect_with(|jail| {
        jail.create_file("url", "sqlite://of-file.db")?;
        jail.create_file("p.toml", "database_url = \"sqlite://in-toml.db\"\n")?;
        let url = |arguments: &[&str]| load(&cli(arguments)).unwrap().database_url.to_string();
        jail.set_env("PATRON_DATABASE_URL_FILE", "url");
        assert_eq!(url(&["serve", "--config", "p.toml"]), "sqlite://of-file.db");
        assert_eq!(url(&["serve", "--database-url", "sqlite://flag.db"]), "sqlite://flag.db");
        jail.set_env("PATRON_DATABASE_URL", "sqlite://variable.db");
        assert_eq!(url(&["serve", "--database-url", "sqlite://flag.db"]), "sqlite://flag.db");
        let complaint = complaint(&["serve"]);
        assert!(complaint.contains("PATRON_DATABASE_URL_FILE and PATRON_DATABASE_URL are both set"), "{complaint}");
        Ok(())
    });
}

#[test]
fn errors_name_an_unusable_secrets_file() {
    Jail::expect_with(|jail| {
        jail.create_file("empty", "\n")?;
        jail.create_file("bad", "hunter2\n")?;
        jail.create_file("long", &"x".repeat(70_000))?;
        for (file, expected) in [
            ("missing", "there is no file missing"),
            (".", "is a folder"),
            ("empty", "empty is empty"),
            ("long", "cannot be read: it is too long"),
            ("bad", "PATRON_SECRETS_KEY_FILE (bad): each key must be 32 bytes"),
        ] {
            jail.set_env("PATRON_SECRETS_KEY_FILE", file);
            let complaint = complaint(&["serve"]);
            assert!(complaint.starts_with("PATRON_SECRETS_KEY_FILE") && complaint.contains(expected), "{complaint}");
            assert!(!complaint.contains("hunter2"), "{complaint}");
        }
        Ok(())
    });
}

#[test]
fn a_bootstrap_key_needs_at_least_32_characters() {
    Jail::expect_with(|jail| {
        jail.set_env("PATRON_BOOTSTRAP_KEY", format!("sk_{}", "x".repeat(28)));
        let complaint = complaint(&["serve"]);
        assert!(complaint.starts_with("PATRON_BOOTSTRAP_KEY: it must start with sk_ and have 32 to"), "{complaint}");
        jail.set_env("PATRON_BOOTSTRAP_KEY", format!("sk_{}", "x".repeat(29)));
        assert!(load(&cli(&["serve"])).is_ok());
        Ok(())
    });
}

#[test]
fn errors_about_values_name_the_setting_and_repeat_no_secret() {
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
fn errors_describe_the_accepted_values() {
    Jail::expect_with(|jail| {
        for (variable, value, words) in [
            ("PATRON_PORT", "", "must be a whole number from 0 to 65535, such as 8080"),
            ("PATRON_WORKERS", "-1", "must be a whole number"),
            ("PATRON_WRITE_QUEUE", "many", "must be a whole number, such as 1024"),
            ("PATRON_WEBHOOKS_DELIVER", "xml", "must be true or false"),
            ("PATRON_ADDRESS", "xml", "must be an IP address, such as 127.0.0.1"),
            ("PATRON_METRICS_ADDRESS", "9090", "must be an IP address with a port, such as 127.0.0.1:9090"),
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
fn errors_about_invalid_toml_name_the_file_without_quoting_it() {
    Jail::expect_with(|jail| {
        jail.create_file("p.toml", "port = 1\nbootstrap_key = \"sk_hunter2\n")?;
        let complaint = complaint(&["serve", "--config", "p.toml"]);
        let expected = "p.toml is not valid TOML: line 2, column 28: invalid basic string; write settings as in port";
        assert!(complaint.starts_with(expected), "{complaint}");
        assert!(complaint.contains("port = 8080"), "{complaint}");
        assert!(!complaint.contains("hunter2") && !complaint.contains('\n'), "{complaint}");
        Ok(())
    });
}

#[test]
fn a_named_file_must_exist() {
    Jail::expect_with(|jail| {
        assert_eq!(complaint(&["serve", "--config", "missing.toml"]), "--config: there is no file missing.toml");
        assert_eq!(complaint(&["serve", "--config", "."]), "--config: . is a folder; name a file in it");
        jail.set_env("PATRON_CONFIG", "missing.toml");
        assert_eq!(complaint(&["serve"]), "PATRON_CONFIG: there is no file missing.toml");
        Ok(())
    });
}
