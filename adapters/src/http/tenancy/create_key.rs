//! `POST /secrets/api/keys`

use rocket::{post, routes};
use serde_json::json;

use super::{named_environment, request::CreateKeyRequest, response::CreatedKeyResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerKeys, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
};

/// Creates an API key for the caller's environment, or for the environment of its tenant that `environment_id` names.
/// Only the first response shows the key itself, not a repeated request with the same idempotency key.
#[post("/secrets/api/keys", data = "<body>")]
pub(super) async fn create_key(
    caller: CanAdministerKeys,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let now = services.administration()?.now();
    let (named, new) = body.read(|request: CreateKeyRequest<'_>, broken| request.into_domain(now, broken)).await?;
    let environment = named_environment(named.as_deref())?;
    let request = idempotency.over(body.bytes()).await?;
    let (key, secret) = services.administration()?.create_key(&caller, environment, new, request).await?;
    CreatedKeyResponse::answer(&key, secret.as_ref())
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key, or for another environment a `tenant_admin` key. Without `environment_id` it belongs to the caller's environment, and \
                without `roles` it may read and write. The key itself is shown only once.";
    Endpoint::new(routes![create_key], "createApiKey", "Create an API key", says)
        .with_key()
        .takes::<CreateKeyRequest<'_>>([(
            "a read-only key with an expiry",
            json!({
                "name": "Reports",
                "type": "private_key",
                "roles": ["all_reader"],
                "expires_at": "2099-01-01T00:00:00Z",
            }),
        )])
        .answers::<CreatedKeyResponse<'_>>(201, "The key and its details.")
        .idempotent()
        .refuses([Refusal::NotFound])
}
