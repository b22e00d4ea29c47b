//! What each command does.

mod customers;
mod environments;
mod events;
mod keys;
mod onboarding;
mod output;
mod tenants;
mod webhooks;

use patron_adapters::persistence::Database;
use patron_domain::{
    ids::{EnvironmentId, TenantId},
    page::PageRequest,
    tenancy::{SystemScope, TenancyService},
};

use crate::{
    cli::{Command, ListFlags, Webhooks},
    config::Settings,
    failure::Failure,
    serve, wiring,
};

/// Runs a command to its end. The port is the one that was given as a flag.
pub(crate) async fn run(command: Command, port: Option<u16>, settings: Settings) -> Result<(), Failure> {
    if matches!(command, Command::Serve) {
        return serve::serve(settings).await;
    }
    if let Command::Webhooks(Webhooks::Listen { secret }) = command {
        return webhooks::listen(port, &secret).await;
    }
    // Opening brings the tables up to date, under a lock that running servers respect.
    let database = wiring::open(&settings, false).await?;
    let outcome = on(&settings, &database, port, command).await;
    database.close().await;
    outcome
}

async fn on(settings: &Settings, database: &Database, port: Option<u16>, command: Command) -> Result<(), Failure> {
    let service = wiring::tenancy(database);
    match command {
        Command::Serve | Command::Migrate => output::line("the database is up to date"),
        Command::Keys(command) => keys::run(&service, command).await,
        Command::Tenants(command) => tenants::run(&service, command).await,
        Command::Environments(command) => environments::run(&service, command).await,
        Command::Events(command) => events::run(database, &service, command).await,
        Command::Onboarding(command) => {
            let webhooks = wiring::webhooks(settings, database);
            onboarding::run(&service, &wiring::onboarding(settings, database, &webhooks), command).await
        }
        Command::Webhooks(Webhooks::Listen { secret }) => webhooks::listen(port, &secret).await,
        Command::Webhooks(Webhooks::Replay(flags)) => {
            webhooks::replay(&wiring::webhooks(settings, database), flags).await
        }
        Command::Customers(command) => {
            let customers = wiring::customers(settings, database);
            customers::run(&service, &customers, settings.write_queue, command).await
        }
    }
}

fn page(flags: &ListFlags) -> Result<PageRequest, Failure> {
    PageRequest::new(PageRequest::MAX_LIMIT.into(), flags.offset).map_err(Failure::configuration)
}

/// The tenant that was named, or the only one there is.
async fn tenant(service: &TenancyService, named: Option<TenantId>) -> Result<TenantId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let tenants = service.tenants(&SystemScope::patron(), PageRequest::default()).await.map_err(Failure::failed)?;
    match tenants.items.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Failure::failed("there is no tenant yet; make one with `patron tenants create --name …`")),
        _ => Err(Failure::configuration(
            "there are several tenants; say which with --tenant (see `patron tenants list`)",
        )),
    }
}

/// The environment that was named, or the only one there is.
async fn environment(service: &TenancyService, named: Option<EnvironmentId>) -> Result<EnvironmentId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let several = "there are several environments; say which with --environment (see `patron environments list`)";
    let scope = SystemScope::patron();
    let tenants = service.tenants(&scope, PageRequest::default()).await.map_err(Failure::failed)?;
    let [tenant] = tenants.items.as_slice() else {
        let none =
            "there is no environment yet; make one with `patron tenants create` and `patron environments create`";
        return Err(if tenants.total == 0 { Failure::failed(none) } else { Failure::configuration(several) });
    };
    let found = service.environments(&scope, tenant.id, PageRequest::default()).await.map_err(Failure::failed)?;
    match found.items.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Failure::failed("there is no environment yet; make one with `patron environments create`")),
        _ => Err(Failure::configuration(several)),
    }
}
