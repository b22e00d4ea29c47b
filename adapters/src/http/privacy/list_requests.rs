//! `GET /privacy/deletion-requests`

use patron_domain::{
    ids::DeletionRequestId,
    privacy::{DeletionQuery, DeletionState},
};
use rocket::{get, routes};

use super::response::DeletionList;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    listing::{Listing, cursor},
    openapi::{Endpoint, Limit},
    query::Query,
};

/// Lists the requests for deletion of the environment, newest first. `cursor` is the `next_cursor` of the previous page.
#[get("/privacy/deletion-requests")]
pub(super) async fn list_requests(
    caller: CanAdminister,
    services: Services<'_>,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    query.only(&["limit", "state", "cursor", "starting_after", "after"], &mut broken);
    let limit = Listing::without_cursor(&query, &mut broken).page.limit();
    let state = query.checked("state", &mut broken, DeletionState::parse);
    let (name, before) = cursor(&query, &mut broken);
    let before = before.and_then(|before| broken.check(|| name.to_owned(), DeletionRequestId::parse(before)));
    broken.into_result()?;
    let found = services.privacy()?.requests(&caller, DeletionQuery { state, before, limit: limit + 1 }).await?;
    Answer::ok(&DeletionList::new(&found, limit))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. Newest first.";
    Endpoint::new(routes![list_requests], "listDeletionRequests", "List deletion requests", says)
        .with_key()
        .query::<DeletionState>("state", "Only requests in this state, by default all.")
        .query::<Limit>("limit", "The most items.")
        .query::<DeletionRequestId>("cursor", "The `next_cursor` of the previous page.")
        .answers::<DeletionList<'_>>(200, "A page of requests.")
}
