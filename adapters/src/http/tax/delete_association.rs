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

/// Takes a tax association away, a customer's as a change of that customer, and answers it as it was left.
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
    let found = services.taxes.find_association(&caller, Permission::Write, id).await?;
    let mut found = found.ok_or(ChangeTaxDefaultError::Unknown)?;
    let TaxedEntity::Customer(customer) = found.entity else {
        let removed = services.taxes.change_default(&caller, id, TaxDefaultAmendment::Remove, request).await?;
        return Ok(Answer::ok(&TaxAssociationResponse::new(&removed.value))?.replayed(removed.replayed));
    };
    let change = CustomerChange::Amend(customer, Amendment::Dissociate(id));
    let changed = services.customers.change(&caller, change, Precondition::None, request).await?;
    // The event holds what is left of the customer; of what was taken away it knows when and by whom.
    found.status = Status::Deleted;
    found.audit.touch(changed.event.at, &changed.event.actor);
    Ok(Answer::ok(&TaxAssociationResponse::new(&found))?.replayed(changed.replayed))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "A customer's, or one of the defaults; customers that took the default over keep theirs.";
    Endpoint::new(routes![delete_association], "deleteTaxAssociation", "Take a tax association away", says)
        .with_key()
        .path::<TaxAssociationId>("id", "The tax association.")
        .answers::<TaxAssociationResponse<'_>>(200, "The tax association as it was left.")
        .idempotent()
}
