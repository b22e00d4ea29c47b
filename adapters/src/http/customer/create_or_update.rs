//! `PUT /customers/external/{external_id}`

use patron_domain::{
    customer::{CustomerChange, ExternalId},
    event::CustomerEventKind,
};
use rocket::{http::Status, put, routes};

use super::{
    create::example,
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

/// Changes the published customer with the external id (200), or creates it (201). Of the body, all fields of a create
/// count when it is created, and those of an update when it is changed; `external_id` may be left out.
#[put("/customers/external/<_..>", data = "<body>")]
pub(super) async fn create_or_update(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    token: Token,
    tail: PathTail,
    body: Body,
) -> Result<Answer, ApiError> {
    let named = tail.0.ok_or_else(|| ApiError::not_found("the path holds an external id that is not UTF-8"))?;
    let mut new =
        parse(body.bytes(), |request: CreateCustomerRequest<'_>, broken| request.into_domain_named(named, broken))?;
    token.heed(&services, &caller, &mut new.onboarding).await?;
    let mut update = parse(body.bytes(), UpdateCustomerRequest::into_replacement)?;
    update.external_id = None::<ExternalId>;
    let change = CustomerChange::CreateOrUpdate { new: Box::new(new), update: Box::new(update) };
    let done = services.customers.change(&caller, change, if_match.0, idempotency.over(body.bytes())).await?;
    match done.event.kind {
        CustomerEventKind::Created { .. } => changed(Status::Created, &done),
        _ => changed(Status::Ok, &done),
    }
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "When the external id is free, creates the customer by all fields; else changes the customer that has it, by \
                the fields that an update has. The body may leave `external_id` out.";
    Endpoint::new(routes![create_or_update], "createOrUpdateCustomer", "Create a customer, or change it", says)
        .with_key()
        .path::<ExternalId>("external_id", "The customer's external id.")
        .takes::<CreateCustomerRequest<'_>>([("everything", example("acme-1"))])
        .answers::<CustomerResponse<'_>>(200, "The customer as the change left it.")
        .answers::<CustomerResponse<'_>>(201, "The new customer.")
        .idempotent()
        .heeding(HEADER)
        .conditional()
        .refuses([Refusal::InvalidOperation])
}
