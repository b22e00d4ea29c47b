//! `DELETE /webhooks/endpoints/{id}`

use patron_domain::ids::WebhookEndpointId;
use rocket::{delete, routes};

use super::endpoint_id;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdministerWebhooks, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
    version::IfMatch,
};

/// Deletes a webhook endpoint with its secret. A second request gets a 404.
#[delete("/webhooks/endpoints/<id>")]
pub(super) async fn delete_endpoint(
    caller: CanAdministerWebhooks,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let deleted = services.webhooks()?.delete(&caller, endpoint_id(id)?, if_match.0, request).await?;
    Ok(Answer::no_content().replayed(deleted.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` or `webhook_admin` key. Waiting deliveries are not sent any more.";
    Endpoint::new(routes![delete_endpoint], "deleteWebhookEndpoint", "Delete a webhook endpoint", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .answers_nothing(204, "The endpoint is deleted.")
        .idempotent()
        .guarded()
}
