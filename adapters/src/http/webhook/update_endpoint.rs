//! `PUT /webhooks/endpoints/{id}`

use rocket::put;

use super::{endpoint_id, request::UpdateEndpointRequest, response::EndpointResponse};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    json::parse,
};

/// Changes a webhook endpoint; what is absent stays. One that is enabled again goes on where it stopped.
#[put("/webhooks/endpoints/<id>", data = "<body>")]
pub(super) async fn update_endpoint(
    caller: CanAdminister,
    services: Services<'_>,
    id: &str,
    body: Body,
) -> Result<Answer, ApiError> {
    let update = parse(body.bytes(), |request: UpdateEndpointRequest<'_>, broken| request.into_domain(broken))?;
    let endpoint = services.webhooks.update(&caller, endpoint_id(id)?, update).await?;
    Answer::ok(&EndpointResponse::new(&endpoint))
}
