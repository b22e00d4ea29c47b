//! `GET /customers/{id}/history`

use patron_domain::{event::EventEntity, ids::CustomerId};
use rocket::{get, routes};

use super::response::EventResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    listing::Listing,
    openapi::Endpoint,
    query::Query,
};

/// What happened to a customer of any status, the oldest first.
// The rank puts it after `/customers/external/<_..>`.
#[get("/customers/<id>/history", rank = 1)]
pub(super) async fn history(
    caller: CanRead,
    services: Services<'_>,
    id: &str,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let page = Listing::read(&query, &mut broken).page;
    broken.into_result()?;
    let missing = || ApiError::not_found("there is no customer with this id");
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let events = services.events.history(&caller, EventEntity::Customer(id), page).await?;
    // A customer that exists was created, which is an event; but old events may have been removed.
    if events.total == 0 && services.customers.find(&caller, id).await?.is_none() {
        return Err(missing());
    }
    List::new(&events, page, EventResponse::new).answer().await
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Every change of the customer, of its links and of its taxes, the oldest first.";
    Endpoint::new(routes![history], "getCustomerHistory", "What happened to a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer, of any status.")
        .paged()
        .lists::<EventResponse<'_>>("A page of its events.")
}
