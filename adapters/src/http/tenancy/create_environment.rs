//! `POST /environments`

use rocket::{post, routes};
use serde_json::json;

use super::{request::CreateEnvironmentRequest, response::EnvironmentResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerTenant, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
};

/// Creates an environment of the caller's tenant.
#[post("/environments", data = "<body>")]
pub(super) async fn create_environment(
    caller: CanAdministerTenant,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let (name, kind) = body.read(CreateEnvironmentRequest::into_domain).await?;
    let request = idempotency.over(body.bytes()).await?;
    let made = services.administration()?.create_environment(&caller, name, kind, request).await?;
    let location = format!("/environments/{}", made.value.id);
    let answer = Answer::created(location, &EnvironmentResponse::new(&made.value))?;
    Ok(answer.tagged(made.value.audit.version()).replayed(made.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `tenant_admin` key. Environments of a tenant share no data.";
    Endpoint::new(routes![create_environment], "createEnvironment", "Create an environment", says)
        .with_key()
        .takes::<CreateEnvironmentRequest<'_>>([("one for tests", json!({ "name": "Staging", "type": "development" }))])
        .answers::<EnvironmentResponse<'_>>(201, "The environment.")
        .idempotent()
        .answering("ETag")
}
