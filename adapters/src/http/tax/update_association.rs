//! `PUT /taxes/associations/{id}`

use patron_domain::{
    customer::{Amendment, CustomerChange},
    ids::TaxAssociationId,
    tax::{ChangeTaxDefaultError, TaxDefaultAmendment, TaxedEntity},
    tenancy::Permission,
};
use rocket::{put, routes};
use serde_json::json;

use super::{association_request::TermsRequest, error::of_association_change, response::TaxAssociationResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    version::IfMatch,
};

/// Changes priority, `auto_apply`, `tax_behavior`, term and metadata of a tax association. For one of a customer, this changes that customer.
#[put("/taxes/associations/<id>", data = "<body>")]
pub(super) async fn update_association(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let update = body.read(TermsRequest::into_domain).await?;
    let id = TaxAssociationId::parse(id).map_err(|_| ChangeTaxDefaultError::Unknown)?;
    let found = services.taxes()?.find_association(&caller, Permission::Write, id).await?;
    let request = idempotency.over(body.bytes()).await?;
    let TaxedEntity::Customer(customer) = found.ok_or(ChangeTaxDefaultError::Unknown)?.entity else {
        let changed = services
            .taxes()?
            .change_default(&caller, id, TaxDefaultAmendment::Update(update), if_match.0, request)
            .await?;
        let answer = Answer::ok(&TaxAssociationResponse::new(&changed.value))?;
        return Ok(answer.tagged(changed.value.audit.version()).replayed(changed.replayed));
    };
    let change = CustomerChange::Amend(customer, Amendment::UpdateAssociation(id, update));
    let changed = services.customers.change_association(&caller, change, if_match.0, request).await;
    let changed = changed.map_err(of_association_change)?;
    let association = changed.event.state.associations.iter().find(|one| one.id == id);
    let association = association.ok_or_else(ApiError::system_error)?;
    let answer = Answer::ok(&TaxAssociationResponse::new(association))?;
    Ok(answer.tagged(association.audit.version()).replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Changes priority, `auto_apply`, `tax_behavior`, term and metadata. An empty `end_date` or `tax_behavior` is removed. The terms of one entity, rate and currency must not overlap.";
    Endpoint::new(routes![update_association], "updateTaxAssociation", "Change a tax association", says)
        .with_key()
        .path::<TaxAssociationId>("id", "The tax association.")
        .takes::<TermsRequest<'_>>([("another priority", json!({ "priority": 7, "metadata": { "why": "B2B" } }))])
        .answers::<TaxAssociationResponse<'_>>(200, "The changed tax association.")
        .idempotent()
        .conditional()
        .refuses([Refusal::InvalidOperation, Refusal::Taken])
}
