//! `GET /secrets/api/keys`

use patron_domain::{ids::EnvironmentId, lifecycle::Status};
use rocket::{get, routes};

use super::{named_environment, response::KeyResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    list::List,
    listing::Listing,
    openapi::{Endpoint, Refusal},
    query::Query,
};

/// The API keys of the caller's environment, or of the one of its tenant that `environment_id` names, the newest first:
/// those in use, or with `status=archived` those that were revoked. The keys themselves are never shown.
#[get("/secrets/api/keys")]
pub(super) async fn list_keys(
    caller: CanAdminister,
    services: Services<'_>,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let page = Listing::read(&query, &mut broken).page;
    let status = query.checked("status", &mut broken, Status::parse);
    broken.into_result()?;
    let environment = named_environment(query.get("environment_id"))?;
    let status = status.unwrap_or(Status::Published);
    let found = services.administration.keys(&caller, environment, status, page).await?;
    Answer::ok(&List::new(&found, page, KeyResponse::new))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. The newest first; the keys themselves are never shown.";
    Endpoint::new(routes![list_keys], "listApiKeys", "List API keys", says)
        .with_key()
        .paged()
        .query::<Status>("status", "`archived` for those that were revoked; `published` when absent.")
        .query::<EnvironmentId>("environment_id", "The environment; the key's own when absent.")
        .lists::<KeyResponse<'_>>("A page of keys.")
        .refuses([Refusal::NotFound])
}
