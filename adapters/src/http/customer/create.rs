//! `POST /customers`

use patron_domain::customer::NewCustomer;
use rocket::{http::Status, post};

use super::{request::CreateCustomerRequest, response::changed};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::parse,
};

/// What a body asks to be created.
pub(in crate::http) fn parse_create(body: &[u8]) -> Result<NewCustomer, ApiError> {
    parse(body, CreateCustomerRequest::into_domain)
}

/// Creates a customer with its tax associations and its links to other systems, all or nothing.
#[post("/customers", data = "<body>")]
pub(super) async fn create(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body,
) -> Result<Answer, ApiError> {
    let new = parse_create(body.bytes())?;
    let created = services.customers.create(&caller, new, idempotency.over(body.bytes())).await?;
    changed(Status::Created, &created)
}
