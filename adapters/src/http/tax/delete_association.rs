//! `DELETE /taxes/associations/{id}`

use patron_domain::{
    customer::{Amendment, CustomerChange, Precondition},
    ids::TaxAssociationId,
    lifecycle::Status,
    tax::{ChangeTaxDefaultError, TaxDefaultAmendment, TaxedEntity},
    tenancy::Permission,
};
use rocket::delete;

use super::response::TaxAssociationResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
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
    let id = TaxAssociationId::parse(id).map_err(|_| ChangeTaxDefaultError::Unknown)?;
    let found = services.taxes.find_association(&caller, Permission::Write, id).await?;
    let mut found = found.ok_or(ChangeTaxDefaultError::Unknown)?;
    let TaxedEntity::Customer(customer) = found.entity else {
        let removed = services.taxes.change_default(&caller, id, TaxDefaultAmendment::Remove).await?;
        return Answer::ok(&TaxAssociationResponse::new(&removed));
    };
    let change = CustomerChange::Amend(customer, Amendment::Dissociate(id));
    let changed = services.customers.change(&caller, change, Precondition::None, idempotency.over(&[])).await?;
    // The event holds what is left of the customer; of what was taken away it knows when and by whom.
    found.status = Status::Deleted;
    found.audit.touch(changed.event.at, &changed.event.actor);
    Ok(Answer::ok(&TaxAssociationResponse::new(&found))?.replayed(changed.replayed))
}
