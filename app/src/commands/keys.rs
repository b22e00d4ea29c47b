//! `patron keys`

use patron_domain::tenancy::{
    AllowedNetworks, ApiKey, ApiKeyName, MAX_KEY_OVERLAP_SECONDS, NewApiKey, RateLimit, Role, Roles, SystemScope,
    TenancyService, check_expiry, check_key_overlap,
};
use serde_json::{Value, json};

use super::{environment, output, page};
use crate::{cli::Keys, failure::Failure, messages};

const COLUMNS: [&str; 8] =
    ["id", "name", "display_id", "roles", "created_at", "expires_at", "revoked_at", "last_used_at"];

pub(super) async fn run(service: &TenancyService, command: Keys) -> Result<(), Failure> {
    let scope = SystemScope::patron();
    match command {
        Keys::Create {
            environment: named,
            name,
            roles,
            expires_at,
            allowed_networks,
            rate_limit_reads: reads,
            rate_limit_writes: writes,
        } => {
            let name = ApiKeyName::new(name).map_err(Failure::flag)?;
            let roles = Roles::new(roles).map_err(Failure::configuration)?;
            let future = expires_at.map(|at| check_expiry(at, service.clock.now())).transpose();
            let expires_at = future.map_err(|error| Failure::configuration(format!("--expires-at: {error}")))?;
            let environment = environment(service, named).await?;
            let allowed_networks = AllowedNetworks::new(allowed_networks)
                .map_err(|error| Failure::configuration(format!("--allowed-network: {error}")))?;
            let rate_limit = RateLimit { reads, writes };
            let new = NewApiKey { expires_at, allowed_networks, rate_limit, ..NewApiKey::new(name, roles) };
            let (key, secret) = service.create_key(&scope, environment, new).await.map_err(messages::of_key)?;
            output::note(format_args!("created {} in {environment}; the key is shown only once:", key.id));
            output::line(secret.expose())
        }
        Keys::Rotate { id, overlap_seconds } => {
            let overlap = check_key_overlap(overlap_seconds.into());
            let overlap = overlap.map_err(|_| {
                Failure::configuration(format!("--overlap-seconds must be at most {MAX_KEY_OVERLAP_SECONDS}"))
            })?;
            let (key, secret) = service.rotate_key(&scope, id, overlap).await.map_err(messages::of_key)?;
            output::note(format_args!("{} replaces {id}; the key is shown only once:", key.id));
            output::line(secret.expose())
        }
        Keys::List { environment: named, list } => {
            let environment = environment(service, named).await?;
            let keys = service.keys(&scope, environment, page(&list)?).await.map_err(Failure::failed)?;
            let rows: Vec<_> = keys.items.iter().map(row).collect();
            output::list(&rows, &COLUMNS, list.json)
        }
        Keys::Revoke { id } => {
            let key = service.revoke_key(&scope, id).await.map_err(messages::of_key)?;
            let at = key.revoked_at.map(|at| at.to_string()).unwrap_or_default();
            output::line(format_args!("{id} was revoked at {at}"))
        }
    }
}

fn row(key: &ApiKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "environment_id": key.owner.environment_id.to_string(),
        "name": key.name.as_str(),
        "display_id": key.display_id,
        "roles": key.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
        "created_at": key.audit.created_at.to_string(),
        "expires_at": key.expires_at.map(|at| at.to_string()),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
        "last_used_at": key.last_used_at.map(|at| at.to_string()),
    })
}
