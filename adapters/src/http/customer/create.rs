//! `POST /customers`

use rocket::post;

use super::{request::CreateCustomerRequest, response::CustomerResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    json::parse,
};

/// Creates a customer with its tax associations and its links to other systems, all or nothing.
#[post("/customers", data = "<body>")]
pub(super) async fn create(caller: CanWrite, services: Services<'_>, body: Body) -> Result<Answer, ApiError> {
    let new = parse(body.bytes(), CreateCustomerRequest::into_domain)?;
    let event = services.customers.create(&caller, new).await?;
    Answer::created(&CustomerResponse::new(&event.state.customer, &event.state.mappings))
}
