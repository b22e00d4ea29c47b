//! `PATCH /custom-fields/{key}`

use patron_domain::custom_field::CustomFieldKey;
use rocket::{patch, routes};
use serde_json::json;

use super::{field_key, request::UpdateCustomFieldRequest, response::CustomFieldResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    version::IfMatch,
};

/// Changes a custom field. Absent members leave fields unchanged.
#[patch("/custom-fields/<key>", data = "<body>")]
pub(super) async fn update(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    key: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let update = body.read(UpdateCustomFieldRequest::into_domain).await?;
    let request = idempotency.over(body.bytes()).await?;
    let changed = services.custom_fields()?.update(&caller, field_key(key)?, update, if_match.0, request).await?;
    let answer = Answer::ok(&CustomFieldResponse::new(&changed.value))?;
    Ok(answer.tagged(changed.value.audit.version()).replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. A JSON merge patch. Key and type never change. Customers keep the values that they have, \
                even options that are removed. If customers have the same value, `unique` gets a 409 that names some of them.";
    Endpoint::new(routes![update], "patchCustomField", "Change a custom field", says)
        .with_key()
        .path::<CustomFieldKey>("key", "The field's key.")
        .takes::<UpdateCustomFieldRequest<'_>>([("require it", json!({ "required": true, "description": null }))])
        .answers::<CustomFieldResponse<'_>>(200, "The changed custom field.")
        .idempotent()
        .conditional()
        .refuses([Refusal::InvalidOperation])
}
