//! `GET /webhooks/endpoints/{id}/deliveries`

use patron_domain::{
    ids::{WebhookDeliveryId, WebhookEndpointId},
    webhook::{DeliveryQuery, DeliveryStatus},
};
use rocket::{get, routes};

use super::{endpoint_id, response::DeliveryList};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    listing::{Listing, cursor},
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
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let status = query.checked("status", &mut broken, DeliveryStatus::parse);
    let (name, before) = cursor(&query, &mut broken);
    let before = before.and_then(|before| broken.check(|| name.to_owned(), WebhookDeliveryId::parse(before)));
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
