//! `POST /webhooks/endpoints`

use rocket::post;

use super::{request::CreateEndpointRequest, response::EndpointResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    json::parse,
};

/// Creates a webhook endpoint, which is told of what happens from now on. The secret is answered this once.
#[post("/webhooks/endpoints", data = "<body>")]
pub(super) async fn create_endpoint(
    caller: CanAdminister,
    services: Services<'_>,
    body: Body,
) -> Result<Answer, ApiError> {
    let new = parse(body.bytes(), |request: CreateEndpointRequest<'_>, broken| request.into_domain(broken))?;
    let (endpoint, secret) = services.webhooks.create(&caller, new).await?;
    Answer::created(&EndpointResponse::new(&endpoint).with_secret(secret.expose()))
}
