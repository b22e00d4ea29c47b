//! `POST /privacy/deletion-requests/{id}/cancel`

use patron_domain::ids::DeletionRequestId;
use rocket::{post, routes};

use super::{request_id, response::DeletionResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    openapi::{DRY_RUN_PARAMETER, Endpoint, Refusal},
    query::Query,
    version::IfMatch,
};

/// Cancels a request for deletion during its cool-down: the customer is as it was before. Cancelling twice changes nothing.
#[post("/privacy/deletion-requests/<id>/cancel")]
pub(super) async fn cancel(
    caller: CanAdminister,
    services: Services<'_>,
    if_match: IfMatch,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    query.nothing_but(&[DRY_RUN_PARAMETER])?;
    let request = services.privacy()?.cancel(&caller, request_id(id)?, if_match.0).await?;
    Ok(Answer::ok(&DeletionResponse::new(&request))?.tagged(request.audit.version()))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. Everything about the customer is as before, except for its version.";
    Endpoint::new(routes![cancel], "cancelDeletionRequest", "Cancel a deletion request", says)
        .with_key()
        .path::<DeletionRequestId>("id", "The request.")
        .answers::<DeletionResponse<'_>>(200, "The cancelled request.")
        .conditional()
        .reporting()
        .refuses([Refusal::ErasureBegun, Refusal::Taken])
}
