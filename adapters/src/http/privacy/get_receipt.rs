//! `GET /privacy/deletion-requests/{id}/receipt`

use patron_domain::ids::DeletionRequestId;
use rocket::{get, routes};

use super::{request_id, response::ReceiptResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    openapi::Endpoint,
    query::Query,
};

/// Shows the signed receipt of a completed request. It has no personal data.
#[get("/privacy/deletion-requests/<id>/receipt")]
pub(super) async fn get_receipt(
    caller: CanAdminister,
    services: Services<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    query.none()?;
    let signed = services.privacy()?.receipt(&caller, request_id(id)?).await?;
    Answer::ok(&ReceiptResponse::from(&signed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. `patron privacy verify` checks the signature offline.";
    Endpoint::new(routes![get_receipt], "getDeletionReceipt", "Get the receipt of an erasure", says)
        .with_key()
        .path::<DeletionRequestId>("id", "The completed request.")
        .answers::<ReceiptResponse<'_>>(200, "The receipt.")
}
