//! The first API key of an empty database: how it reaches the operator without being lost or left readable.

use std::{
    fs::{File, OpenOptions, remove_file},
    io::{ErrorKind, IsTerminal, Write, stdout},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use patron_adapters::persistence::DatabaseUrl;
use patron_domain::tenancy::{ApiKeySecret, TenancyService};

use crate::{config::Settings, failure::Failure};

/// Creates a tenant, an environment and a first key if the database is empty.
///
/// The key is the configured one, or else a random one. A terminal shows a random key once, in a command that works.
/// Without a terminal the key goes to a file that only this user can read. The file is written before the database, so
/// a valid key is never lost.
pub(crate) async fn provide(settings: &Settings, service: &TenancyService, address: &str) -> Result<(), Failure> {
    if !service.is_empty().await.map_err(Failure::failed)? {
        if settings.bootstrap_key.is_some() {
            tracing::info!("PATRON_BOOTSTRAP_KEY is not used: the database has a tenant already");
        }
        tracing::info!("if all API keys are lost, create another: {}", way_back(settings));
        return Ok(());
    }
    if let Some(secret) = settings.bootstrap_key.clone() {
        if service.bootstrap(secret).await.map_err(Failure::failed)?.is_some() {
            tracing::info!("created a tenant and an environment; the first API key is PATRON_BOOTSTRAP_KEY");
        }
        return Ok(());
    }
    let secret = service.new_secret().map_err(Failure::failed)?;
    if stdout().is_terminal() {
        if service.bootstrap(secret.clone()).await.map_err(Failure::failed)?.is_some() {
            show(&secret, address, &way_back(settings));
        }
        return Ok(());
    }
    let path = file_path(settings);
    write_file(&path, &secret)?;
    let made = service.bootstrap(secret).await;
    if !matches!(made, Ok(Some(_))) {
        // Another instance was first, or bootstrap failed: the key in the file is not valid.
        let _ = remove_file(&path);
    }
    if made.map_err(Failure::failed)?.is_some() {
        let path = path.canonicalize().unwrap_or(path);
        tracing::info!(
            path = %path.display(),
            "created a tenant and an environment; the first API key is in the file: keep the key elsewhere and delete the \
             file. If the key is lost, create another: {}",
            way_back(settings)
        );
    }
    Ok(())
}

/// `patron.db.first-key` beside a SQLite file, `patron.first-key` in the working directory otherwise.
fn file_path(settings: &Settings) -> PathBuf {
    let mut name = settings.database_url.sqlite_path().unwrap_or(Path::new("patron")).as_os_str().to_owned();
    name.push(".first-key");
    PathBuf::from(name)
}

fn write_file(path: &Path, secret: &ApiKeySecret) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let reason = match error.kind() {
            ErrorKind::AlreadyExists => "the file exists already; move it away".to_owned(),
            _ => error.to_string(),
        };
        let path = path.display();
        Failure::failed(format!(
            "cannot write the first API key to {path}: {reason}, or choose the key yourself with PATRON_BOOTSTRAP_KEY"
        ))
    };
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    writeln!(file, "{}", secret.expose()).and_then(|()| file.sync_all()).map_err(failed)
}

/// The command that creates another key if all are lost. Database access is enough to run it. It contains no password.
fn way_back(settings: &Settings) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "patron".to_owned());
    let command = format!("{} keys create --name replacement --role super_admin --role tenant_admin", quoted(&program));
    match &settings.database_url {
        DatabaseUrl::Sqlite(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            format!("{command} --database-url {}", quoted(&format!("sqlite://{}", path.display())))
        }
        DatabaseUrl::Postgres(_) => format!("{command} (with the same settings for the database)"),
    }
}

/// Quotes a word for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Shows the key once, in a command that creates a customer.
fn show(secret: &ApiKeySecret, address: &str, way_back: &str) {
    let text = format!(
        r#"
Created a tenant, an environment and the first API key. The key is shown only once: keep it.
If it is lost, create another:

{way_back}

Create a customer:

curl --request POST '{address}/v1/customers' \
  --header 'x-api-key: {key}' \
  --header 'Content-Type: application/json' \
  --data '{{
    "external_id": "acme-1",
    "name": "Acme GmbH",
    "email": "billing@acme.example",
    "address_city": "Berlin",
    "address_country": "DE",
    "timezone": "Europe/Berlin",
    "metadata": {{ "plan": "gold" }},
    "integration_entity_mapping": [
      {{ "provider_type": "stripe", "provider_entity_id": "cus_123" }}
    ]
  }}'
"#,
        key = secret.expose(),
    );
    // Standard output is a terminal. If it is gone, the key cannot be shown.
    let _ = writeln!(stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, expected) in [
            ("sqlite:///var/lib/p-1.db", "sqlite:///var/lib/p-1.db"),
            ("/home/a b/p.db", "'/home/a b/p.db'"),
            ("$(x)'s", r"'$(x)'\''s'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
