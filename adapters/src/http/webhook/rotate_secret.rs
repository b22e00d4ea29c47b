//! `POST /webhooks/endpoints/{id}/rotate-secret`

use patron_domain::{ids::WebhookEndpointId, webhook::DEFAULT_OVERLAP};
use rocket::{post, routes};
use serde_json::json;

use super::{endpoint_id, request::RotateSecretRequest, response::EndpointResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerWebhooks, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
};

/// Gives a webhook endpoint a new secret. Only the first response shows it, not a repeated request with the same
/// idempotency key. For `overlap_seconds`, by default a day, deliveries are also signed with the old secret. The body
/// may be omitted.
#[post("/webhooks/endpoints/<id>/rotate-secret", data = "<body>")]
pub(super) async fn rotate_secret(
    caller: CanAdministerWebhooks,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let overlap = match body.bytes() {
        [] => DEFAULT_OVERLAP,
        _ => body.read(|request: RotateSecretRequest, broken| request.into_domain(broken)).await?,
    };
    let request = idempotency.over(body.bytes()).await?;
    let (endpoint, secret) = services.webhooks()?.rotate(&caller, endpoint_id(id)?, overlap, request).await?;
    let answer =
        Answer::ok(&EndpointResponse::new(&endpoint, &*services.webhooks()?.sender).with_secret(secret.as_ref()))?;
    Ok(answer.tagged(endpoint.version()).secret(secret.is_some()).replayed(secret.is_none()))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` or `webhook_admin` key. The new secret is shown only once. For a \
                while deliveries are also signed with the old one.";
    Endpoint::new(routes![rotate_secret], "rotateWebhookSecret", "Rotate the secret of a webhook endpoint", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .may_take::<RotateSecretRequest>([("an hour with both secrets", json!({ "overlap_seconds": 3_600 }))])
        .answers::<EndpointResponse<'_>>(200, "The endpoint, with its new secret.")
        .idempotent()
        .answering("ETag")
}
