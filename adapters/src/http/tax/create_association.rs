//! `POST /taxes/associations`

use patron_domain::{
    customer::{Amendment, CustomerChange, Precondition},
    event::CustomerEventKind,
    tax::{NamedCustomer, TaxesOfError},
    tenancy::Caller,
    violation::Violations,
};
use rocket::{http::Status, post, routes};
use serde_json::json;

use super::{
    association_request::CreateAssociationRequest, entity::NamedEntity, error::of_association,
    response::TaxAssociationResponse,
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    references::{told, unknown_customer, unknown_rates},
};

/// Associates a tax rate with a customer, which changes that customer, or adds it to the environment's defaults.
#[post("/taxes/associations", data = "<body>")]
pub(super) async fn create_association(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    match create(&caller, &services, idempotency, &body).await {
        Err(refusal) if matches!(refusal.status(), Status::BadRequest | Status::NotFound) => {
            Err(with_unknown(refusal, &caller, &services, &body).await)
        }
        answer => answer,
    }
}

/// Adds the unknown tax rate and the unknown customer of the body to a refusal.
async fn with_unknown(refusal: ApiError, caller: &Caller, services: &Services<'_>, body: &Body<'_>) -> ApiError {
    let mut named = (None, None);
    let read = |request: CreateAssociationRequest<'_>, _: &mut Violations| {
        named = request.references();
        Some(())
    };
    // Other faults are in the refusal already.
    let _ = body.read(read).await;
    let (code, customer) = named;
    let mut unknown = match &customer {
        Some(customer) => unknown_customer(services, caller, customer).await,
        None => Violations::new(),
    };
    let codes = code.map(|code| ("tax_rate_code".to_owned(), code)).into_iter().collect();
    unknown_rates(services, caller, codes).await.into_iter().for_each(|one| unknown.push(one));
    told(refusal, unknown)
}

async fn create(
    caller: &Caller,
    services: &Services<'_>,
    idempotency: Idempotency<'_>,
    body: &Body<'_>,
) -> Result<Answer, ApiError> {
    let read = |request: CreateAssociationRequest<'_>, broken: &mut Violations| request.into_domain(caller, broken);
    let (entity, new) = body.read(read).await?;
    let request = idempotency.over(body.bytes()).await?;
    let NamedEntity::Customer(named) = entity else {
        let made = services.taxes()?.create_default(caller, new, request).await?;
        let answer = Answer::ok(&TaxAssociationResponse::new(&made.value))?;
        return Ok(answer.tagged(made.value.audit.version()).replayed(made.replayed));
    };
    // Faults of the request itself are reported before any look-up.
    new.term(services.taxes()?.clock.now())?;
    let customer = match named {
        NamedCustomer::Id(id) => id.ok_or(TaxesOfError::UnknownCustomer)?,
        named => services.taxes()?.customer(caller, &named).await?,
    };
    let change = CustomerChange::Amend(customer, Amendment::Associate(Box::new(new)));
    let changed = services.customers.change(caller, change, Precondition::None, request).await;
    let changed = changed.map_err(of_association)?;
    let CustomerEventKind::TaxAssociated { association_id } = changed.event.kind else {
        return Err(ApiError::system_error());
    };
    let association = changed.event.state.associations.iter().find(|one| one.id == association_id);
    let association = association.ok_or_else(ApiError::system_error)?;
    let answer = Answer::ok(&TaxAssociationResponse::new(association))?;
    Ok(answer.tagged(association.audit.version()).replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "For one customer, or (`tenant`) for every customer that is created later without taxes of its own.";
    Endpoint::new(routes![create_association], "createTaxAssociation", "Associate a tax rate", says)
        .with_key()
        .takes::<CreateAssociationRequest<'_>>([
            (
                "a customer's",
                json!({
                    "tax_rate_code": "VAT_DE",
                    "external_customer_id": "acme-1",
                    "currency": "eur",
                    "priority": 5,
                    "start_date": "2026-01-01T00:00:00Z",
                    "end_date": "2099-01-01T00:00:00Z",
                }),
            ),
            ("a default", json!({ "tax_rate_code": "VAT_DE", "entity_type": "tenant", "auto_apply": true })),
        ])
        .answers::<TaxAssociationResponse<'_>>(200, "The tax association.")
        .idempotent()
        .answering("ETag")
        .refuses([Refusal::NotFound])
}
