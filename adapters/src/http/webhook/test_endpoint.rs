//! `POST /webhooks/endpoints/{id}/test`

use patron_domain::ids::WebhookEndpointId;
use rocket::{post, routes};

use super::{endpoint_id, response::DeliveryResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdministerWebhooks, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
};

/// Sends one test event to a webhook endpoint immediately, and returns the outcome. The status is 200 even if the
/// endpoint did not accept it; the body has the reason.
#[post("/webhooks/endpoints/<id>/test")]
pub(super) async fn test_endpoint(
    caller: CanAdministerWebhooks,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let test = services.webhooks()?.test(&caller, endpoint_id(id)?, request).await?;
    Ok(Answer::ok(&DeliveryResponse::new(&test.value))?.replayed(test.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` or `webhook_admin` key. Sent immediately and once. The status is \
                200 even if the endpoint did not accept it; the body has the reason.";
    Endpoint::new(routes![test_endpoint], "testWebhookEndpoint", "Send a test to a webhook endpoint", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .answers::<DeliveryResponse<'_>>(200, "The outcome.")
        .idempotent()
}
