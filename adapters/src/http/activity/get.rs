//! `GET /activity/{id}`

use rocket::{get, routes};

use super::{response::ActivityResponse, service};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::{Endpoint, SomeActivity},
    query::Query,
};

/// Shows one item of activity.
#[get("/activity/<id>")]
pub(super) async fn get(
    caller: CanRead,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    query.faults().into_result()?;
    let missing = || ApiError::not_found("there is no activity with this id");
    let found = service(&services)?.find(&caller, id).await?.ok_or_else(missing)?;
    Answer::ok(&ActivityResponse::new(&found))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "An event, or for `super_admin` keys an entry of the audit log.";
    Endpoint::new(routes![get], "getActivity", "Show one item of activity", says)
        .with_key()
        .path::<SomeActivity>("id", "The id of the event or entry.")
        .answers::<ActivityResponse<'_>>(200, "The item.")
}
