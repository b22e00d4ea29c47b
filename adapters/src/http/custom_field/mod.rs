//! Definitions of custom fields over HTTP.

mod create;
mod delete;
mod get;
mod list;
mod request;
mod response;
mod update;

use patron_domain::{
    ErrorKind,
    custom_field::{CustomFieldDefinition, CustomFieldError, CustomFieldKey},
    violation::{Rule, Violations},
};
use rocket::{Route, routes};
use serde_json::Value;

use super::{Api, error::ApiError, guard::CanRead, openapi::Endpoint};

/// A definition in the form of its own responses.
pub(super) fn definition_value(definition: &CustomFieldDefinition) -> serde_json::Result<Value> {
    serde_json::to_value(response::CustomFieldResponse::new(definition))
}

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![create::create, list::list, get::get, update::update, delete::delete]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    vec![create::documented(), list::documented(), get::documented(), update::documented(), delete::documented()]
}

/// Parses the key of a field in a path. An invalid one is reported as unknown.
fn field_key(key: &str) -> Result<CustomFieldKey, ApiError> {
    CustomFieldKey::new(key).map_err(|_| CustomFieldError::Unknown.into())
}

/// Refuses custom fields of a search that the environment does not define.
pub(super) async fn known(api: &Api, caller: &CanRead, keys: Vec<CustomFieldKey>) -> Result<(), ApiError> {
    let Some(service) = api.custom_fields.as_ref().filter(|_| !keys.is_empty()) else { return Ok(()) };
    let mut broken = Violations::new();
    for key in service.unknown(caller, keys).await? {
        broken.add(key.path(), &NotDefined(key));
    }
    Ok(broken.into_result()?)
}

/// A filter or a sort names a field that is not defined.
#[derive(Debug, thiserror::Error)]
#[error("custom_fields.{0} is not defined in this environment; define the custom field first, or correct its name")]
struct NotDefined(CustomFieldKey);

impl Rule for NotDefined {
    fn rule(&self) -> &'static str {
        "known_field"
    }
}

impl From<CustomFieldError> for ApiError {
    fn from(error: CustomFieldError) -> Self {
        let message = error.to_string();
        match error {
            CustomFieldError::Denied(error) => error.into(),
            CustomFieldError::Invalid(violations) => violations.into(),
            CustomFieldError::Unknown => Self::not_found(message),
            CustomFieldError::KeyTaken { existing } => Self::already_exists("key", message, existing.to_string()),
            CustomFieldError::TooMany
            | CustomFieldError::Quota(_)
            | CustomFieldError::InUse
            | CustomFieldError::Purging => Self::invalid_operation(message),
            CustomFieldError::Clash { customers } => {
                let customers: Vec<_> = customers.iter().map(ToString::to_string).collect();
                Self::of(ErrorKind::AlreadyExists, message).fact("customers", customers)
            }
            CustomFieldError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            CustomFieldError::VersionConflict(conflict) => conflict.into(),
            CustomFieldError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}
