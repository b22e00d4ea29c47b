//! `GET /webhooks/endpoints`

use patron_domain::violation::Violations;
use rocket::{get, routes};

use super::response::EndpointResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    openapi::Endpoint,
    query::Query,
};

/// The webhook endpoints of the environment, the newest first. Secrets are never shown.
#[get("/webhooks/endpoints")]
pub(super) async fn list_endpoints(caller: CanRead, services: Services<'_>, query: Query) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let page = query.page(&mut broken);
    broken.into_result()?;
    let found = services.webhooks.endpoints(&caller, page).await?;
    let sender = &*services.webhooks.sender;
    Answer::ok(&List::new(&found, page, |endpoint| EndpointResponse::new(endpoint, sender)))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "The newest first, without their secrets.";
    Endpoint::new(routes![list_endpoints], "listWebhookEndpoints", "List webhook endpoints", says)
        .with_key()
        .paged()
        .lists::<EndpointResponse<'_>>("A page of endpoints.")
}
