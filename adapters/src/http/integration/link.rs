//! `POST /integrations/link`, `DELETE /integrations/link`

use patron_domain::customer::{Amendment, CustomerChange};
use rocket::{delete, post};
use serde::Serialize;

use super::{
    request::{Link, LinkBody, Unlink},
    response::MappingResponse,
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    json::parse,
    version::{IfMatch, etag},
};

#[derive(Serialize)]
struct LinkAnswer<'a> {
    mapping: MappingResponse<'a>,
}

#[derive(Serialize)]
struct UnlinkAnswer {
    message: &'static str,
}

/// Links a customer to another system, or changes the link it has there.
#[post("/integrations/link", data = "<body>")]
pub(super) async fn link(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer, ApiError> {
    let Link { customer, link } = parse(body.bytes(), LinkBody::into_link)?;
    let provider_type = link.provider_type.clone();
    let customer = customer.ok_or_else(missing)?;
    let change = CustomerChange::Amend(customer, Amendment::Link(link));
    let done = services.customers.change(&caller, change, if_match.0, idempotency.over(body.bytes())).await?;
    let mapping = done.event.state.mappings.iter().find(|mapping| mapping.provider_type == provider_type);
    // A link that was made is in the state that its event froze.
    let mapping = MappingResponse::new(mapping.ok_or_else(ApiError::system_error)?);
    let answer = Answer::ok(&LinkAnswer { mapping })?.header("ETag", etag(done.event.sequence));
    Ok(answer.replayed(done.replayed))
}

/// Takes a customer's link to another system away.
#[delete("/integrations/link", data = "<body>")]
pub(super) async fn unlink(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    body: Body,
) -> Result<Answer, ApiError> {
    let Unlink { customer, provider_type, provider_entity_id } = parse(body.bytes(), LinkBody::into_unlink)?;
    let customer = customer.ok_or_else(missing)?;
    let change = CustomerChange::Amend(customer, Amendment::Unlink { provider_type, provider_entity_id });
    let done = services.customers.change(&caller, change, if_match.0, idempotency.over(body.bytes())).await?;
    let answer = Answer::ok(&UnlinkAnswer { message: "the customer is not linked there any more" })?;
    Ok(answer.header("ETag", etag(done.event.sequence)).replayed(done.replayed))
}

fn missing() -> ApiError {
    ApiError::not_found("there is no customer with this entity_id")
}
