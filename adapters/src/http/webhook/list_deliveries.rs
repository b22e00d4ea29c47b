//! `GET /webhooks/endpoints/{id}/deliveries`

use patron_domain::{
    ids::{WebhookDeliveryId, WebhookEndpointId},
    violation::Violations,
    webhook::{DeliveryQuery, DeliveryStatus},
};
use rocket::{get, routes};

use super::{endpoint_id, response::DeliveryList};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::{Endpoint, Limit},
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
    let limit = query.limit(&mut broken);
    let status = query.checked("status", &mut broken, DeliveryStatus::parse);
    let before = query.checked("cursor", &mut broken, WebhookDeliveryId::parse);
    broken.into_result()?;
    let wanted = DeliveryQuery { status, before, limit: limit + 1 };
    let found = services.webhooks.deliveries(&caller, endpoint_id(id)?, wanted).await?;
    Answer::ok(&DeliveryList::new(&found, limit))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "The newest first. `next_cursor` is there when there are more.";
    Endpoint::new(routes![list_deliveries], "listWebhookDeliveries", "List the deliveries of a webhook endpoint", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .query::<DeliveryStatus>("status", "Only those that are this far; all when absent.")
        .query::<Limit>("limit", "How many items.")
        .query::<WebhookDeliveryId>("cursor", "Where an answer's `next_cursor` says to go on.")
        .answers::<DeliveryList<'_>>(200, "A page of deliveries.")
}
