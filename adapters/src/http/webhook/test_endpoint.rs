//! `POST /webhooks/endpoints/{id}/test`

use rocket::post;

use super::{endpoint_id, response::DeliveryResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
};

/// Sends a test event to a webhook endpoint, once and at once, and answers what came of it: 200 also when the endpoint
/// did not take it, with the reason.
#[post("/webhooks/endpoints/<id>/test")]
pub(super) async fn test_endpoint(caller: CanAdminister, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let delivery = services.webhooks.test(&caller, endpoint_id(id)?).await?;
    Answer::ok(&DeliveryResponse::new(&delivery))
}
