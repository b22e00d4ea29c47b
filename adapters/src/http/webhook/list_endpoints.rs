//! `GET /webhooks/endpoints`

use rocket::{get, routes};

use super::response::EndpointResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanReadWebhooks, Services},
    list::List,
    listing::Listing,
    openapi::Endpoint,
    query::Query,
};

/// Lists the webhook endpoints of the environment, newest first. Secrets are never shown.
#[get("/webhooks/endpoints")]
pub(super) async fn list_endpoints(
    caller: CanReadWebhooks,
    services: Services<'_>,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let page = Listing::read(&query, &mut broken).page;
    broken.into_result()?;
    let found = services.webhooks()?.endpoints(&caller, page).await?;
    let sender = &*services.webhooks()?.sender;
    Answer::ok(&List::new(&found, page, |endpoint| EndpointResponse::new(endpoint, sender)))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Newest first, without their secrets.";
    Endpoint::new(routes![list_endpoints], "listWebhookEndpoints", "List webhook endpoints", says)
        .with_key()
        .paged()
        .lists::<EndpointResponse<'_>>("A page of endpoints.")
}
