//! `DELETE /taxes/rates/{id}`

use patron_domain::{
    ids::TaxRateId,
    tax::{ChangeTaxRateError, TaxRateAmendment},
};
use rocket::{delete, http::Status};

use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanWrite, Services},
};

/// Archives a tax rate that is not in use.
#[delete("/taxes/rates/<id>")]
pub(super) async fn delete_rate(caller: CanWrite, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let id = TaxRateId::parse(id).map_err(|_| ChangeTaxRateError::Unknown)?;
    services.taxes.change_rate(&caller, id, TaxRateAmendment::Archive).await?;
    Ok(Answer::empty(Status::NoContent))
}
