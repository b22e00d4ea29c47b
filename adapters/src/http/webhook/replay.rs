//! `POST /webhooks/endpoints/{id}/replay`

use patron_domain::ids::WebhookEndpointId;
use rocket::{post, routes};
use serde_json::json;

use super::{endpoint_id, request::ReplayRequest, response::ReplayResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerWebhooks, Services},
    idempotency::Idempotency,
    openapi::{EXAMPLE_ID, Endpoint, Refusal},
};

/// Sends events to a webhook endpoint again: one event (`event_id`), those of a time range (`from`, `to`), or all
/// failed ones (`failed: true`). Returns their number.
#[post("/webhooks/endpoints/<id>/replay", data = "<body>")]
pub(super) async fn replay(
    caller: CanAdministerWebhooks,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let what = body.read(|request: ReplayRequest<'_>, broken| request.into_domain(broken)).await?;
    let request = idempotency.over(body.bytes()).await?;
    let done = services.webhooks()?.replay(&caller, endpoint_id(id)?, what, request).await?;
    Ok(Answer::ok(&ReplayResponse { replayed: done.value })?.replayed(done.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` or `webhook_admin` key. One event, those of a time range, or all that \
                failed permanently: exactly one of them.";
    Endpoint::new(routes![replay], "replayWebhooks", "Send events again", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .takes::<ReplayRequest<'_>>([
            ("one event", json!({ "event_id": format!("evt_{EXAMPLE_ID}") })),
            ("the events of a day", json!({ "from": "2026-01-31T00:00:00Z", "to": "2026-02-01T00:00:00Z" })),
            ("all failed events", json!({ "failed": true })),
        ])
        .answers::<ReplayResponse>(200, "The number of events.")
        .idempotent()
        .refuses([Refusal::InvalidOperation])
}
