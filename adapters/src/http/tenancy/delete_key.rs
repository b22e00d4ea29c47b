//! `DELETE /secrets/api/keys/{id}`

use patron_domain::{ids::ApiKeyId, tenancy::KeyError};
use rocket::{delete, routes};

use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdministerKeys, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
};

/// Revokes an API key of the caller's environment; for a `tenant_admin` of any environment of the tenant. A second
/// request changes nothing and gets the same response.
#[delete("/secrets/api/keys/<id>")]
pub(super) async fn delete_key(
    caller: CanAdministerKeys,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let id = ApiKeyId::parse(id).map_err(|_| KeyError::UnknownKey)?;
    let revoked = services.administration()?.revoke_key(&caller, id, request).await?;
    Ok(Answer::no_content().replayed(revoked.replayed))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key of the environment, or a `tenant_admin` key. Revoking it again \
                changes nothing and gets the same response.";
    Endpoint::new(routes![delete_key], "revokeApiKey", "Revoke an API key", says)
        .with_key()
        .path::<ApiKeyId>("id", "The key's id.")
        .answers_nothing(204, "The key is revoked.")
        .idempotent()
}
