//! `patron tenants`

use patron_domain::tenancy::{SystemScope, TenancyService, Tenant, TenantName};
use serde_json::{Value, json};

use super::{output, page};
use crate::{cli::Tenants, failure::Failure, messages};

pub(super) async fn run(service: &TenancyService, command: Tenants) -> Result<(), Failure> {
    let scope = SystemScope::patron();
    match command {
        Tenants::Create { name, json, .. } => {
            let name = TenantName::new(name).map_err(Failure::flag)?;
            let tenant = service.create_tenant(&scope, name).await.map_err(Failure::failed)?;
            if json { output::line(row(&tenant)) } else { output::line(tenant.id) }
        }
        Tenants::Suspend { id } => {
            let tenant = service.suspend_tenant(&scope, id, true).await.map_err(messages::of_tenant)?;
            let since = tenant.suspended_at.map(|at| at.to_string()).unwrap_or_default();
            output::line(format_args!("{id} has been suspended since {since}"))
        }
        Tenants::Resume { id } => {
            service.suspend_tenant(&scope, id, false).await.map_err(messages::of_tenant)?;
            output::line(format_args!("{id} is not suspended"))
        }
        Tenants::List { list } => {
            let tenants = service.tenants(&scope, page(&list)?).await.map_err(Failure::failed)?;
            let rows: Vec<_> = tenants.items.iter().map(row).collect();
            output::list(&rows, &["id", "name", "created_at", "suspended_at"], list.json)
        }
    }
}

fn row(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id.to_string(),
        "name": tenant.name.as_str(),
        "created_at": tenant.audit.created_at.to_string(),
        "suspended_at": tenant.suspended_at.map(|at| at.to_string()),
    })
}
