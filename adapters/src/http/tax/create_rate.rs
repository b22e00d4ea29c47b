//! `POST /taxes/rates`

use rocket::{post, routes};
use serde_json::json;

use super::{request::CreateTaxRateRequest, response::TaxRateResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
};

/// Creates a tax rate.
#[post("/taxes/rates", data = "<body>")]
pub(super) async fn create_rate(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let new = body.read(CreateTaxRateRequest::into_domain).await?;
    let made = services.taxes()?.create_rate(&caller, new, idempotency.over(body.bytes()).await?).await?;
    let location = format!("/taxes/rates/{}", made.value.id);
    let answer = Answer::created(location, &TaxRateResponse::new(&made.value))?;
    Ok(answer.tagged(made.value.version).replayed(made.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "A code, a name, and either `percentage_value` or `fixed_value`, as a text or a number.";
    Endpoint::new(routes![create_rate], "createTaxRate", "Create a tax rate", says)
        .with_key()
        .takes::<CreateTaxRateRequest<'_>>([
            ("a percentage", json!({ "code": "VAT_AT", "name": "Umsatzsteuer", "percentage_value": "20" })),
            (
                "a fixed amount",
                json!({
                    "code": "FEE",
                    "name": "Stamp duty",
                    "description": "For each contract",
                    "tax_rate_type": "fixed",
                    "fixed_value": 2.5,
                    "scope": "EXTERNAL",
                    "tax_rate_status": "INACTIVE",
                    "metadata": { "office": "7" },
                }),
            ),
        ])
        .answers::<TaxRateResponse<'_>>(201, "The tax rate.")
        .idempotent()
        .answering("ETag")
}
