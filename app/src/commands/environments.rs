//! `patron environments`

use patron_domain::tenancy::{Environment, EnvironmentName, SystemScope, TenancyService};
use serde_json::{Value, json};

use super::{output, page, tenant};
use crate::{cli::Environments, failure::Failure};

pub(super) async fn run(service: &TenancyService, command: Environments) -> Result<(), Failure> {
    let scope = SystemScope::patron();
    match command {
        Environments::Create { tenant: named, name, kind, json } => {
            let name = EnvironmentName::new(name).map_err(Failure::flag)?;
            let tenant = tenant(service, named).await?;
            let made = service.create_environment(&scope, tenant, name, kind).await.map_err(Failure::failed)?;
            if json { output::line(row(&made)) } else { output::line(made.id) }
        }
        Environments::List { tenant: named, list } => {
            let tenant = tenant(service, named).await?;
            let found = service.environments(&scope, tenant, page(&list)?).await.map_err(Failure::failed)?;
            let rows: Vec<_> = found.items.iter().map(row).collect();
            output::list(&rows, &["id", "tenant_id", "name", "type", "created_at"], list.json)
        }
    }
}

fn row(environment: &Environment) -> Value {
    json!({
        "id": environment.id.to_string(),
        "tenant_id": environment.tenant_id.to_string(),
        "name": environment.name.as_str(),
        "type": environment.kind.as_str(),
        "created_at": environment.audit.created_at.to_string(),
    })
}
