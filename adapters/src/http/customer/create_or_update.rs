//! `PUT /customers/external/{external_id}`

use patron_domain::{
    customer::{CustomerChange, ExternalId},
    event::CustomerEventKind,
};
use rocket::{http::Status, put};

use super::{request::CreateCustomerRequest, response::changed, update_request::UpdateCustomerRequest};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::parse,
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
    tail: PathTail,
    body: Body,
) -> Result<Answer, ApiError> {
    let named = tail.0.ok_or_else(|| ApiError::not_found("the path holds an external id that is not UTF-8"))?;
    let new =
        parse(body.bytes(), |request: CreateCustomerRequest<'_>, broken| request.into_domain_named(named, broken))?;
    let mut update = parse(body.bytes(), UpdateCustomerRequest::into_replacement)?;
    update.external_id = None::<ExternalId>;
    let change = CustomerChange::CreateOrUpdate { new: Box::new(new), update: Box::new(update) };
    let done = services.customers.change(&caller, change, if_match.0, idempotency.over(body.bytes())).await?;
    match done.event.kind {
        CustomerEventKind::Created { .. } => changed(Status::Created, &done),
        _ => changed(Status::Ok, &done),
    }
}
