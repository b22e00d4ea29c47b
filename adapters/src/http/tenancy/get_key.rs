//! `GET /secrets/api/keys/{id}`

use patron_domain::{ids::ApiKeyId, tenancy::KeyError};
use rocket::{get, routes};

use super::response::KeyResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdministerKeys, Services},
    openapi::Endpoint,
};

/// Shows the details of a key of the caller's environment, valid or revoked, without the key itself; for a
/// `tenant_admin` of any environment of the tenant.
#[get("/secrets/api/keys/<id>")]
pub(super) async fn get_key(caller: CanAdministerKeys, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let id = ApiKeyId::parse(id).map_err(|_| KeyError::UnknownKey)?;
    let key = services.administration()?.key(&caller, id).await?;
    Answer::ok(&KeyResponse::new(&key))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key of the environment, or a `tenant_admin` key. Shows valid and \
                revoked keys. The key itself is never shown.";
    Endpoint::new(routes![get_key], "getApiKey", "Show an API key", says)
        .with_key()
        .path::<ApiKeyId>("id", "The key's id.")
        .answers::<KeyResponse<'_>>(200, "The details of the key.")
}
