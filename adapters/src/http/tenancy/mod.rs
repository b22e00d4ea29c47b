//! Environments and API keys over HTTP.

mod create_environment;
mod create_key;
mod delete_key;
mod get_environment;
mod get_key;
mod list_environments;
mod list_keys;
mod request;
mod response;
mod rotate_key;
mod update_environment;

use patron_domain::{
    ids::EnvironmentId,
    tenancy::{ApiKey, Environment, KeyError},
};
use rocket::{Route, routes};
use serde_json::Value;

use super::{error::ApiError, openapi::Endpoint};

/// An environment in the form of its own responses.
pub(super) fn environment_value(environment: &Environment) -> serde_json::Result<Value> {
    serde_json::to_value(response::EnvironmentResponse::new(environment))
}

/// A key in the form of its own responses.
pub(super) fn key_value(key: &ApiKey) -> serde_json::Result<Value> {
    serde_json::to_value(response::KeyResponse::new(key))
}

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![
        create_environment::create_environment,
        create_key::create_key,
        delete_key::delete_key,
        get_environment::get_environment,
        get_key::get_key,
        list_environments::list_environments,
        list_keys::list_keys,
        rotate_key::rotate_key,
        update_environment::update_environment,
    ]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    vec![
        create_environment::documented(),
        list_environments::documented(),
        get_environment::documented(),
        update_environment::documented(),
        create_key::documented(),
        list_keys::documented(),
        get_key::documented(),
        rotate_key::documented(),
        delete_key::documented(),
    ]
}

/// Parses the environment that a client names for its keys. An invalid id is as unknown as any other.
fn named_environment(named: Option<&str>) -> Result<Option<EnvironmentId>, ApiError> {
    let known = named.map(EnvironmentId::parse).transpose();
    known.map_err(|_| KeyError::UnknownEnvironment.into())
}
