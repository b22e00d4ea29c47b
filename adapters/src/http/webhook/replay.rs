//! `POST /webhooks/endpoints/{id}/replay`

use patron_domain::ids::WebhookEndpointId;
use rocket::{post, routes};
use serde_json::json;

use super::{endpoint_id, request::ReplayRequest, response::ReplayResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    idempotency::Idempotency,
    openapi::{EXAMPLE_ID, Endpoint, Refusal},
};

/// Has events delivered to a webhook endpoint once more: one (`event_id`), those of a time (`from`, `to`), or all that
/// failed (`failed: true`). Answers how many.
#[post("/webhooks/endpoints/<id>/replay", data = "<body>")]
pub(super) async fn replay(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let what = body.read(|request: ReplayRequest<'_>, broken| request.into_domain(broken)).await?;
    let request = idempotency.over(body.bytes()).await?;
    let done = services.webhooks.replay(&caller, endpoint_id(id)?, what, request).await?;
    Ok(Answer::ok(&ReplayResponse { replayed: done.value })?.replayed(done.replayed))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. One event, those of a time, or all that failed for good: exactly one \
                of them.";
    Endpoint::new(routes![replay], "replayWebhooks", "Deliver events once more", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .takes::<ReplayRequest<'_>>([
            ("one event", json!({ "event_id": format!("evt_{EXAMPLE_ID}") })),
            ("those of a day", json!({ "from": "2026-01-31T00:00:00Z", "to": "2026-02-01T00:00:00Z" })),
            ("all that failed", json!({ "failed": true })),
        ])
        .answers::<ReplayResponse>(200, "How many.")
        .idempotent()
        .refuses([Refusal::InvalidOperation])
}
