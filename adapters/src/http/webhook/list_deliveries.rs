//! `GET /webhooks/endpoints/{id}/deliveries`

use patron_domain::{
    ids::WebhookDeliveryId,
    violation::Violations,
    webhook::{DeliveryQuery, DeliveryStatus},
};
use rocket::get;

use super::{endpoint_id, response::DeliveryList};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    query::Query,
};

/// The deliveries of a webhook endpoint, the newest first; `status` picks those that wait, were delivered or failed.
/// `cursor` goes on where an answer's `next_cursor` says.
#[get("/webhooks/endpoints/<id>/deliveries")]
pub(super) async fn list_deliveries(
    caller: CanRead,
    services: Services<'_>,
    id: &str,
    query: Query,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let limit = query.page(&mut broken).limit();
    let status = query.checked("status", &mut broken, DeliveryStatus::parse);
    let before = query.checked("cursor", &mut broken, WebhookDeliveryId::parse);
    broken.into_result()?;
    let wanted = DeliveryQuery { status, before, limit: limit + 1 };
    let found = services.webhooks.deliveries(&caller, endpoint_id(id)?, wanted).await?;
    Answer::ok(&DeliveryList::new(&found, limit))
}
