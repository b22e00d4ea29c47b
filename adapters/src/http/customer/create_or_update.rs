//! `PUT /customers/external/{external_id}`

use patron_domain::{
    customer::{CustomerChange, ExternalId},
    event::CustomerEventKind,
    violation::Violations,
};
use rocket::{http::Status, put, routes};

use super::{
    create::{example, with_unknown_rates},
    request::CreateCustomerRequest,
    response::{CustomerResponse, changed},
    update_request::UpdateCustomerRequest,
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::parse,
    onboarding::{HEADER, Token},
    openapi::{Endpoint, Refusal},
    path_tail::PathTail,
    version::IfMatch,
};

/// The message about an external id that a customer had before it was renamed.
const FORMER: &str = "a customer had this external id before it was renamed; use its current external id, or its id, or \
                      create another customer under this external id with POST /customers";

/// Changes the published customer with the external id (200), or creates it (201). A create uses all fields of a
/// create, a change those of an update. The body may omit `external_id`.
#[put("/customers/external/<_..>", data = "<body>")]
pub(super) async fn create_or_update(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    token: Token,
    tail: PathTail,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let named = tail.text.ok_or_else(|| ApiError::not_found("the path contains an external id that is not UTF-8"))?;
    let read = |request: CreateCustomerRequest<'_>, broken: &mut Violations| request.into_domain_named(named, broken);
    let mut new = match body.read(read).await {
        Ok(new) => new,
        Err(refusal) => return Err(with_unknown_rates(refusal, &services, &caller, &body).await),
    };
    token.apply(&services, &caller, &mut new.onboarding).await?;
    refuse_former(&services, &caller, &new.external_id).await?;
    // The first reading reported unknown members. Members that only a create has are known, so this one reports none.
    let update = || parse(body.bytes(), UpdateCustomerRequest::into_replacement);
    let mut update = body.apart(update).await?;
    update.external_id = None::<ExternalId>;
    let change = CustomerChange::CreateOrUpdate { new: Box::new(new), update: Box::new(update) };
    let request = idempotency.over(body.bytes()).await?;
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    match done.event.kind {
        CustomerEventKind::Created { .. } => changed(Status::Created, &done),
        _ => changed(Status::Ok, &done),
    }
}

/// Refuses the external id that a customer had before it was renamed. Creating another one would be wrong: the client
/// probably means this customer and does not know its new external id.
pub(super) async fn refuse_former(
    services: &Services<'_>,
    caller: &CanWrite,
    external_id: &ExternalId,
) -> Result<(), ApiError> {
    match services.customers.find_by_external_id(caller, external_id).await? {
        Some(found) if found.customer.external_id != *external_id => {
            Err(ApiError::already_exists("external_id", FORMER.to_owned(), found.customer.id.to_string()))
        }
        _ => Ok(()),
    }
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "If the external id is free, creates the customer with all fields. Otherwise changes the customer \
                that has it, with the fields of an update. The body may omit `external_id`.";
    Endpoint::new(routes![create_or_update], "createOrUpdateCustomer", "Create or change a customer", says)
        .with_key()
        .path::<ExternalId>("external_id", "The customer's external id.")
        .takes::<CreateCustomerRequest<'_>>([("everything", example("acme-1"))])
        .answers::<CustomerResponse<'_>>(200, "The changed customer.")
        .answers::<CustomerResponse<'_>>(201, "The new customer.")
        .idempotent()
        .takes_header(HEADER)
        .conditional()
        .refuses([Refusal::InvalidOperation])
}
