//! `GET /environments`

use rocket::{get, routes};

use super::response::EnvironmentList;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanReadEnvironments, Services},
    listing::Listing,
    openapi::Endpoint,
    query::Query,
};

/// Lists the environments of the caller's tenant, newest first.
#[get("/environments")]
pub(super) async fn list_environments(
    caller: CanReadEnvironments,
    services: Services<'_>,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let page = Listing::read(&query, &mut broken).page;
    broken.into_result()?;
    let found = services.administration()?.environments(&caller, page).await?;
    Answer::ok(&EnvironmentList::new(&found, page))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "The environments of the key's tenant, newest first.";
    Endpoint::new(routes![list_environments], "listEnvironments", "List environments", says)
        .with_key()
        .paged()
        .answers::<EnvironmentList<'_>>(200, "A page of environments.")
}
