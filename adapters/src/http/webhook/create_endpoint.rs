//! `POST /webhooks/endpoints`

use rocket::{post, routes};
use serde_json::json;

use super::{request::CreateEndpointRequest, response::EndpointResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerWebhooks, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
};

/// Creates a webhook endpoint for events from now on. Only the first response shows the secret, not a repeated request
/// with the same idempotency key.
#[post("/webhooks/endpoints", data = "<body>")]
pub(super) async fn create_endpoint(
    caller: CanAdministerWebhooks,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let new = body.read(|request: CreateEndpointRequest<'_>, broken| request.into_domain(broken)).await?;
    let request = idempotency.over(body.bytes()).await?;
    let (endpoint, secret) = services.webhooks()?.create(&caller, new, request).await?;
    let location = format!("/webhooks/endpoints/{}", endpoint.id);
    let answer = Answer::created(
        location,
        &EndpointResponse::new(&endpoint, &*services.webhooks()?.sender).with_secret(secret.as_ref()),
    )?;
    Ok(answer.tagged(endpoint.version()).secret(secret.is_some()).replayed(secret.is_none()))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` or `webhook_admin` key. It receives events from now on, of all types unless \
                `event_types` selects some. The secret that signs deliveries is shown only once.";
    Endpoint::new(routes![create_endpoint], "createWebhookEndpoint", "Create a webhook endpoint", says)
        .with_key()
        .takes::<CreateEndpointRequest<'_>>([
            ("all events", json!({ "url": "https://example.com/hooks" })),
            (
                "some events",
                json!({
                    "url": "https://example.com/hooks",
                    "event_types": ["customer.*", "tax_rate.created"],
                    "description": "Billing",
                }),
            ),
        ])
        .answers::<EndpointResponse<'_>>(201, "The endpoint, with its secret.")
        .idempotent()
        .answering("ETag")
        .refuses([Refusal::InvalidOperation])
}
