//! `POST /custom-fields`

use rocket::{post, routes};
use serde_json::json;

use super::{request::CreateCustomFieldRequest, response::CustomFieldResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
};

/// Defines a custom field.
#[post("/custom-fields", data = "<body>")]
pub(super) async fn create(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let new = body.read(CreateCustomFieldRequest::into_domain).await?;
    let request = idempotency.over(body.bytes()).await?;
    let created = services.custom_fields()?.create(&caller, new, request).await?;
    let location = format!("/custom-fields/{}", created.value.key);
    let answer = Answer::created(location, &CustomFieldResponse::new(&created.value))?;
    Ok(answer.tagged(created.value.audit.version()).replayed(created.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. From now on customers can have values of this type in `custom_fields`, and \
                `required` applies to writes.";
    Endpoint::new(routes![create], "createCustomField", "Define a custom field", says)
        .with_key()
        .takes::<CreateCustomFieldRequest<'_>>([
            ("a number", json!({ "key": "seats", "type": "integer" })),
            (
                "one of some options",
                json!({ "key": "tier", "type": "select", "options": ["gold", "silver"], "description": "The contract" }),
            ),
        ])
        .answers::<CustomFieldResponse<'_>>(201, "The custom field.")
        .idempotent()
        .answering("ETag")
        .refuses([Refusal::InvalidOperation])
}
