//! `PUT /webhooks/endpoints/{id}`

use patron_domain::ids::WebhookEndpointId;
use rocket::{put, routes};
use serde_json::json;

use super::{endpoint_id, request::UpdateEndpointRequest, response::EndpointResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerWebhooks, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
    version::IfMatch,
};

/// Changes a webhook endpoint. Absent members leave fields unchanged. An endpoint that is enabled again continues where
/// it stopped.
#[put("/webhooks/endpoints/<id>", data = "<body>")]
pub(super) async fn update_endpoint(
    caller: CanAdministerWebhooks,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let update = body.read(|request: UpdateEndpointRequest<'_>, broken| request.into_domain(broken)).await?;
    let request = idempotency.over(body.bytes()).await?;
    let changed = services.webhooks()?.update(&caller, endpoint_id(id)?, update, if_match.0, request).await?;
    let answer = Answer::ok(&EndpointResponse::new(&changed.value, &*services.webhooks()?.sender))?;
    Ok(answer.tagged(changed.value.version()).replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` or `webhook_admin` key. Absent members leave fields unchanged. \
                An endpoint that is enabled again continues where it stopped.";
    Endpoint::new(routes![update_endpoint], "updateWebhookEndpoint", "Change a webhook endpoint", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .takes::<UpdateEndpointRequest<'_>>([
            ("disable it", json!({ "enabled": false })),
            ("another URL", json!({ "url": "https://example.com/other", "event_types": ["*"], "description": "" })),
        ])
        .answers::<EndpointResponse<'_>>(200, "The changed endpoint.")
        .idempotent()
        .conditional()
}
