//! `PUT`, `DELETE /customers/{id}/legal-hold`

use patron_domain::{
    customer::{Amendment, ChangeCustomerError, CustomerChange},
    ids::CustomerId,
    violation::Violations,
};
use rocket::{delete, http::Status, put, routes};
use serde_json::json;

use super::request::PlaceHoldRequest;
use crate::http::{
    answer::Answer,
    body::Body,
    customer::response::{CustomerResponse, changed},
    error::ApiError,
    guard::{CanAdminister, Services},
    idempotency::Idempotency,
    openapi::{DRY_RUN_PARAMETER, Endpoint},
    query::Query,
    version::{IfMatch, etag},
};

fn customer_id(id: &str) -> Result<CustomerId, ApiError> {
    CustomerId::parse(id).map_err(|_| ChangeCustomerError::UnknownCustomer.into())
}

/// Places a legal hold on a customer of any status, or changes its terms. While it is in force, the customer cannot be erased.
#[put("/customers/<id>/legal-hold", data = "<body>", rank = 1)]
pub(super) async fn place(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    query: Query<'_>,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    query.only(&[DRY_RUN_PARAMETER], &mut broken);
    let new = match body.read(PlaceHoldRequest::into_domain).await {
        Ok(new) if broken.is_empty() => new,
        Ok(_) => return Err(broken.into()),
        Err(refusal) => return Err(refusal.beside(broken)),
    };
    let request = idempotency.over(body.bytes()).await?;
    let change = CustomerChange::Amend(customer_id(id)?, Amendment::PlaceHold(new));
    changed(Status::Ok, &services.customers.change(&caller, change, if_match.0, request).await?)
}

/// Removes the legal hold of a customer.
#[delete("/customers/<id>/legal-hold", rank = 1)]
pub(super) async fn remove(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    query: Query<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    query.nothing_but(&[DRY_RUN_PARAMETER])?;
    let request = idempotency.over(b"").await?;
    let change = CustomerChange::Amend(customer_id(id)?, Amendment::RemoveHold);
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    let answer = Answer::empty(Status::NoContent).header("ETag", etag(done.event.sequence));
    Ok(answer.replayed(done.replayed))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let placed = "Needs a `super_admin` key. A customer with a hold in force cannot be erased.";
    let removed = "Needs a `super_admin` key.";
    [
        Endpoint::new(routes![place], "placeLegalHold", "Place a legal hold", placed)
            .takes::<PlaceHoldRequest<'_>>([
                ("a lawsuit", json!({ "reason": "Lawsuit 7 O 11/26" })),
                ("until a date", json!({ "reason": "Tax audit", "until": "2030-01-01T00:00:00Z" })),
            ])
            .answers::<CustomerResponse<'_>>(200, "The customer."),
        Endpoint::new(routes![remove], "removeLegalHold", "Remove a legal hold", removed)
            .answers_nothing(204, "The hold is removed."),
    ]
    .map(|endpoint| endpoint.with_key().path::<CustomerId>("id", "The customer.").idempotent().conditional())
}
