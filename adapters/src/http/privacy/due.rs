//! `GET /privacy/due`

use rocket::{get, routes};

use super::response::DueList;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    openapi::Endpoint,
    query::Query,
};

/// Lists the customers whose data is about to be redacted.
#[get("/privacy/due")]
pub(super) async fn due(caller: CanAdminister, services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    query.none()?;
    Answer::ok(&DueList::new(&services.privacy()?.due(&caller).await?))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. In the order of their due times; at most 1,000.";
    Endpoint::new(routes![due], "listDueErasures", "List customers that are about to be erased", says)
        .with_key()
        .answers::<DueList>(200, "The customers.")
}
