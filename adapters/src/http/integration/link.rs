//! `POST /integrations/link`, `DELETE /integrations/link`

use patron_domain::{
    customer::{Amendment, CustomerChange},
    tenancy::Caller,
    violation::Violations,
};
use rocket::{delete, http::Status, post, routes};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

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
    openapi::{EXAMPLE_ID, Endpoint, Refusal},
    references::{told, unknown_id},
    version::{IfMatch, etag},
};

#[derive(Serialize, ToSchema)]
struct LinkAnswer<'a> {
    mapping: MappingResponse<'a>,
}

#[derive(Serialize, ToSchema)]
struct UnlinkAnswer {
    message: &'static str,
}

/// Links a customer to another system, or changes its existing link.
#[post("/integrations/link", data = "<body>")]
pub(super) async fn link(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    match make(&caller, &services, (idempotency, if_match), &body).await {
        Err(refusal) => Err(with_unknown(refusal, &caller, &services, &body).await),
        answer => answer,
    }
}

async fn make(
    caller: &Caller,
    services: &Services<'_>,
    (idempotency, if_match): (Idempotency<'_>, IfMatch),
    body: &Body<'_>,
) -> Result<Answer, ApiError> {
    let Link { customer, link } = body.read(LinkBody::into_link).await?;
    let provider_type = link.provider_type.clone();
    let customer = customer.ok_or_else(missing)?;
    let change = CustomerChange::Amend(customer, Amendment::Link(link));
    let request = idempotency.over(body.bytes()).await?;
    let done = services.customers.change(caller, change, if_match.0, request).await?;
    let mapping = done.event.state.mappings.iter().find(|mapping| mapping.provider_type == provider_type);
    // The state that the event recorded contains the new link.
    let mapping = MappingResponse::new(mapping.ok_or_else(ApiError::system_error)?);
    let answer = Answer::ok(&LinkAnswer { mapping })?.header("ETag", etag(done.event.sequence));
    Ok(answer.replayed(done.replayed))
}

/// Removes a customer's link to another system.
#[delete("/integrations/link", data = "<body>")]
pub(super) async fn unlink(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    match take_away(&caller, &services, (idempotency, if_match), &body).await {
        Err(refusal) => Err(with_unknown(refusal, &caller, &services, &body).await),
        answer => answer,
    }
}

async fn take_away(
    caller: &Caller,
    services: &Services<'_>,
    (idempotency, if_match): (Idempotency<'_>, IfMatch),
    body: &Body<'_>,
) -> Result<Answer, ApiError> {
    let Unlink { customer, provider_type, provider_entity_id } = body.read(LinkBody::into_unlink).await?;
    let customer = customer.ok_or_else(missing)?;
    let change = CustomerChange::Amend(customer, Amendment::Unlink { provider_type, provider_entity_id });
    let request = idempotency.over(body.bytes()).await?;
    let done = services.customers.change(caller, change, if_match.0, request).await?;
    let answer = Answer::ok(&UnlinkAnswer { message: "the link was removed" })?;
    Ok(answer.header("ETag", etag(done.event.sequence)).replayed(done.replayed))
}

/// Adds the unknown customer of the body to a refusal.
async fn with_unknown(refusal: ApiError, caller: &Caller, services: &Services<'_>, body: &Body<'_>) -> ApiError {
    if !matches!(refusal.status(), Status::BadRequest | Status::NotFound) {
        return refusal;
    }
    let mut named = None;
    let read = |request: LinkBody<'_>, _: &mut Violations| {
        named = request.named_customer();
        Some(())
    };
    // Faults other than the customer are in the refusal already.
    let _ = body.read(read).await;
    match named {
        Some(id) => told(refusal, unknown_id(services, caller, id).await),
        None => refusal,
    }
}

fn missing() -> ApiError {
    ApiError::not_found("there is no customer with this entity_id")
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let customer = format!("cust_{EXAMPLE_ID}");
    let made = json!({
        "entity_type": "customer",
        "entity_id": customer,
        "provider_type": "crm",
        "provider_entity_id": "A-7",
        "metadata": { "owner": { "name": "Ada" } },
    });
    let taken = json!({ "entity_type": "customer", "entity_id": customer, "provider_type": "stripe" });
    let says = "A customer has one link to each system; linking again changes it. `provider_entity_id` is required.";
    [
        Endpoint::new(routes![link], "linkCustomer", "Link a customer to another system", says)
            .takes::<LinkBody<'_>>([("a link", made)])
            .answers::<LinkAnswer<'_>>(200, "The link."),
        Endpoint::new(
            routes![unlink],
            "unlinkCustomer",
            "Remove a customer's link",
            "By the name of the other system.",
        )
        .takes::<LinkBody<'_>>([("a link", taken)])
        .answers::<UnlinkAnswer>(200, "The link was removed."),
    ]
    .map(|endpoint| {
        endpoint.with_key().idempotent().conditional().refuses([Refusal::InvalidOperation, Refusal::NotFound])
    })
}
