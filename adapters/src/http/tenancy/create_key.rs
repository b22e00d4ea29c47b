//! `POST /secrets/api/keys`

use rocket::post;

use super::{
    named_environment,
    request::CreateKeyRequest,
    response::{CreatedKeyResponse, KeyResponse},
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    json::parse,
};

/// Creates an API key for the caller's environment, or for the one of its tenant that `environment_id` names. The key
/// itself is answered this once.
#[post("/secrets/api/keys", data = "<body>")]
pub(super) async fn create_key(caller: CanAdminister, services: Services<'_>, body: Body) -> Result<Answer, ApiError> {
    let now = services.administration.now();
    let (named, new) = parse(body.bytes(), |request: CreateKeyRequest<'_>, broken| request.into_domain(now, broken))?;
    let environment = named_environment(named.as_deref())?;
    let (key, secret) = services.administration.create_key(&caller, environment, new).await?;
    Answer::created(&CreatedKeyResponse { secret: KeyResponse::new(&key), api_key: secret.expose() })
}
