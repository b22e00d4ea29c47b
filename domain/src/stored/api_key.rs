//! API keys, without the secret and its hash. A document contains the key's environment; the tenant is that of the
//! owner it is read for.

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{Int, Text, V1, audit_of, int_unless, text_unless},
    write,
};
use crate::{
    ids::{ApiKeyId, EnvironmentId},
    lifecycle::Owner,
    network::Network,
    tenancy::{Actor, AllowedNetworks, ApiKey, ApiKeyName, PerSecond, RateLimit, Role, Roles},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiKeyForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, ApiKeyId>,
    environment_id: Text<'a, EnvironmentId>,
    name: Text<'a, ApiKeyName>,
    display_id: String,
    roles: Vec<Text<'a, Role>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed_networks: Vec<Text<'a, Network>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reads_per_second: Option<Int<PerSecond>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writes_per_second: Option<Int<PerSecond>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Int<Timestamp>>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

impl<'a> ApiKeyForm<'a> {
    fn of(key: &'a ApiKey) -> Self {
        let ApiKey { id, owner, name, display_id, roles, allowed_networks, rate_limit, audit, .. } = key;
        // Whether its tenant is suspended is the tenant's to say.
        let ApiKey { expires_at, revoked_at, last_used_at, tenant_suspended_at: _, .. } = key;
        Self {
            v: V1,
            id: Text::of(id),
            environment_id: Text::of(&owner.environment_id),
            name: Text::of(name),
            display_id: display_id.clone(),
            roles: roles.iter().map(Text::from).collect(),
            allowed_networks: allowed_networks.as_slice().iter().map(Text::of).collect(),
            reads_per_second: rate_limit.reads.map(Int),
            writes_per_second: rate_limit.writes.map(Int),
            expires_at: expires_at.map(Int),
            revoked_at: revoked_at.map(Int),
            last_used_at: last_used_at.map(Int),
            created_at: Int(audit.created_at),
            created_by: Text::of(&audit.created_by),
            updated_at: int_unless(audit.created_at, audit.updated_at),
            updated_by: text_unless(&audit.created_by, &audit.updated_by),
        }
    }

    fn take(self, owner: Owner) -> Result<ApiKey, &'static str> {
        Ok(ApiKey {
            id: self.id.take(),
            owner: Owner { environment_id: self.environment_id.take(), ..owner },
            name: self.name.take(),
            display_id: self.display_id,
            roles: Roles::new(self.roles.into_iter().map(Text::take)).map_err(|_| "roles")?,
            allowed_networks: AllowedNetworks::new(self.allowed_networks.into_iter().map(Text::take).collect())
                .map_err(|_| "allowed_networks")?,
            rate_limit: RateLimit {
                reads: self.reads_per_second.map(|limit| limit.0),
                writes: self.writes_per_second.map(|limit| limit.0),
            },
            tenant_suspended_at: None,
            expires_at: self.expires_at.map(|at| at.0),
            revoked_at: self.revoked_at.map(|at| at.0),
            last_used_at: self.last_used_at.map(|at| at.0),
            audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
        })
    }
}

impl Stored for ApiKey {
    const NAME: &'static str = "api_key";

    fn to_document(&self) -> String {
        write(&ApiKeyForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: ApiKeyForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner))
    }
}
