//! `GET /webhooks/endpoints/{id}`

use rocket::get;

use super::{endpoint_id, response::EndpointResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
};

/// One webhook endpoint, without its secret.
#[get("/webhooks/endpoints/<id>")]
pub(super) async fn get_endpoint(caller: CanRead, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let endpoint = services.webhooks.endpoint(&caller, endpoint_id(id)?).await?;
    Answer::ok(&EndpointResponse::new(&endpoint))
}
