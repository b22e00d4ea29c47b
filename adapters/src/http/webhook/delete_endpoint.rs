//! `DELETE /webhooks/endpoints/{id}`

use rocket::delete;

use super::endpoint_id;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
};

/// Deletes a webhook endpoint with its secret. A second time is answered with 404.
#[delete("/webhooks/endpoints/<id>")]
pub(super) async fn delete_endpoint(
    caller: CanAdminister,
    services: Services<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    services.webhooks.delete(&caller, endpoint_id(id)?).await?;
    Ok(Answer::no_content())
}
