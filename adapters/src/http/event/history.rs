//! `GET /customers/{id}/history`

use patron_domain::{event::EventEntity, ids::CustomerId, violation::Violations};
use rocket::get;

use super::response::EventResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    list::List,
    query::Query,
};

/// What happened to a customer of any status, the oldest first.
// The rank puts it after `/customers/external/<_..>`.
#[get("/customers/<id>/history", rank = 1)]
pub(super) async fn history(
    caller: CanRead,
    services: Services<'_>,
    id: &str,
    query: Query,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let page = query.page(&mut broken);
    broken.into_result()?;
    let missing = || ApiError::not_found("there is no customer with this id");
    let customer = EventEntity::Customer(CustomerId::parse(id).map_err(|_| missing())?);
    let events = services.events.history(&caller, customer, page).await?;
    // Whoever exists was created, which is an event.
    if events.total == 0 {
        return Err(missing());
    }
    Answer::ok(&List::new(&events, page, EventResponse::new))
}
