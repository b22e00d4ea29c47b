//! Environments and API keys as clients see them.

use patron_domain::{
    ids::{ApiKeyId, EnvironmentId, TenantId},
    lifecycle::Status,
    store::{Page, PageRequest},
    tenancy::{Actor, ApiKey, ApiKeyName, ApiKeyType, Environment, EnvironmentName, EnvironmentType, Role},
    time::Timestamp,
};
use serde::Serialize;

/// One environment.
#[derive(Serialize)]
pub(super) struct EnvironmentResponse<'a> {
    id: EnvironmentId,
    name: &'a EnvironmentName,
    #[serde(rename = "type")]
    kind: EnvironmentType,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> EnvironmentResponse<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self {
            id: environment.id,
            name: &environment.name,
            kind: environment.kind,
            created_at: environment.audit.created_at,
            updated_at: environment.audit.updated_at,
        }
    }
}

/// `{"environments": […], "total", "offset", "limit"}`: the one list with a shape of its own.
#[derive(Serialize)]
pub(super) struct EnvironmentList<'a> {
    environments: Vec<EnvironmentResponse<'a>>,
    total: u64,
    offset: u64,
    limit: u16,
}

impl<'a> EnvironmentList<'a> {
    pub(super) fn new(page: &'a Page<Environment>, request: PageRequest) -> Self {
        let environments = page.items.iter().map(EnvironmentResponse::new).collect();
        Self { environments, total: page.total, offset: request.offset(), limit: request.limit() }
    }
}

/// A key that was just made, with the key itself.
#[derive(Serialize)]
pub(super) struct CreatedKeyResponse<'a> {
    pub(super) secret: KeyResponse<'a>,
    pub(super) api_key: &'a str,
}

/// What is known of one key. What it does not have is left out: the JavaScript SDK takes no `null`.
#[derive(Serialize)]
pub(super) struct KeyResponse<'a> {
    id: ApiKeyId,
    name: &'a ApiKeyName,
    #[serde(rename = "type")]
    kind: ApiKeyType,
    /// Whose the key is: always Flexprice's own word, where other secrets would be an integration's.
    provider: &'static str,
    display_id: &'a str,
    roles: Vec<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
    status: Status,
    tenant_id: TenantId,
    environment_id: EnvironmentId,
    created_at: Timestamp,
    created_by: &'a Actor,
    updated_at: Timestamp,
    updated_by: &'a Actor,
}

impl<'a> KeyResponse<'a> {
    pub(super) fn new(key: &'a ApiKey) -> Self {
        Self {
            id: key.id,
            name: &key.name,
            kind: ApiKeyType::Private,
            provider: "flexprice",
            display_id: &key.display_id,
            roles: key.roles.iter().collect(),
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            status: key.status(),
            tenant_id: key.owner.tenant_id,
            environment_id: key.owner.environment_id,
            created_at: key.audit.created_at,
            created_by: &key.audit.created_by,
            updated_at: key.audit.updated_at,
            updated_by: &key.audit.updated_by,
        }
    }
}
