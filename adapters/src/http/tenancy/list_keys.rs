//! `GET /secrets/api/keys`

use patron_domain::{ids::EnvironmentId, lifecycle::Status};
use rocket::{get, routes};

use super::{named_environment, response::KeyResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdministerKeys, Services},
    list::List,
    listing::Listing,
    openapi::{Endpoint, Refusal},
    query::Query,
};

/// Lists the API keys of the caller's environment, or of the environment of its tenant that `environment_id` names,
/// newest first. `status=archived` lists revoked keys, and other requests list the rest. The keys themselves are never
/// shown.
#[get("/secrets/api/keys")]
pub(super) async fn list_keys(
    caller: CanAdministerKeys,
    services: Services<'_>,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let page = Listing::read(&query, &mut broken).page;
    let status = query.checked("status", &mut broken, Status::parse);
    broken.into_result()?;
    let environment = named_environment(query.get("environment_id"))?;
    let status = status.unwrap_or(Status::Published);
    let found = services.administration()?.keys(&caller, environment, status, page).await?;
    Answer::ok(&List::new(&found, page, KeyResponse::new))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key of the environment, or a `tenant_admin` key. Newest first. The \
                keys themselves are never shown.";
    Endpoint::new(routes![list_keys], "listApiKeys", "List API keys", says)
        .with_key()
        .paged()
        .query::<Status>("status", "`archived` lists revoked keys. By default `published`.")
        .query::<EnvironmentId>("environment_id", "The environment, by default the key's own.")
        .lists::<KeyResponse<'_>>("A page of keys.")
        .refuses([Refusal::NotFound])
}
