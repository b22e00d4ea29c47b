//! `GET /customers/{id}/history`

use patron_domain::{event::EventEntity, ids::CustomerId};
use rocket::{get, routes};

use super::response::EventResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    listing::{Listing, whole_page_of},
    openapi::Endpoint,
    query::Query,
};

/// Lists the events of a customer of any status, oldest first.
// The rank is after that of `/customers/external/<_..>`.
#[get("/customers/<id>/history", rank = 1)]
pub(super) async fn history(
    caller: CanRead,
    services: Services<'_>,
    id: &str,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let Listing { page, by_cursor, .. } = Listing::read(&query, &mut broken);
    broken.into_result()?;
    let missing = || ApiError::not_found("there is no customer with this id");
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let events = services.events()?.history(&caller, EventEntity::Customer(id), page).await?;
    // A customer that is suppressed or erased has events, and looks as if it did not exist.
    if services.customers.find(&caller, id).await?.is_none() {
        return Err(missing());
    }
    whole_page_of(&events, page, by_cursor)?;
    List::new(&events, page, EventResponse::new).answer(&services).await
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Every change of the customer, of its links and of its taxes, oldest first.";
    Endpoint::new(routes![history], "getCustomerHistory", "List the events of a customer", says)
        .with_key()
        .path::<CustomerId>("id", "The customer, in any status.")
        .paged()
        .lists::<EventResponse<'_>>("A page of its events.")
}
