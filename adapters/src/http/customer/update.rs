//! `PUT /customers/{id}`, `PUT /customers`, `PATCH /customers/{id}`

use patron_domain::{
    customer::{Amendment, CustomerChange, ExternalId},
    ids::CustomerId,
    violation::Violations,
};
use rocket::{http::Status, patch, put, routes};
use serde_json::json;

use super::{
    missing,
    response::{CustomerResponse, changed},
    update_request::UpdateCustomerRequest,
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    query::Query,
    version::IfMatch,
};

/// Changes the given fields.
#[put("/customers/<id>", rank = 1, data = "<body>")]
pub(super) async fn update(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let update = body.read(UpdateCustomerRequest::into_replacement).await?;
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let change = CustomerChange::Amend(id, Amendment::Update(Box::new(update)));
    let request = idempotency.over(body.bytes()).await?;
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    changed(Status::Ok, &done)
}

/// The same for the customer that `id` or `external_customer_id` in the query names.
#[put("/customers", data = "<body>")]
pub(super) async fn update_named(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    query: Query<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = Violations::new();
    let external_id = query.checked("external_customer_id", &mut broken, |text| ExternalId::new(text));
    let id = query.get("id").map(CustomerId::parse);
    let read = |request: UpdateCustomerRequest<'_>, wrong: &mut Violations| {
        broken.into_iter().for_each(|violation| wrong.push(violation));
        request.into_replacement(wrong)
    };
    let update = body.read(read).await?;
    let id = id.transpose().map_err(|_| missing())?;
    let id = services.customers.identify(&caller, id, external_id.as_ref()).await?;
    let change = CustomerChange::Amend(id, Amendment::Update(Box::new(update)));
    let request = idempotency.over(body.bytes()).await?;
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    changed(Status::Ok, &done)
}

/// Changes the given fields by a JSON merge patch (RFC 7396): `null` clears a value.
#[patch("/customers/<id>", rank = 1, data = "<body>")]
pub(super) async fn patch(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let update = body.read(UpdateCustomerRequest::into_merge).await?;
    let id = CustomerId::parse(id).map_err(|_| missing())?;
    let change = CustomerChange::Amend(id, Amendment::Update(Box::new(update)));
    let request = idempotency.over(body.bytes()).await?;
    let done = services.customers.change(&caller, change, if_match.0, request).await?;
    changed(Status::Ok, &done)
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 3] {
    let says = "Changes the given fields. `null` counts as absent, an empty text clears an optional field, metadata is \
                replaced completely, and links are added to existing ones.";
    let merge = "A JSON merge patch (RFC 7396): `null` clears a field, metadata is merged key by key, and a `null` \
                 removes a key.";
    let put = json!({ "name": "Acme SE", "email": "", "metadata": { "plan": "silver" } });
    let (one, named) = (routes![update], routes![update_named]);
    [
        Endpoint::new(one, "updateCustomer", "Change a customer", says)
            .path::<CustomerId>("id", "The customer.")
            .takes::<UpdateCustomerRequest<'_>>([("some fields", put.clone())]),
        Endpoint::new(named, "updateNamedCustomer", "Change the customer that the query names", says)
            .query::<CustomerId>("id", "The customer's id. This or the external id is required.")
            .query::<ExternalId>("external_customer_id", "The customer's external id.")
            .takes::<UpdateCustomerRequest<'_>>([("some fields", put)])
            .refuses([Refusal::NotFound]),
        Endpoint::new(routes![patch], "patchCustomer", "Change a customer by a merge patch", merge)
            .path::<CustomerId>("id", "The customer.")
            .takes::<UpdateCustomerRequest<'_>>([(
                "a field, and a key of metadata",
                json!({ "contact": null, "metadata": { "seats": "5", "plan": null } }),
            )]),
    ]
    .map(|endpoint| {
        endpoint
            .with_key()
            .answers::<CustomerResponse<'_>>(200, "The changed customer.")
            .idempotent()
            .conditional()
            .refuses([Refusal::InvalidOperation])
    })
}
