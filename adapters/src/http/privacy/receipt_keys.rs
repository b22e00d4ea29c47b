//! `GET /privacy/receipt-key`

use rocket::{get, routes};

use super::response::KeysResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::Services,
    openapi::{Endpoint, Refusal},
    query::Query,
};

/// Lists the public keys by which receipts can be verified, newest first. It needs no credentials.
#[get("/privacy/receipt-key")]
pub(super) async fn receipt_keys(services: Services<'_>, query: Query<'_>) -> Result<Answer, ApiError> {
    query.none()?;
    let keys = services.privacy()?.receipt_keys().await?;
    Answer::ok(&KeysResponse::new(&keys))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says =
        "No credentials are needed. Replaced keys stay in the list, because older receipts are verified by them.";
    Endpoint::new(routes![receipt_keys], "listReceiptKeys", "List the public keys of receipts", says)
        .answers::<KeysResponse>(200, "The keys.")
        .refuses([Refusal::Invalid, Refusal::Unavailable])
}
