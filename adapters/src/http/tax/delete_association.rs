//! `DELETE /taxes/associations/{id}`

use patron_domain::{
    customer::{Amendment, CustomerChange},
    ids::TaxAssociationId,
    tax::{ChangeTaxDefaultError, TaxDefaultAmendment, TaxedEntity},
    tenancy::Permission,
};
use rocket::{delete, routes};

use super::response::TaxAssociationResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
    version::IfMatch,
};

/// Removes a tax association and returns it in its last state. For one of a customer, this changes that customer.
// With a body, because the SDKs cannot read an empty one here.
#[delete("/taxes/associations/<id>")]
pub(super) async fn delete_association(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let id = TaxAssociationId::parse(id).map_err(|_| ChangeTaxDefaultError::Unknown)?;
    let found = services.taxes()?.find_association(&caller, Permission::Write, id).await?;
    let found = found.ok_or(ChangeTaxDefaultError::Unknown)?;
    let TaxedEntity::Customer(customer) = found.entity else {
        let removed =
            services.taxes()?.change_default(&caller, id, TaxDefaultAmendment::Remove, if_match.0, request).await?;
        let answer = Answer::ok(&TaxAssociationResponse::new(&removed.value))?;
        return Ok(answer.tagged(removed.value.audit.version()).replayed(removed.replayed));
    };
    let change = CustomerChange::Amend(customer, Amendment::Dissociate(id));
    let changed = services.customers.change_association(&caller, change, if_match.0, request).await?;
    let removed = changed.event.state.removed_associations.iter().find(|one| one.id == id);
    let removed = removed.ok_or_else(ApiError::system_error)?;
    let answer = Answer::ok(&TaxAssociationResponse::new(removed))?;
    Ok(answer.tagged(removed.audit.version()).replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "One of a customer, or a default. Customers that have already taken over the default keep it.";
    Endpoint::new(routes![delete_association], "deleteTaxAssociation", "Remove a tax association", says)
        .with_key()
        .path::<TaxAssociationId>("id", "The tax association.")
        .answers::<TaxAssociationResponse<'_>>(200, "The removed tax association.")
        .idempotent()
        .conditional()
}
