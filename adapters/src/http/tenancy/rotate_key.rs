//! `POST /secrets/api/keys/{id}/rotate`

use std::time::Duration;

use patron_domain::{ids::ApiKeyId, tenancy::KeyError};
use rocket::{post, routes};
use serde_json::json;

use super::{request::RotateKeyRequest, response::CreatedKeyResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerKeys, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
};

/// Replaces an API key with a new one. The old key stays valid for `overlap_seconds`. Only the first response shows the new key
/// itself, not a repeated request with the same idempotency key. The body is optional.
#[post("/secrets/api/keys/<id>/rotate", data = "<body>")]
pub(super) async fn rotate_key(
    caller: CanAdministerKeys,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    let overlap = match body.bytes() {
        [] => Duration::ZERO,
        _ => body.read(|request: RotateKeyRequest, broken| request.into_domain(broken)).await?,
    };
    let request = idempotency.over(body.bytes()).await?;
    let id = ApiKeyId::parse(id).map_err(|_| KeyError::UnknownKey)?;
    let (key, secret) = services.administration()?.rotate_key(&caller, id, overlap, request).await?;
    CreatedKeyResponse::answer(&key, secret.as_ref())
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key of the environment, or a `tenant_admin` key. The new key has the same roles, networks and \
                expiry as the old one. The key itself is shown only once.";
    Endpoint::new(routes![rotate_key], "rotateApiKey", "Replace an API key", says)
        .with_key()
        .path::<ApiKeyId>("id", "The key to replace.")
        .may_take::<RotateKeyRequest>([("both keys valid for an hour", json!({ "overlap_seconds": 3_600 }))])
        .answers::<CreatedKeyResponse<'_>>(201, "The new key and its details.")
        .idempotent()
        .refuses([Refusal::InvalidOperation])
}
