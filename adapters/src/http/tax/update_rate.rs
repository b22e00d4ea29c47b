//! `PUT /taxes/rates/{id}`

use patron_domain::{
    ids::TaxRateId,
    tax::{ChangeTaxRateError, TaxRateAmendment},
};
use rocket::{put, routes};
use serde_json::json;

use super::{request::UpdateTaxRateRequest, response::TaxRateResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    version::IfMatch,
};

/// Changes a tax rate. A rate in use keeps its value and type.
#[put("/taxes/rates/<id>", data = "<body>")]
pub(super) async fn update_rate(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let update = body.read(UpdateTaxRateRequest::into_domain).await?;
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    let (amendment, request) = (TaxRateAmendment::Update(Box::new(update)), idempotency.over(body.bytes()).await?);
    let changed = services.taxes()?.change_rate(&caller, id, amendment, if_match.0, request).await?;
    Ok(Answer::ok(&TaxRateResponse::new(&changed.value))?.tagged(changed.value.version).replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Changes the given fields. A rate in use keeps its value and type.";
    let off = json!({ "tax_rate_status": "INACTIVE", "description": "" });
    Endpoint::new(routes![update_rate], "updateTaxRate", "Change a tax rate", says)
        .with_key()
        .path::<TaxRateId>("id", "The tax rate.")
        .takes::<UpdateTaxRateRequest<'_>>([("switched off", off)])
        .answers::<TaxRateResponse<'_>>(200, "The changed tax rate.")
        .idempotent()
        .conditional()
        .refuses([Refusal::InvalidOperation])
}
