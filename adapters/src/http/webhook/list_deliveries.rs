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
    guard::{CanReadWebhooks, Services},
    listing::{Listing, cursor},
    openapi::{Endpoint, Limit},
    query::Query,
};

/// Lists the deliveries of a webhook endpoint, newest first. `status` selects waiting, delivered or failed ones.
/// `cursor` is the `next_cursor` of the previous page.
#[get("/webhooks/endpoints/<id>/deliveries")]
pub(super) async fn list_deliveries(
    caller: CanReadWebhooks,
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
    let found = services.webhooks()?.deliveries(&caller, endpoint_id(id)?, wanted).await?;
    Answer::ok(&DeliveryList::new(&found, limit))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Newest first. `next_cursor` is present if there are more.";
    Endpoint::new(routes![list_deliveries], "listWebhookDeliveries", "List the deliveries of a webhook endpoint", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .query::<DeliveryStatus>("status", "Only deliveries with this status, by default all.")
        .query::<Limit>("limit", "The most items.")
        .query::<WebhookDeliveryId>("cursor", "The `next_cursor` of the previous page.")
        .answers::<DeliveryList<'_>>(200, "A page of deliveries.")
}
