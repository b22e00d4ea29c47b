//! `GET /settings/customer_onboarding`, `GET /settings/customer_onboarding/{name}`

use patron_domain::onboarding::{OnboardingError, WorkflowName};
use rocket::{get, routes};

use super::{response::WorkflowResponse, workflow_name};
use crate::http::{
    answer::Answer,
    error::ApiError,
    guard::{CanRead, Services},
    openapi::Endpoint,
};

/// The workflow of customers that name none; without steps when none was set.
#[get("/settings/customer_onboarding")]
pub(super) async fn get_default(caller: CanRead, services: Services<'_>) -> Result<Answer, ApiError> {
    match services.onboarding.workflow(&caller, None).await {
        Ok(workflow) => Answer::ok(&WorkflowResponse::new(&workflow, None)),
        Err(OnboardingError::UnknownWorkflow) => Answer::ok(&WorkflowResponse::unset()),
        Err(error) => Err(error.into()),
    }
}

/// The workflow of customers that name it.
#[get("/settings/customer_onboarding/<name>")]
pub(super) async fn get_named(caller: CanRead, services: Services<'_>, name: &str) -> Result<Answer, ApiError> {
    let workflow = services.onboarding.workflow(&caller, workflow_name(name)?).await?;
    Answer::ok(&WorkflowResponse::new(&workflow, None))
}

/// What the document says of them.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "What is done for every new customer that names no workflow; no steps when nothing was set.";
    let default = Endpoint::new(routes![get_default], "getOnboarding", "Show the onboarding workflow", says);
    let says = "What is done for new customers whose `onboarding_workflow_name` it is.";
    let named = Endpoint::new(routes![get_named], "getNamedOnboarding", "Show a named onboarding workflow", says);
    [default, named.path::<WorkflowName>("name", "The workflow's name.")]
        .map(|endpoint| endpoint.with_key().answers::<WorkflowResponse<'_>>(200, "The workflow."))
}
