//! `PUT /environments/{id}`

use patron_domain::{ids::EnvironmentId, tenancy::EnvironmentError};
use rocket::{put, routes};
use serde_json::json;

use super::{request::UpdateEnvironmentRequest, response::EnvironmentResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerTenant, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
    version::IfMatch,
};

/// Renames an environment of the caller's tenant.
#[put("/environments/<id>", data = "<body>")]
pub(super) async fn update_environment(
    caller: CanAdministerTenant,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let change = body.read(UpdateEnvironmentRequest::into_domain).await?;
    let id = EnvironmentId::parse(id).map_err(|_| EnvironmentError::Unknown)?;
    let request = idempotency.over(body.bytes()).await?;
    let changed = services.administration()?.change_environment(&caller, id, change, if_match.0, request).await?;
    let answer = Answer::ok(&EnvironmentResponse::new(&changed.value))?;
    Ok(answer.tagged(changed.value.audit.version()).replayed(changed.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `tenant_admin` key. The type cannot be changed.";
    Endpoint::new(routes![update_environment], "updateEnvironment", "Rename an environment", says)
        .with_key()
        .path::<EnvironmentId>("id", "The environment.")
        .takes::<UpdateEnvironmentRequest<'_>>([("another name", json!({ "name": "Rehearsal" }))])
        .answers::<EnvironmentResponse<'_>>(200, "The changed environment.")
        .idempotent()
        .conditional()
}
