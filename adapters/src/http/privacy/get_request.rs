//! `GET /privacy/deletion-requests/{id}`

use patron_domain::ids::DeletionRequestId;
use rocket::{get, routes};

use super::{request_id, response::DeletionResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    openapi::Endpoint,
    query::Query,
    version::IfNoneMatch,
};

/// Shows a request for deletion, with its counts.
#[get("/privacy/deletion-requests/<id>")]
pub(super) async fn get_request(
    caller: CanAdminister,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    query.none()?;
    let request = services.privacy()?.find(&caller, request_id(id)?).await?;
    Answer::read(&DeletionResponse::new(&request), request.audit.version(), &known)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. `completed` says that counting found nothing left.";
    Endpoint::new(routes![get_request], "getDeletionRequest", "Get a deletion request", says)
        .with_key()
        .path::<DeletionRequestId>("id", "The request.")
        .answers::<DeletionResponse<'_>>(200, "The request.")
        .cacheable()
}
