//! `DELETE /customers/{id}`, `POST /customers/{id}/restore`

use patron_domain::{
    customer::{Amendment, CustomerChange},
    ids::CustomerId,
};
use rocket::{delete, http::Status, post, routes};

use super::{
    missing,
    response::{CustomerResponse, changed},
};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    version::{IfMatch, etag},
};

/// Archives a customer with its mappings and tax associations.
#[delete("/customers/<id>", rank = 1)]
pub(super) async fn archive(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(b"").await?;
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let change = CustomerChange::Amend(id, Amendment::Archive);
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    let answer = Answer::empty(Status::NoContent).header("ETag", etag(done.event.sequence));
    Ok(answer.replayed(done.replayed))
}

/// Restores an archived customer, with the mappings and tax associations that were archived with it.
#[post("/customers/<id>/restore")]
pub(super) async fn restore(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(b"").await?;
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let change = CustomerChange::Amend(id, Amendment::Restore);
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    changed(Status::Ok, &done)
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let archived = "With its links and tax associations. Its external id can then be used for another customer.";
    let restored =
        "With the links and tax associations that were archived with it, unless its external id is taken by then.";
    [
        Endpoint::new(routes![archive], "archiveCustomer", "Archive a customer", archived)
            .answers_nothing(204, "The customer is archived."),
        Endpoint::new(routes![restore], "restoreCustomer", "Restore an archived customer", restored)
            .answers::<CustomerResponse<'_>>(200, "The customer.")
            .refuses([Refusal::InvalidOperation]),
    ]
    .map(|endpoint| endpoint.with_key().path::<CustomerId>("id", "The customer.").idempotent().conditional())
}
