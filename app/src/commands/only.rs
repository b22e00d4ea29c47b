//! The tenant or the environment of a command: the named one, or the only one.

use patron_domain::{
    ids::{EnvironmentId, TenantId},
    page::PageRequest,
    tenancy::{Caller, Environment, SystemScope, TenancyService, Tenant},
};

use crate::{failure::Failure, terminal::Line};

/// The most entries that a message lists.
const LISTED: usize = 10;

/// The named tenant, or the only one.
pub(super) async fn tenant(service: &TenancyService, named: Option<TenantId>) -> Result<TenantId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let tenants = tenants(service).await?;
    match tenants.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Failure::failed("there is no tenant yet; create one with `patron tenants create --name NAME`")),
        several => {
            let several = several.iter().map(|tenant| format!("{} ({})", tenant.id, Line(tenant.name.as_str())));
            Err(which("tenants", "--tenant", "patron tenants list", several.collect()))
        }
    }
}

/// The named environment, or the only one.
pub(super) async fn environment(
    service: &TenancyService,
    named: Option<EnvironmentId>,
) -> Result<EnvironmentId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let tenants = tenants(service).await?;
    let mut found = Vec::new();
    for tenant in &tenants {
        found.extend(environments(service, tenant.id).await?.into_iter().map(|environment| (tenant, environment)));
    }
    match found.as_slice() {
        [(_, only)] => Ok(only.id),
        [] => Err(Failure::failed(match tenants.as_slice() {
            [] => {
                "there is no environment yet; `patron serve` creates one, or `patron tenants create` and then `patron \
                 environments create`"
            }
            _ => "there is no environment yet; create one with `patron environments create`",
        })),
        several => {
            let several = several.iter().map(|(tenant, environment)| describe(tenant, environment)).collect();
            Err(which("environments", "--environment", "patron environments list", several))
        }
    }
}

/// The caller of a command in the named environment, or the only one.
pub(super) async fn caller(service: &TenancyService, named: Option<EnvironmentId>) -> Result<Caller, Failure> {
    let environment = environment(service, named).await?;
    service.caller(&SystemScope::patron(), environment).await.map_err(Failure::failed)
}

/// A description such as `env_… (Live, production, of Acme)`.
fn describe(tenant: &Tenant, environment: &Environment) -> String {
    let Environment { id, name, kind, .. } = environment;
    format!("{id} ({}, {kind}, of {})", Line(name.as_str()), Line(tenant.name.as_str()))
}

/// A failure that lists the choices.
fn which(things: &str, flag: &str, command: &str, mut several: Vec<String>) -> Failure {
    let count = several.len();
    several.truncate(LISTED);
    let more = if count > LISTED { format!(" and more, which `{command}` shows") } else { String::new() };
    Failure::configuration(format!("there are {count} {things}; choose one with {flag}: {}{more}", several.join(", ")))
}

/// One page of tenants, newest first.
async fn tenants(service: &TenancyService) -> Result<Vec<Tenant>, Failure> {
    Ok(service.tenants(&SystemScope::patron(), PageRequest::whole()).await.map_err(Failure::failed)?.items)
}

async fn environments(service: &TenancyService, tenant: TenantId) -> Result<Vec<Environment>, Failure> {
    let page = PageRequest::whole();
    Ok(service.environments(&SystemScope::patron(), tenant, page).await.map_err(Failure::failed)?.items)
}
