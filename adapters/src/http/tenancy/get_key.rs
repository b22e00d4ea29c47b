//! `GET /secrets/api/keys/{id}`

use patron_domain::{ids::ApiKeyId, tenancy::KeyError};
use rocket::{get, routes};

use super::response::KeyResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    openapi::Endpoint,
};

/// A key of the caller's tenant, in use or revoked. The key itself is never shown.
#[get("/secrets/api/keys/<id>")]
pub(super) async fn get_key(caller: CanAdminister, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let id = ApiKeyId::parse(id).map_err(|_| KeyError::UnknownKey)?;
    let key = services.administration.key(&caller, id).await?;
    Answer::ok(&KeyResponse::new(&key))
}

/// What the document says of it.
pub(super) fn documented() -> Endpoint {
    let says = "Needs a `super_admin` key. One in use or revoked; the key itself is never shown.";
    Endpoint::new(routes![get_key], "getApiKey", "Show an API key", says)
        .with_key()
        .path::<ApiKeyId>("id", "The key's id.")
        .answers::<KeyResponse<'_>>(200, "What is known of the key.")
}
