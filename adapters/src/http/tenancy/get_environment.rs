//! `GET /environments/{id}`

use patron_domain::{ids::EnvironmentId, tenancy::EnvironmentError};
use rocket::{get, routes};

use super::response::EnvironmentResponse;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanReadEnvironments, Services},
    openapi::Endpoint,
    version::IfNoneMatch,
};

/// Shows an environment of the caller's tenant.
#[get("/environments/<id>")]
pub(super) async fn get_environment(
    caller: CanReadEnvironments,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let id = EnvironmentId::parse(id).map_err(|_| EnvironmentError::Unknown)?;
    let environment = services.administration()?.environment(&caller, id).await?;
    Answer::read(&EnvironmentResponse::new(&environment), environment.audit.version(), &known)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Any environment of the key's tenant.";
    Endpoint::new(routes![get_environment], "getEnvironment", "Show an environment", says)
        .with_key()
        .path::<EnvironmentId>("id", "The environment.")
        .answers::<EnvironmentResponse<'_>>(200, "The environment.")
        .cacheable()
}
