//! The implementation of each command.

mod chain;
mod customers;
mod database;
mod environments;
mod events;
mod help;
mod keys;
mod onboarding;
mod only;
mod output;
mod privacy;
mod secrets;
mod tenants;
mod webhooks;

use patron_adapters::persistence::Database;
use patron_domain::page::PageRequest;
use tokio::runtime::Runtime;

use self::only::{caller, environment, tenant};
use crate::{
    cli::{Cli, Command, Events, ListFlags, Privacy, Tenants, Webhooks},
    config::{self, LogFormat, LogLevel, Settings},
    failure::Failure,
    logging, serve,
    wiring::{self, Opening},
};

/// Runs a command to its end.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Completions { shell, .. } => help::completions(shell),
        Command::Man(man) => help::man(&man),
        Command::Privacy(Privacy::Verify { receipt, key, .. }) => privacy::verify(&receipt, &key),
        Command::Events(Events::Verify { file: Some(file), head, .. }) => chain::verify_file(&file, head),
        Command::Webhooks(Webhooks::Listen(listen)) => {
            // This command uses no setting.
            logging::start(LogFormat::Auto, LogLevel::Info);
            runtime(1, 1)?.block_on(webhooks::listen(listen))
        }
        _ => {
            let settings = config::load(&cli)?;
            logging::start(settings.log_format, settings.log_level);
            // SQLite is read on blocking threads: one for each connection, and a few for files.
            let runtime = runtime(settings.workers, settings.database_connections + 8)?;
            runtime.block_on(over_database(cli.command, settings))
        }
    }
}

fn runtime(workers: usize, blocking: usize) -> Result<Runtime, Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().worker_threads(workers).max_blocking_threads(blocking);
    runtime.build().map_err(|error| Failure::failed(format!("cannot start worker threads: {error}")))
}

async fn over_database(command: Command, settings: Settings) -> Result<(), Failure> {
    let command = match command {
        Command::Serve(_) => return serve::serve(settings).await,
        Command::Database(command) => return database::run(&settings, command).await,
        other => other,
    };
    // A command in the wrong folder, or with a mistyped path, must not create an unwanted database.
    let create = matches!(command, Command::Tenants(Tenants::Create { create_database: true, .. }));
    // Opening the database brings its tables up to date, under a lock that running servers respect.
    let database = wiring::open(&settings, Opening { exclusive: false, create }).await?;
    let outcome = on(&settings, &database, command).await;
    database.close().await;
    outcome
}

async fn on(settings: &Settings, database: &Database, command: Command) -> Result<(), Failure> {
    let service = wiring::tenancy(settings, database);
    match command {
        Command::Migrate => output::line("the database is up to date"),
        Command::Keys(command) => keys::run(&service, command).await,
        Command::Tenants(command) => tenants::run(&service, command).await,
        Command::Environments(command) => environments::run(&service, command).await,
        Command::Events(command) => events::run(database, &service, command).await,
        Command::Secrets(command) => {
            secrets::run(settings, database, &wiring::webhooks(settings, database), command).await
        }
        Command::Onboarding(command) => {
            let webhooks = wiring::webhooks(settings, database);
            onboarding::run(&service, &wiring::onboarding(settings, database, &webhooks), command).await
        }
        Command::Webhooks(Webhooks::Replay(flags)) => {
            webhooks::replay(&wiring::webhooks(settings, database), flags).await
        }
        Command::Privacy(command) => {
            let keys = wiring::privacy_keys(settings, database);
            let tools = privacy::Tools { tenancy: &service, service: wiring::privacy(settings, database, &keys), keys };
            privacy::run(&tools, command).await
        }
        Command::Customers(command) => {
            let services = customers::Services::over(settings, database);
            customers::run(&service, &services, settings.write_queue, command).await
        }
        // `run` and `over_database` have handled these.
        Command::Serve(_)
        | Command::Database(_)
        | Command::Completions { .. }
        | Command::Man(_)
        | Command::Webhooks(Webhooks::Listen(_)) => Ok(()),
    }
}

fn page(flags: &ListFlags) -> Result<PageRequest, Failure> {
    PageRequest::new(PageRequest::MAX_LIMIT.into(), flags.offset).map_err(Failure::flag)
}
