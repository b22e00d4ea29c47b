//! The bodies of requests about environments and API keys, and their conversion to the domain.

use std::time::Duration;

use patron_domain::{
    ids::EnvironmentId,
    network::Network,
    tenancy::{
        AllowedNetworks, ApiKeyName, ApiKeyType, EnvironmentChange, EnvironmentName, EnvironmentType,
        MAX_KEY_OVERLAP_SECONDS, NewApiKey, PerSecond, RateLimit, Role, Roles, check_expiry, check_key_overlap,
    },
    time::Timestamp,
    violation::Violations,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::{ToSchema, openapi::schema::Type};

use crate::http::{
    json::{Field, List, Reader, Text, object_from_json},
    openapi::{Look, Shape, exactly, given_all, optional, or_null},
};

/// The body of `POST /environments`. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct CreateEnvironmentRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<EnvironmentName>)]
    name: Field<Text<'a>>,
    #[serde(default, rename = "type")]
    #[schema(required = true, schema_with = exactly::<EnvironmentType>)]
    kind: Field<Text<'a>>,
}

/// The body of `PUT /environments/{id}`. Absent members leave fields unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct UpdateEnvironmentRequest<'a> {
    #[serde(default)]
    #[schema(schema_with = or_null::<EnvironmentName>)]
    name: Field<Text<'a>>,
    #[serde(default, rename = "type")]
    #[schema(schema_with = optional::<EnvironmentType>)]
    kind: Field<Text<'a>>,
}

/// The body of `POST /secrets/api/keys`. Unknown members are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct CreateKeyRequest<'a> {
    #[serde(default)]
    #[schema(required = true, schema_with = exactly::<ApiKeyName>)]
    name: Field<Text<'a>>,
    #[serde(default, rename = "type")]
    #[schema(required = true, schema_with = exactly::<ApiKeyType>)]
    kind: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = optional::<Timestamp>)]
    expires_at: Field<Text<'a>>,
    #[serde(default)]
    #[schema(schema_with = given_all::<Role>)]
    roles: Field<List<Text<'a>>>,
    #[serde(default)]
    #[schema(schema_with = optional::<EnvironmentId>)]
    environment_id: Field<Text<'a>>,
    /// The networks from which the key is allowed; any network if absent.
    #[serde(default)]
    #[schema(schema_with = given_all::<Network>)]
    allowed_networks: Field<List<Text<'a>>>,
    /// The rate limit of the key. If absent, only the tenant's limit applies.
    #[serde(default)]
    #[schema(value_type = Option<RateLimitRequest>)]
    rate_limit: Field<RateLimitRequest>,
}

/// The rate limit of a key, in requests per second.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = RateLimitRequest)]
pub(super) struct RateLimitRequest {
    #[schema(schema_with = optional::<PerSecond>)]
    reads: Field<i64>,
    #[schema(schema_with = optional::<PerSecond>)]
    writes: Field<i64>,
}

/// The body of `POST …/rotate`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct RotateKeyRequest {
    #[schema(schema_with = optional::<KeyOverlap>)]
    overlap_seconds: Field<i64>,
}

/// The seconds for which a rotated key stays valid beside the new one.
struct KeyOverlap;

impl Shape for KeyOverlap {
    fn look() -> Look {
        let says = "The seconds for which the old key stays valid beside the new one, by default 0.".to_owned();
        let range = Some((0, MAX_KEY_OVERLAP_SECONDS.into()));
        Look { kinds: vec![Type::Integer], range, says, example: json!(3_600), ..Look::default() }
    }
}

object_from_json!(
    CreateEnvironmentRequest<'a>,
    UpdateEnvironmentRequest<'a>,
    CreateKeyRequest<'a>,
    RateLimitRequest,
    RotateKeyRequest
);

impl RateLimitRequest {
    fn into_domain(self, fields: &mut Reader<'_>) -> Option<RateLimit> {
        let mut limit = |name: &str, field: Field<i64>| match fields.take(name, field) {
            None => None,
            Some(number) => fields.check(name, PerSecond::new(number)),
        };
        Some(RateLimit { reads: limit("reads", self.reads), writes: limit("writes", self.writes) })
    }
}

impl RotateKeyRequest {
    /// Converts the request to the time for which both keys are valid.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<Duration> {
        let fields = &mut Reader::new(broken);
        match fields.take("overlap_seconds", self.overlap_seconds) {
            None => Some(Duration::ZERO),
            Some(seconds) => fields.check("overlap_seconds", check_key_overlap(seconds)),
        }
    }
}

impl CreateEnvironmentRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<(EnvironmentName, EnvironmentType)> {
        let fields = &mut Reader::new(broken);
        let name = fields.required("name", self.name, EnvironmentName::new);
        let kind = fields.required("type", self.kind, |word| EnvironmentType::parse(&word));
        Some((name?, kind?))
    }
}

impl UpdateEnvironmentRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<EnvironmentChange> {
        let fields = &mut Reader::new(broken);
        // An environment needs a name, so an empty one is a fault.
        let name = match self.name {
            Field::Absent => None,
            given => fields.required("name", given, EnvironmentName::new),
        };
        let kind = fields.optional("type", self.kind, |word| EnvironmentType::parse(&word));
        Some(EnvironmentChange { name, kind })
    }
}

impl CreateKeyRequest<'_> {
    /// Converts the request. Checks every field and collects all faults. Returns the named environment, if any, and the
    /// new key.
    pub(super) fn into_domain(self, now: Timestamp, broken: &mut Violations) -> Option<(Option<String>, NewApiKey)> {
        let fields = &mut Reader::new(broken);
        let name = fields.required("name", self.name, ApiKeyName::new);
        let kind = fields.required("type", self.kind, |word| ApiKeyType::parse(&word));
        let expires_at = fields.optional("expires_at", self.expires_at, |text| Timestamp::parse(&text));
        let roles = roles(fields, self.roles);
        let allowed_networks = networks(fields, self.allowed_networks);
        let rate_limit =
            fields.within("rate_limit", self.rate_limit, RateLimitRequest::into_domain).unwrap_or_default();
        let environment = fields.take("environment_id", self.environment_id).filter(|id| !id.is_empty());
        // Checked here only together with other faults. Without any, the service checks it, because it knows whether an
        // earlier request with the same key succeeded before the expiry.
        if !broken.is_empty() {
            broken.check(|| "expires_at".to_owned(), expires_at.map(|at| check_expiry(at, now)).transpose());
        }
        kind?;
        let new = NewApiKey { name: name?, roles: roles?, allowed_networks, rate_limit, expires_at };
        Some((environment.map(Text::into_owned), new))
    }
}

/// The networks, each checked at its own place.
fn networks(fields: &mut Reader<'_>, field: Field<List<Text<'_>>>) -> AllowedNetworks {
    let Some(list) = fields.take("allowed_networks", field) else { return AllowedNetworks::default() };
    let mut networks = Vec::new();
    for (index, network) in list.elements.into_iter().enumerate() {
        networks.extend(fields.required(&format!("allowed_networks[{index}]"), network, Network::new));
    }
    fields.check("allowed_networks", AllowedNetworks::new(networks)).unwrap_or_default()
}

/// The roles, each checked at its own place. If absent, the default roles.
fn roles(fields: &mut Reader<'_>, field: Field<List<Text<'_>>>) -> Option<Roles> {
    if matches!(field, Field::Absent) {
        return Some(Roles::default());
    }
    let words = fields.take("roles", field)?.elements.into_iter().enumerate();
    let roles: Vec<_> = words
        .map(|(index, word)| fields.required(&format!("roles[{index}]"), word, |word| Role::parse(&word)))
        .collect();
    let roles: Option<Vec<_>> = roles.into_iter().collect();
    fields.check("roles", Roles::new(roles?))
}
