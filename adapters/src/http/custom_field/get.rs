//! `GET /custom-fields/{key}`

use patron_domain::custom_field::CustomFieldKey;
use rocket::{get, routes};

use super::{field_key, response::CustomFieldResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    openapi::Endpoint,
    version::IfNoneMatch,
};

/// Shows a custom field.
#[get("/custom-fields/<key>")]
pub(super) async fn get(
    caller: CanAdminister,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    key: &str,
) -> Result<Answer, ApiError> {
    let definition = services.custom_fields()?.find(&caller, field_key(key)?).await?;
    Answer::read(&CustomFieldResponse::new(&definition), definition.audit.version(), &known)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key.";
    Endpoint::new(routes![get], "getCustomField", "Show a custom field", says)
        .with_key()
        .path::<CustomFieldKey>("key", "The field's key.")
        .answers::<CustomFieldResponse<'_>>(200, "The custom field.")
        .cacheable()
}
