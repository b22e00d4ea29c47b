//! Webhook endpoints and deliveries over HTTP, and the bodies of deliveries.

mod body;
mod create_endpoint;
mod delete_endpoint;
mod get_endpoint;
mod list_deliveries;
mod list_endpoints;
mod replay;
mod request;
mod response;
mod rotate_secret;
mod shape;
mod test_endpoint;
mod update_endpoint;

use patron_domain::{
    ids::WebhookEndpointId,
    webhook::{WebhookEndpoint, WebhookError},
};
use rocket::{Route, routes};
use serde_json::Value;

pub use self::body::JsonBody;
use super::{error::ApiError, openapi::Endpoint};

/// An endpoint in the form of its own responses.
pub(super) fn endpoint_value(endpoint: &WebhookEndpoint) -> serde_json::Result<Value> {
    serde_json::to_value(response::EndpointResponse::bare(endpoint))
}

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![
        create_endpoint::create_endpoint,
        list_endpoints::list_endpoints,
        get_endpoint::get_endpoint,
        update_endpoint::update_endpoint,
        delete_endpoint::delete_endpoint,
        rotate_secret::rotate_secret,
        list_deliveries::list_deliveries,
        test_endpoint::test_endpoint,
        replay::replay,
    ]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    vec![
        create_endpoint::documented(),
        list_endpoints::documented(),
        get_endpoint::documented(),
        update_endpoint::documented(),
        delete_endpoint::documented(),
        rotate_secret::documented(),
        list_deliveries::documented(),
        test_endpoint::documented(),
        replay::documented(),
    ]
}

/// Parses the id of an endpoint. An invalid one is as unknown as any other.
fn endpoint_id(id: &str) -> Result<WebhookEndpointId, ApiError> {
    WebhookEndpointId::parse(id).map_err(|_| WebhookError::UnknownEndpoint.into())
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        let message = error.to_string();
        match error {
            WebhookError::Denied(error) => error.into(),
            WebhookError::Invalid(violations) => violations.into(),
            WebhookError::UnknownEndpoint => Self::not_found(message),
            WebhookError::UnknownEvent => Self::not_found(&message).names_nothing("event_id", message),
            WebhookError::TooManyEndpoints | WebhookError::Quota(_) | WebhookError::TooManyEvents => {
                Self::invalid_operation(message)
            }
            WebhookError::TooManyReplays { wait } => Self::too_many(wait.as_secs() + 1),
            WebhookError::VersionConflict(conflict) => conflict.into(),
            WebhookError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            WebhookError::Vault(error) => {
                tracing::error!(%error, "answered 500");
                Self::system_error()
            }
            WebhookError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}
