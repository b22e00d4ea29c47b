//! `POST /taxes/rates`

use rocket::post;

use super::{request::CreateTaxRateRequest, response::TaxRateResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    json::parse,
};

/// Creates a tax rate.
#[post("/taxes/rates", data = "<body>")]
pub(super) async fn create_rate(caller: CanWrite, services: Services<'_>, body: Body) -> Result<Answer, ApiError> {
    let new = parse(body.bytes(), CreateTaxRateRequest::into_domain)?;
    let rate = services.taxes.create_rate(&caller, new).await?;
    Answer::created(&TaxRateResponse::new(&rate))
}
