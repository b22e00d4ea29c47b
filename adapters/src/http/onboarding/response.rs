//! Workflows and runs in responses.

use patron_domain::{
    ids::{CustomerId, EnvironmentId, OnboardingRunId, TenantId, WorkflowId},
    integration::ProviderType,
    lifecycle::Status,
    onboarding::{JsonPointer, OnboardingRun, RunState, Step, StepFailure, StepKind, Workflow, WorkflowName},
    tenancy::Actor,
    time::Timestamp,
    webhook::{EndpointUrl, WebhookSender},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::shape::{Attempts, Delay, SigningSecret, StatusCode};
use crate::http::{
    list::page_of,
    messages,
    openapi::{Limit, all, exactly},
    warning::Warning,
};

/// The name of the setting.
const KEY: &str = "customer_onboarding";

/// A workflow as a setting, in Flexprice's shape. One that was never set has only key and value.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = OnboardingWorkflow)]
pub(super) struct WorkflowResponse<'a> {
    /// The setting: `customer_onboarding`.
    key: &'static str,
    value: Value<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<WorkflowId>)]
    id: Option<WorkflowId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<WorkflowName>)]
    name: Option<&'a WorkflowName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<TenantId>)]
    tenant_id: Option<TenantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<EnvironmentId>)]
    environment_id: Option<EnvironmentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Status>)]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Actor>)]
    created_by: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Actor>)]
    updated_by: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<SigningSecret>)]
    secret: Option<String>,
    /// Where this server would not call the URL of a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning>,
}

#[derive(Default, Serialize, ToSchema)]
#[schema(as = OnboardingWorkflowValue)]
struct Value<'a> {
    steps: Vec<StepResponse<'a>>,
    /// Always empty: Flexprice's own steps do not exist here.
    #[schema(schema_with = all::<ProviderType>)]
    actions: [&'static str; 0],
}

#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingStep)]
struct StepResponse<'a> {
    #[serde(rename = "type")]
    #[schema(schema_with = exactly::<StepKind>)]
    kind: StepKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<EndpointUrl>)]
    url: Option<&'a EndpointUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = all::<StatusCode>)]
    expected_status: Option<&'a [u16]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry: Option<RetryResponse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<ProviderType>)]
    provider_type: Option<&'a ProviderType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<JsonPointer>)]
    pointer: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingRetry)]
struct RetryResponse {
    #[schema(schema_with = exactly::<Attempts>)]
    max_attempts: u32,
    #[schema(schema_with = exactly::<Delay>)]
    first_delay_seconds: u32,
}

impl<'a> WorkflowResponse<'a> {
    /// A workflow, with its secret if it is new, and with a warning for each URL that the sender would not call.
    pub(super) fn new(workflow: &'a Workflow, secret: Option<String>, sender: Option<&dyn WebhookSender>) -> Self {
        let audit = &workflow.audit;
        Self {
            key: KEY,
            value: Value { steps: steps(workflow), actions: [] },
            id: Some(workflow.id),
            name: workflow.name.as_ref(),
            tenant_id: Some(workflow.owner.tenant_id),
            environment_id: Some(workflow.owner.environment_id),
            status: Some(Status::Published),
            created_at: Some(audit.created_at),
            created_by: Some(&audit.created_by),
            updated_at: Some(audit.updated_at),
            updated_by: Some(&audit.updated_by),
            secret,
            warnings: sender.map(|sender| warnings(workflow, sender)).unwrap_or_default(),
        }
    }

    /// The default workflow before it is set: no steps.
    pub(super) fn unset() -> Self {
        Self { key: KEY, ..Self::default() }
    }
}

fn warnings(workflow: &Workflow, sender: &dyn WebhookSender) -> Vec<Warning> {
    let steps = workflow.steps.as_slice().iter().enumerate();
    let warning = |(place, step): (usize, &Step)| match step {
        Step::HttpCall(call) => {
            let at = |reason| Warning::new(format!("value.steps[{place}].url"), &reason, messages::not_called(reason));
            sender.not_called(&call.url).map(at)
        }
        Step::LinkIntegration(_) => None,
    };
    steps.filter_map(warning).collect()
}

fn steps(workflow: &Workflow) -> Vec<StepResponse<'_>> {
    workflow.steps.as_slice().iter().map(StepResponse::new).collect()
}

impl<'a> StepResponse<'a> {
    fn new(step: &'a Step) -> Self {
        let (call, link) = match step {
            Step::HttpCall(call) => (Some(call), None),
            Step::LinkIntegration(link) => (None, Some(link)),
        };
        Self {
            kind: step.kind(),
            url: call.map(|call| &call.url),
            expected_status: call.map(|call| call.expected.as_slice()),
            retry: call.map(|call| RetryResponse {
                max_attempts: call.retries.max_attempts(),
                first_delay_seconds: call.retries.first_delay_seconds(),
            }),
            provider_type: link.map(|link| &link.provider_type),
            pointer: link.map(|link| link.pointer.as_str()),
        }
    }
}

/// A run.
#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingRun)]
pub(super) struct RunResponse<'a> {
    #[schema(schema_with = exactly::<OnboardingRunId>)]
    id: OnboardingRunId,
    #[schema(schema_with = exactly::<CustomerId>)]
    customer_id: CustomerId,
    /// The version of the workflow that the run uses.
    #[schema(schema_with = exactly::<WorkflowId>)]
    workflow_id: WorkflowId,
    #[schema(schema_with = exactly::<RunState>)]
    state: RunState,
    /// The number of finished steps, and so the index of the next one, from 0.
    step: u16,
    /// The number of failed attempts of the next step.
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<Timestamp>)]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<FailureResponse>,
    #[schema(schema_with = exactly::<Timestamp>)]
    created_at: Timestamp,
    #[schema(schema_with = exactly::<Timestamp>)]
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<WorkflowName>)]
    workflow_name: Option<&'a WorkflowName>,
    /// The steps of this version; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    steps: Option<Vec<StepResponse<'a>>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingFailure)]
struct FailureResponse {
    /// The code, for programs.
    code: String,
    /// The message, for people. It quotes no response.
    message: String,
}

impl FailureResponse {
    fn new(failure: StepFailure) -> Self {
        let failure = failure.shown();
        Self { code: failure.to_word(), message: messages::step_failure(&failure) }
    }
}

impl<'a> RunResponse<'a> {
    /// A run without its steps, for lists.
    pub(super) fn listed(run: &OnboardingRun) -> Self {
        let waits = matches!(run.state, RunState::Pending | RunState::Waiting);
        Self {
            id: run.id(),
            customer_id: run.customer_id,
            workflow_id: run.workflow_id,
            state: run.state,
            step: run.step,
            attempts: run.attempts,
            next_attempt_at: run.due_at.filter(|_| waits),
            last_error: run.last_failure.map(FailureResponse::new),
            created_at: run.created_at,
            updated_at: run.updated_at,
            workflow_name: None,
            steps: None,
        }
    }

    /// A run with the version of the workflow that it uses.
    pub(super) fn new(run: &OnboardingRun, workflow: &'a Workflow) -> Self {
        Self { workflow_name: workflow.name.as_ref(), steps: Some(steps(workflow)), ..Self::listed(run) }
    }
}

/// A page of runs.
#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingRunList)]
pub(super) struct RunList<'a> {
    items: Vec<RunResponse<'a>>,
    pagination: RunPage,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OnboardingRunPage)]
struct RunPage {
    #[schema(schema_with = exactly::<Limit>)]
    limit: u16,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = exactly::<CustomerId>)]
    next_cursor: Option<CustomerId>,
}

impl RunList<'_> {
    /// Builds a page from the runs found. One more than the limit was requested.
    pub(super) fn new(found: &[OnboardingRun], limit: u16) -> Self {
        let (shown, last) = page_of(found, limit);
        let next_cursor = last.map(|run| run.customer_id);
        Self { items: shown.iter().map(RunResponse::listed).collect(), pagination: RunPage { limit, next_cursor } }
    }
}
