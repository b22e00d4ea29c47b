//! `POST /customers`

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

/// Creates a customer with its tax associations and its links to other systems, all or nothing.
#[post("/customers", data = "<body>")]
pub(super) async fn create(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body,
) -> Result<Answer, ApiError> {
    let new = parse(body.bytes(), CreateCustomerRequest::into_domain)?;
    let created = services.customers.create(&caller, new, idempotency.over(body.bytes())).await?;
    changed(Status::Created, &created)
}
