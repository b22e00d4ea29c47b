//! The bodies of requests about environments and API keys, and their conversion to the domain.

use patron_domain::{
    ids::EnvironmentId,
    tenancy::{
        ApiKeyName, ApiKeyType, EnvironmentChange, EnvironmentName, EnvironmentType, NewApiKey, Role, Roles,
        check_expiry,
    },
    time::Timestamp,
    violation::Violations,
};
use serde::{Deserialize, de::MapAccess};
use utoipa::ToSchema;

use crate::http::{
    json::{Field, FromJson, List, Reader, Text, found_map},
    openapi::{exactly, given_all, optional, or_null},
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
}

macro_rules! from_object {
    ($($request:ident),+) => {$(
        impl<'de: 'a, 'a> FromJson<'de> for $request<'a> {
            const EXPECTED: &'static str = "an object";

            fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                found_map(map)
            }
        }
    )+};
}

from_object!(CreateEnvironmentRequest, UpdateEnvironmentRequest, CreateKeyRequest);

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
        let environment = fields.take("environment_id", self.environment_id).filter(|id| !id.is_empty());
        // Checked here only together with other faults. Without any, the service checks it, because it knows whether an
        // earlier request with the same key succeeded before the expiry.
        if !broken.is_empty() {
            broken.check(|| "expires_at".to_owned(), expires_at.map(|at| check_expiry(at, now)).transpose());
        }
        kind?;
        Some((environment.map(Text::into_owned), NewApiKey { name: name?, roles: roles?, expires_at }))
    }
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
