//! `DELETE /settings/customer_onboarding`, `DELETE /settings/customer_onboarding/{name}`

use patron_domain::{idempotency::IdempotentRequest, onboarding::WorkflowName};
use rocket::{delete, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::workflow_name;
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanAdminister, Services},
    idempotency::Idempotency,
    openapi::{Endpoint, Refusal},
    version::IfMatch,
};

#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingWorkflowDeleted)]
struct Deleted {
    message: &'static str,
}

/// Deletes the workflow of customers that name none. A second request gets a 404.
#[delete("/settings/customer_onboarding")]
pub(super) async fn delete_default(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
) -> Result<Answer, ApiError> {
    delete(&caller, &services, None, if_match, idempotency.over(&[]).await?).await
}

/// Deletes a named workflow. A second request gets a 404.
#[delete("/settings/customer_onboarding/<name>")]
pub(super) async fn delete_named(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    name: &str,
) -> Result<Answer, ApiError> {
    let request = idempotency.over(&[]).await?;
    delete(&caller, &services, workflow_name(name)?, if_match, request).await
}

async fn delete(
    caller: &CanAdminister,
    services: &Services<'_>,
    name: Option<WorkflowName>,
    if_match: IfMatch,
    request: Option<IdempotentRequest>,
) -> Result<Answer, ApiError> {
    let deleted = services.onboarding()?.delete_workflow(caller, name, if_match.0, request).await?;
    let told = Deleted { message: "the workflow was deleted; new customers do not use it any more" };
    Ok(Answer::ok(&told)?.replayed(deleted.replayed))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "Needs a `super_admin` key. Started runs continue; cancel them individually.";
    let default = Endpoint::new(routes![delete_default], "deleteOnboarding", "Delete the onboarding workflow", says);
    let named =
        Endpoint::new(routes![delete_named], "deleteNamedOnboarding", "Delete a named onboarding workflow", says);
    [default, named.path::<WorkflowName>("name", "The workflow's name.")].map(|endpoint| {
        endpoint
            .with_key()
            .answers::<Deleted>(200, "The workflow was deleted.")
            .idempotent()
            .guarded()
            .refuses([Refusal::NotFound])
    })
}
