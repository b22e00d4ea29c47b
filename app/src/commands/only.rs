//! The tenant or the environment that a command is about: the one that is named, or the only one there is.

use patron_domain::{
    ids::{EnvironmentId, TenantId},
    page::PageRequest,
    tenancy::{Environment, SystemScope, TenancyService, Tenant},
};

use crate::{failure::Failure, terminal::Line};

/// The most that a message lists.
const LISTED: usize = 10;

/// The tenant that was named, or the only one there is.
pub(super) async fn tenant(service: &TenancyService, named: Option<TenantId>) -> Result<TenantId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let tenants = tenants(service).await?;
    match tenants.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Failure::failed("there is no tenant yet; make one with `patron tenants create --name NAME`")),
        several => {
            let several = several.iter().map(|tenant| format!("{} ({})", tenant.id, Line(tenant.name.as_str())));
            Err(which("tenants", "--tenant", "patron tenants list", several.collect()))
        }
    }
}

/// The environment that was named, or the only one there is.
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
                "there is no environment yet; `patron serve` makes one, or `patron tenants create` and then `patron \
                 environments create`"
            }
            _ => "there is no environment yet; make one with `patron environments create`",
        })),
        several => {
            let several = several.iter().map(|(tenant, environment)| describe(tenant, environment)).collect();
            Err(which("environments", "--environment", "patron environments list", several))
        }
    }
}

/// `env_… (Live, production, of Acme)`.
fn describe(tenant: &Tenant, environment: &Environment) -> String {
    let Environment { id, name, kind, .. } = environment;
    format!("{id} ({}, {kind}, of {})", Line(name.as_str()), Line(tenant.name.as_str()))
}

/// A failure that lists what there is to choose from.
fn which(things: &str, flag: &str, command: &str, mut several: Vec<String>) -> Failure {
    let count = several.len();
    several.truncate(LISTED);
    let more = if count > LISTED { format!(" and more, which `{command}` shows") } else { String::new() };
    Failure::configuration(format!("there are {count} {things}; choose one with {flag}: {}{more}", several.join(", ")))
}

/// As many tenants as a page holds, the newest first.
async fn tenants(service: &TenancyService) -> Result<Vec<Tenant>, Failure> {
    Ok(service.tenants(&SystemScope::patron(), PageRequest::whole()).await.map_err(Failure::failed)?.items)
}

async fn environments(service: &TenancyService, tenant: TenantId) -> Result<Vec<Environment>, Failure> {
    let page = PageRequest::whole();
    Ok(service.environments(&SystemScope::patron(), tenant, page).await.map_err(Failure::failed)?.items)
}
