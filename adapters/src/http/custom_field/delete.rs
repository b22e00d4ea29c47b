//! `DELETE /custom-fields/{key}`

use patron_domain::custom_field::CustomFieldKey;
use rocket::{delete, routes};

use super::field_key;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    query::Query,
    version::IfMatch,
};

/// Deletes a custom field. With `purge=true`, the values of customers are removed first.
#[delete("/custom-fields/<key>")]
pub(super) async fn delete(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    key: &str,
    query: Query<'_>,
) -> Result<Answer, ApiError> {
    let mut broken = query.faults();
    let purge = query.flag("purge", &mut broken).unwrap_or_default();
    broken.into_result()?;
    let request = idempotency.over(&[]).await?;
    let deleted = services.custom_fields()?.delete(&caller, field_key(key)?, purge, if_match.0, request).await?;
    Ok(Answer::no_content().replayed(deleted.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. A field that customers have values of gets a 400, unless `purge` is `true`: then their \
                values are removed first, each with an event. With very many customers this takes longer than a request may: \
                repeat the request, which continues, until it gets a 204.";
    Endpoint::new(routes![delete], "deleteCustomField", "Delete a custom field", says)
        .with_key()
        .path::<CustomFieldKey>("key", "The field's key.")
        .query::<bool>("purge", "Whether to remove the values of customers, by default `false`.")
        .answers_nothing(204, "The custom field is deleted.")
        .idempotent()
        .guarded()
        .refuses([Refusal::InvalidOperation])
}
