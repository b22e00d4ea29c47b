//! `DELETE /taxes/associations/{id}`

use patron_domain::{
    customer::{Amendment, CustomerChange, Precondition},
    ids::TaxAssociationId,
    lifecycle::Status,
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
};

/// Removes a tax association and returns it in its last state. For one of a customer, this changes that customer.
// With a body, because the SDKs cannot read an empty one here.
#[delete("/taxes/associations/<id>")]
pub(super) async fn delete_association(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let id = TaxAssociationId::parse(id).map_err(|_| ChangeTaxDefaultError::Unknown)?;
    let found = services.taxes()?.find_association(&caller, Permission::Write, id).await?;
    let mut found = found.ok_or(ChangeTaxDefaultError::Unknown)?;
    let TaxedEntity::Customer(customer) = found.entity else {
        let removed = services.taxes()?.change_default(&caller, id, TaxDefaultAmendment::Remove, request).await?;
        return Ok(Answer::ok(&TaxAssociationResponse::new(&removed.value))?.replayed(removed.replayed));
    };
    let change = CustomerChange::Amend(customer, Amendment::Dissociate(id));
    let changed = services.customers.change(&caller, change, Precondition::None, request).await?;
    // The event has the remaining state of the customer. The time and the actor of the removal come from it.
    found.status = Status::Deleted;
    found.audit.touch(changed.event.at, &changed.event.actor);
    Ok(Answer::ok(&TaxAssociationResponse::new(&found))?.replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "One of a customer, or a default. Customers that have already taken over the default keep it.";
    Endpoint::new(routes![delete_association], "deleteTaxAssociation", "Remove a tax association", says)
        .with_key()
        .path::<TaxAssociationId>("id", "The tax association.")
        .answers::<TaxAssociationResponse<'_>>(200, "The removed tax association.")
        .idempotent()
}
