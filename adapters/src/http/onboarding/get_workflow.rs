//! `GET /settings/customer_onboarding`, `GET /settings/customer_onboarding/{name}`

use patron_domain::onboarding::{OnboardingError, Workflow, WorkflowName};
use rocket::{get, routes};

use super::{response::WorkflowResponse, sender, workflow_name};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
    version::IfNoneMatch,
};

/// Shows the workflow of customers that name none; without steps if it is not set.
#[get("/settings/customer_onboarding")]
pub(super) async fn get_default(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
) -> Result<Answer, ApiError> {
    match services.onboarding()?.workflow(&caller, None).await {
        Ok(workflow) => shown(&services, &workflow, &known),
        Err(OnboardingError::UnknownWorkflow) => Answer::ok(&WorkflowResponse::unset()),
        Err(error) => Err(error.into()),
    }
}

/// Shows a named workflow.
#[get("/settings/customer_onboarding/<name>")]
pub(super) async fn get_named(
    caller: CanRead,
    services: Services<'_>,
    known: IfNoneMatch<'_>,
    name: &str,
) -> Result<Answer, ApiError> {
    let workflow = services.onboarding()?.workflow(&caller, workflow_name(name)?).await?;
    shown(&services, &workflow, &known)
}

fn shown(services: &Services<'_>, workflow: &Workflow, known: &IfNoneMatch<'_>) -> Result<Answer, ApiError> {
    Answer::read(&WorkflowResponse::new(workflow, None, sender(services)), workflow.audit.version(), known)
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "The workflow of new customers that name none. It has no steps if it is not set.";
    let default = Endpoint::new(routes![get_default], "getOnboarding", "Show the onboarding workflow", says);
    let says = "The workflow of new customers with this `onboarding_workflow_name`.";
    let named = Endpoint::new(routes![get_named], "getNamedOnboarding", "Show a named onboarding workflow", says);
    [default, named.path::<WorkflowName>("name", "The workflow's name.")]
        .map(|endpoint| endpoint.with_key().answers::<WorkflowResponse<'_>>(200, "The workflow.").cacheable())
}
