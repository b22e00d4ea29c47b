//! `GET /taxes/rates/{id}`

use patron_domain::ids::TaxRateId;
use rocket::{get, routes};

use super::response::TaxRateResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
    version::IfNoneMatch,
};

/// Shows a tax rate of any status.
#[get("/taxes/rates/<id>")]
pub(super) async fn get_rate(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let missing = || ApiError::not_found("there is no tax rate with this id");
    let id = TaxRateId::parse(id).map_err(|_| missing())?;
    let rate = services.taxes()?.find_rate(&caller, id).await?.ok_or_else(missing)?;
    Answer::read(&TaxRateResponse::new(&rate), rate.version, &known)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    Endpoint::new(routes![get_rate], "getTaxRate", "Show a tax rate", "By its id, in any status.")
        .with_key()
        .path::<TaxRateId>("id", "The tax rate.")
        .answers::<TaxRateResponse<'_>>(200, "The tax rate.")
        .cacheable()
}
