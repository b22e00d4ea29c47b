//! `POST /environments`

use rocket::post;

use super::{request::CreateEnvironmentRequest, response::EnvironmentResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    json::parse,
};

/// Creates an environment of the caller's tenant.
#[post("/environments", data = "<body>")]
pub(super) async fn create_environment(
    caller: CanAdminister,
    services: Services<'_>,
    body: Body,
) -> Result<Answer, ApiError> {
    let (name, kind) = parse(body.bytes(), CreateEnvironmentRequest::into_domain)?;
    let environment = services.administration.create_environment(&caller, name, kind).await?;
    Answer::created(&EnvironmentResponse::new(&environment))
}
