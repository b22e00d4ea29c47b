//! `POST /customers/{id}/onboarding/retry`, `POST /customers/{id}/onboarding/cancel`

use patron_domain::{ids::CustomerId, onboarding::RunAmendment};
use rocket::{post, routes};

use super::{customer_id, response::RunResponse};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanWrite, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
};

/// Continues a failed run at the step that failed, with the full number of attempts.
#[post("/customers/<id>/onboarding/retry")]
pub(super) async fn retry(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    amend(&caller, &services, idempotency, (id, RunAmendment::Retry)).await
}

/// Ends a run that has not succeeded. A running step may still finish.
#[post("/customers/<id>/onboarding/cancel")]
pub(super) async fn cancel(
    caller: CanWrite,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    id: &str,
) -> Result<Answer, ApiError> {
    amend(&caller, &services, idempotency, (id, RunAmendment::Cancel)).await
}

async fn amend(
    caller: &CanWrite,
    services: &Services<'_>,
    idempotency: Idempotency<'_>,
    (id, amendment): (&str, RunAmendment),
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    let amended = services.onboarding()?.amend_run(caller, customer_id(id)?, amendment, request).await?;
    let (run, workflow) = &amended.value;
    Ok(Answer::ok(&RunResponse::new(run, workflow))?.replayed(amended.replayed))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "Continues at the failed step with the full number of attempts. Only failed runs can be retried.";
    let retry = Endpoint::new(routes![retry], "retryCustomerOnboarding", "Retry a customer's onboarding", says);
    let says = "Finished steps are not undone. A running step may still finish.";
    let cancel = Endpoint::new(routes![cancel], "cancelCustomerOnboarding", "Cancel a customer's onboarding", says);
    [retry, cancel].map(|endpoint| {
        endpoint
            .with_key()
            .path::<CustomerId>("id", "The customer's id.")
            .answers::<RunResponse<'_>>(200, "The changed run.")
            .idempotent()
            .refuses([Refusal::InvalidOperation])
    })
}
