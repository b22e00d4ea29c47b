//! `GET /taxes/associations/{id}`

use patron_domain::{ids::TaxAssociationId, tax::ChangeTaxDefaultError, tenancy::Permission};
use rocket::{get, routes};

use super::{
    list_associations::{EmbeddedRate, with_rates},
    response::TaxAssociationResponse,
};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
    query::Query,
    version::IfNoneMatch,
};

/// Shows a tax association of any status, with its rate.
#[get("/taxes/associations/<id>")]
pub(super) async fn get_association(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    // Checked as in lists. The rate is always included.
    with_rates(&query, &mut broken);
    broken.into_result()?;
    let id = TaxAssociationId::parse(id).map_err(|_| ChangeTaxDefaultError::Unknown)?;
    let found = services.taxes()?.find_association(&caller, Permission::Read, id).await?;
    let found = found.ok_or(ChangeTaxDefaultError::Unknown)?;
    let rates = services.taxes()?.rates_of(&caller, std::slice::from_ref(&found)).await?;
    Answer::read(&TaxAssociationResponse::new(&found).with_rate(&rates), found.audit.version(), &known)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "With its rate, in any status.";
    Endpoint::new(routes![get_association], "getTaxAssociation", "Show a tax association", says)
        .with_key()
        .path::<TaxAssociationId>("id", "The tax association.")
        .query::<EmbeddedRate>("expand", "Accepted as in lists. The rate is always included.")
        .answers::<TaxAssociationResponse<'_>>(200, "The tax association.")
        .cacheable()
}
