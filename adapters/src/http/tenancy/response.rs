//! Environments and API keys in responses.

use patron_domain::{
    ids::{ApiKeyId, EnvironmentId, TenantId},
    lifecycle::Status,
    network::Network,
    page::{Page, PageRequest},
    tenancy::{
        Actor, ApiKey, ApiKeyName, ApiKeySecret, ApiKeyType, Environment, EnvironmentName, EnvironmentType, PerSecond,
        Role,
    },
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    answer::Answer,
    error::ApiError,
    list::Pagination,
    openapi::{Limit, Offset, all, exactly},
};

/// One environment.
#[derive(Serialize, ToSchema)]
#[schema(as = Environment)]
pub(super) struct EnvironmentResponse<'a> {
    #[schema(schema_with = exactly::<EnvironmentId>)]
    id: EnvironmentId,
    #[schema(schema_with = exactly::<EnvironmentName>)]
    name: &'a EnvironmentName,
    #[serde(rename = "type")]
    #[schema(schema_with = exactly::<EnvironmentType>)]
    kind: EnvironmentType,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Timestamp>)]
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

/// `{"environments": […], "total", "offset", "limit"}`, Flexprice's form of this one list, and the common form of lists
/// beside it.
#[derive(Serialize, ToSchema)]
pub(super) struct EnvironmentList<'a> {
    /// The same as `items`.
    environments: Vec<EnvironmentResponse<'a>>,
    items: Vec<EnvironmentResponse<'a>>,
    pagination: Pagination,
    total: u64,
    #[schema(schema_with = exactly::<Offset>)]
    offset: u64,
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
}

impl<'a> EnvironmentList<'a> {
    pub(super) fn new(page: &'a Page<Environment>, request: PageRequest) -> Self {
        let shown = || page.items.iter().map(EnvironmentResponse::new).collect();
        let (offset, limit) = (request.offset(), request.limit());
        let pagination = Pagination::of(page, request);
        Self { environments: shown(), items: shown(), pagination, total: page.total, offset, limit }
    }
}

/// A new key, with the key itself.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedKey)]
pub(super) struct CreatedKeyResponse<'a> {
    secret: KeyResponse<'a>,
    /// The key itself; absent in the response to a repeated request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    api_key: Option<&'a str>,
}

impl CreatedKeyResponse<'_> {
    /// The response to a request that created a key. Only the first one has the secret, not a repeated one.
    pub(super) fn answer(key: &ApiKey, secret: Option<&ApiKeySecret>) -> Result<Answer, ApiError> {
        let api_key = secret.map(ApiKeySecret::expose);
        let location = format!("/secrets/api/keys/{}", key.id);
        let answer = Answer::created(location, &CreatedKeyResponse { secret: KeyResponse::new(key), api_key })?;
        Ok(answer.secret(secret.is_some()).replayed(secret.is_none()))
    }
}

/// The details of a key. Absent values are left out, because the JavaScript SDK accepts no `null`.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(super) struct KeyResponse<'a> {
    #[schema(schema_with = exactly::<ApiKeyId>)]
    id: ApiKeyId,
    #[schema(schema_with = exactly::<ApiKeyName>)]
    name: &'a ApiKeyName,
    #[serde(rename = "type")]
    #[schema(schema_with = exactly::<ApiKeyType>)]
    kind: ApiKeyType,
    /// Always `flexprice`, which its SDKs expect: the key is for this API, not for a payment provider.
    provider: &'static str,
    display_id: &'a str,
    #[schema(schema_with = all::<Role>)]
    roles: Vec<Role>,
    /// The networks from which it may be used; empty for any.
    #[schema(schema_with = all::<Network>)]
    allowed_networks: Vec<String>,
    /// How many requests a second it may make.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rate_limit: Option<RateLimitResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    last_used_at: Option<Timestamp>,
    #[schema(schema_with = exactly::<Status>)]
    status: Status,
    #[schema(schema_with = exactly::<TenantId>)]
    tenant_id: TenantId,
    #[schema(schema_with = exactly::<EnvironmentId>)]
    environment_id: EnvironmentId,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    created_by: &'a Actor,
    #[schema(schema_with = exactly::<Timestamp>)]
    updated_at: Timestamp,
    #[schema(schema_with = exactly::<Actor>)]
    updated_by: &'a Actor,
}

/// How many requests a second a key may make; as many as come where it says nothing.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyRateLimit)]
struct RateLimitResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<PerSecond>)]
    reads: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<PerSecond>)]
    writes: Option<u32>,
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
            allowed_networks: key.allowed_networks.as_slice().iter().map(ToString::to_string).collect(),
            rate_limit: (!key.rate_limit.is_none()).then(|| RateLimitResponse {
                reads: key.rate_limit.reads.map(PerSecond::get),
                writes: key.rate_limit.writes.map(PerSecond::get),
            }),
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
