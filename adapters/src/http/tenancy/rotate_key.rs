//! `POST /secrets/api/keys/{id}/rotate`

use std::time::Duration;

use patron_domain::{
    ids::ApiKeyId,
    tenancy::{ApiKeySecret, KeyError},
};
use rocket::{post, routes};
use serde_json::json;

use super::{
    request::RotateKeyRequest,
    response::{CreatedKeyResponse, KeyResponse},
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdministerKeys, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
};

/// Gives a new key the place of another one, which stays valid for `overlap_seconds`. The new key is answered this once: not to
/// a repetition under an idempotency key. The body may be left out.
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
    let api_key = secret.as_ref().map(ApiKeySecret::expose);
    let location = format!("/secrets/api/keys/{}", key.id);
    let answer = Answer::created(location, &CreatedKeyResponse { secret: KeyResponse::new(&key), api_key })?;
    Ok(answer.secret(secret.is_some()).replayed(secret.is_none()))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key of the environment, or a `tenant_admin` key. The new key may do the same from the same \
                networks, and lives for as long as this one was to. It is shown this once.";
    Endpoint::new(routes![rotate_key], "rotateApiKey", "Replace an API key", says)
        .with_key()
        .path::<ApiKeyId>("id", "The key that is replaced.")
        .may_take::<RotateKeyRequest>([("an hour with both", json!({ "overlap_seconds": 3_600 }))])
        .answers::<CreatedKeyResponse<'_>>(201, "What is known of the new key, and the key.")
        .idempotent()
        .refuses([Refusal::InvalidOperation])
}
