//! `POST /webhooks/endpoints/{id}/replay`

use rocket::post;

use super::{endpoint_id, request::ReplayRequest, response::ReplayResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    json::parse,
};

/// Has events delivered to a webhook endpoint once more: one (`event_id`), those of a time (`from`, `to`), or all that
/// failed (`failed: true`). Answers how many.
#[post("/webhooks/endpoints/<id>/replay", data = "<body>")]
pub(super) async fn replay(
    caller: CanAdminister,
    services: Services<'_>,
    id: &str,
    body: Body,
) -> Result<Answer, ApiError> {
    let what = parse(body.bytes(), |request: ReplayRequest<'_>, broken| request.into_domain(broken))?;
    let replayed = services.webhooks.replay(&caller, endpoint_id(id)?, what).await?;
    Answer::ok(&ReplayResponse { replayed })
}
