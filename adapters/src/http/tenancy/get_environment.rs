//! `GET /environments/{id}`

use patron_domain::{ids::EnvironmentId, tenancy::EnvironmentError};
use rocket::get;

use super::response::EnvironmentResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
};

/// An environment of the caller's tenant.
#[get("/environments/<id>")]
pub(super) async fn get_environment(caller: CanRead, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let id = EnvironmentId::parse(id).map_err(|_| EnvironmentError::Unknown)?;
    let environment = services.administration.environment(&caller, id).await?;
    Answer::ok(&EnvironmentResponse::new(&environment))
}
