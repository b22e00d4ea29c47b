//! `GET /webhooks/endpoints/{id}`

use patron_domain::ids::WebhookEndpointId;
use rocket::{get, routes};

use super::{endpoint_id, response::EndpointResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanReadWebhooks, Services},
    openapi::Endpoint,
    version::IfNoneMatch,
};

/// Shows a webhook endpoint, without its secret.
#[get("/webhooks/endpoints/<id>")]
pub(super) async fn get_endpoint(
    caller: CanReadWebhooks,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    let endpoint = services.webhooks()?.endpoint(&caller, endpoint_id(id)?).await?;
    let response = EndpointResponse::new(&endpoint, &*services.webhooks()?.sender);
    Answer::read(&response, endpoint.version(), &known)
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "Without its secret.";
    Endpoint::new(routes![get_endpoint], "getWebhookEndpoint", "Show a webhook endpoint", says)
        .with_key()
        .path::<WebhookEndpointId>("id", "The endpoint's id.")
        .answers::<EndpointResponse<'_>>(200, "The endpoint.")
        .cacheable()
}
