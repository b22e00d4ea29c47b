//! Onboarding over HTTP: the workflows in the settings, and the runs of customers.

mod amend_run;
mod delete_workflow;
mod get_run;
mod get_workflow;
mod list_runs;
mod put_workflow;
mod request;
mod response;
mod shape;
mod token;

use patron_domain::{
    ids::CustomerId,
    onboarding::{OnboardingError, OnboardingRun, Workflow, WorkflowName},
    violation::Violations,
    webhook::WebhookSender,
};
use rocket::{Route, routes};
use serde_json::Value;

pub(super) use self::token::{HEADER, Token};
use super::{error::ApiError, guard::Services, openapi::Endpoint};

/// A workflow in the form of its own responses.
pub(super) fn workflow_value(workflow: &Workflow) -> serde_json::Result<Value> {
    serde_json::to_value(response::WorkflowResponse::new(workflow, None, None))
}

/// A run in the form of its own responses.
pub(super) fn run_value(run: &OnboardingRun) -> serde_json::Result<Value> {
    serde_json::to_value(response::RunResponse::listed(run))
}

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    routes![
        get_workflow::get_default,
        get_workflow::get_named,
        put_workflow::put_default,
        put_workflow::put_named,
        delete_workflow::delete_default,
        delete_workflow::delete_named,
        get_run::get_run,
        amend_run::retry,
        amend_run::cancel,
        list_runs::list_runs,
    ]
}

/// The documentation of all endpoints.
pub(super) fn documents() -> Vec<Endpoint> {
    let workflows = [get_workflow::documented(), put_workflow::documented(), delete_workflow::documented()];
    let runs = [vec![get_run::documented()], amend_run::documented().into(), vec![list_runs::documented()]];
    workflows.into_iter().flatten().chain(runs.into_iter().flatten()).collect()
}

/// The sender, which decides which URLs this server calls. `None` if the webhook service is not mounted.
fn sender<'a>(services: &'a Services<'_>) -> Option<&'a dyn WebhookSender> {
    services.webhooks.as_ref().map(|webhooks| &*webhooks.sender)
}

/// The name of a workflow in a path.
fn workflow_name(name: &str) -> Result<Option<WorkflowName>, Violations> {
    let mut broken = Violations::new();
    let name = broken.check(|| "name".to_owned(), WorkflowName::new(name));
    broken.into_result()?;
    Ok(name)
}

/// Parses a customer's id. An invalid one is as unknown as any other.
fn customer_id(id: &str) -> Result<CustomerId, ApiError> {
    CustomerId::parse(id).map_err(|_| OnboardingError::UnknownRun.into())
}

impl From<OnboardingError> for ApiError {
    fn from(error: OnboardingError) -> Self {
        let message = error.to_string();
        match error {
            OnboardingError::Denied(error) => error.into(),
            OnboardingError::UnknownWorkflow | OnboardingError::UnknownRun => Self::not_found(message),
            OnboardingError::ForeignToken(error) => token::refusal(&error),
            OnboardingError::VersionConflict(conflict) => conflict.into(),
            OnboardingError::KeyReused(reused) => Self::idempotency_key_reused(reused),
            OnboardingError::Forbidden(_) | OnboardingError::Quota(_) => Self::invalid_operation(message),
            OnboardingError::Vault(error) => {
                tracing::error!(%error, "answered 500");
                Self::system_error()
            }
            OnboardingError::Store(error) => error.into(),
            other => Self::unforeseen(&other),
        }
    }
}
