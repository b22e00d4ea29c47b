//! `GET /customers/{id}/onboarding`

use patron_domain::ids::CustomerId;
use rocket::{get, routes};

use super::{customer_id, response::RunResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
};

/// Shows a customer's onboarding run.
#[get("/customers/<id>/onboarding", rank = 3)]
pub(super) async fn get_run(caller: CanRead, services: Services<'_>, id: &str) -> Result<Answer, ApiError> {
    let (run, workflow) = services.onboarding()?.run(&caller, customer_id(id)?).await?;
    Answer::ok(&RunResponse::new(&run, &workflow))
}

/// The documentation of this endpoint.
pub(super) fn documented() -> Endpoint {
    let says = "State, step, attempts and last error. Customers that were created without a workflow have no run: 404.";
    Endpoint::new(routes![get_run], "getCustomerOnboarding", "Show a customer's onboarding", says)
        .with_key()
        .path::<CustomerId>("id", "The customer's id.")
        .answers::<RunResponse<'_>>(200, "The run.")
}
