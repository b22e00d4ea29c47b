//! `GET /secrets/api/keys`

use patron_domain::{lifecycle::Status, violation::Violations};
use rocket::get;

use super::{named_environment, response::KeyResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    list::List,
    query::Query,
};

/// The API keys of the caller's environment, or of the one of its tenant that `environment_id` names, the newest first:
/// those in use, or with `status=archived` those that were revoked. The keys themselves are never shown.
#[get("/secrets/api/keys")]
pub(super) async fn list_keys(caller: CanAdminister, services: Services<'_>, query: Query) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let page = query.page(&mut broken);
    let status = query.checked("status", &mut broken, Status::parse);
    broken.into_result()?;
    let environment = named_environment(query.get("environment_id"))?;
    let status = status.unwrap_or(Status::Published);
    let found = services.administration.keys(&caller, environment, status, page).await?;
    Answer::ok(&List::new(&found, page, KeyResponse::new))
}
