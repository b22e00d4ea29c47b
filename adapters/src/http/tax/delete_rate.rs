//! `DELETE /taxes/rates/{id}`

use patron_domain::{
    ids::TaxRateId,
    tax::{ChangeTaxRateError, TaxRateAmendment},
};
use rocket::{delete, http::Status, routes};

use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    version::IfMatch,
};

/// Archives a tax rate that is not in use.
#[delete("/taxes/rates/<id>")]
pub(super) async fn delete_rate(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    let archived = services.taxes()?.change_rate(&caller, id, TaxRateAmendment::Archive, if_match.0, request).await?;
    Ok(Answer::empty(Status::NoContent).tagged(archived.value.version).replayed(archived.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![delete_rate], "deleteTaxRate", "Archive a tax rate", "Only if it is not in use.")
        .with_key()
        .path::<TaxRateId>("id", "The tax rate.")
        .answers_nothing(204, "The tax rate is archived.")
        .idempotent()
        .conditional()
        .refuses([Refusal::InvalidOperation])
}
