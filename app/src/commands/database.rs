//! `patron database`

use patron_adapters::persistence::{Database, DatabaseUrl, OpenError, copy};

use super::output;
use crate::{
    cli::{CopyFlags, Databases},
    config::Settings,
    failure::Failure,
};

pub(super) async fn run(settings: &Settings, command: Databases) -> Result<(), Failure> {
    match command {
        Databases::Copy(flags) => copy_all(settings, flags).await,
        Databases::Distribute => match Database::distribute(&settings.database_url).await {
            Ok(true) => output::line("the tables are distributed over the workers by environment"),
            Ok(false) => output::line("the tables are distributed already"),
            Err(error @ OpenError::Url { .. }) => Err(Failure::configuration(error)),
            Err(error) => Err(Failure::failed(error)),
        },
    }
}

async fn copy_all(settings: &Settings, flags: CopyFlags) -> Result<(), Failure> {
    let read =
        |flag: &str, text: &str| DatabaseUrl::parse(text).map_err(|error| Failure::flag(format!("{flag}: {error}")));
    let from = match &flags.from {
        Some(text) => read("from", text)?,
        None => settings.database_url.clone(),
    };
    let to = match (flags.to, flags.to_file) {
        (Some(text), _) => read("to", &text)?,
        (None, Some(file)) => {
            let unreadable = |error| Failure::flag(format!("to-file: cannot read {}: {error}", file.display()));
            read("to-file", std::fs::read_to_string(&file).map_err(unreadable)?.trim())?
        }
        (None, None) => return Err(Failure::flag("to is missing: name the target")),
    };
    let mut rows = 0;
    let mut copied = |table: &'static str, count: u64| {
        rows += count;
        output::note(format!("{table}: {count}"));
    };
    copy(&from, &to, &mut copied).await.map_err(Failure::failed)?;
    output::line(format!("copied {rows} rows from {from} to {to}"))
}
