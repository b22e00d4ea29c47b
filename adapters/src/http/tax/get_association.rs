//! `GET /taxes/associations/{id}`

use patron_domain::{ids::TaxAssociationId, tax::ChangeTaxDefaultError, tenancy::Permission};
use rocket::{get, routes};

use super::response::TaxAssociationResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
};

/// A tax association of any status, with its rate.
#[get("/taxes/associations/<id>")]
pub(super) async fn get_association(caller: CanRead, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let id = TaxAssociationId::parse(id).map_err(|_| ChangeTaxDefaultError::Unknown)?;
    let found = services.taxes.find_association(&caller, Permission::Read, id).await?;
    let found = found.ok_or(ChangeTaxDefaultError::Unknown)?;
    let rates = services.taxes.rates_of(&caller, std::slice::from_ref(&found)).await?;
    Answer::ok(&TaxAssociationResponse::new(&found).with_rate(&rates))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "With its rate, whatever its status.";
    Endpoint::new(routes![get_association], "getTaxAssociation", "Show a tax association", says)
        .with_key()
        .path::<TaxAssociationId>("id", "The tax association.")
        .answers::<TaxAssociationResponse<'_>>(200, "The tax association.")
}
