//! `PUT /settings/customer_onboarding`, `PUT /settings/customer_onboarding/{name}`

use patron_domain::{onboarding::WorkflowName, violation::Violations};
use rocket::{put, routes};
use serde_json::{Value, json};

use super::{
    request::{AskedWorkflow, WorkflowRequest},
    response::WorkflowResponse,
    sender, workflow_name,
};
use crate::http::{
    answer::Answer,
    body::Body,
    error::ApiError,
    guard::{CanAdminister, Services},
    idempotency::Idempotency,
    openapi::Endpoint,
    version::IfMatch,
};

/// Sets the workflow of customers that name none. The response shows a new secret.
#[put("/settings/customer_onboarding", data = "<body>")]
pub(super) async fn put_default(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    put(&caller, &services, Ok(None), if_match, (idempotency, &body)).await
}

/// Sets a named workflow. The response shows a new secret.
#[put("/settings/customer_onboarding/<name>", data = "<body>")]
pub(super) async fn put_named(
    caller: CanAdminister,
    services: Services<'_>,
    idempotency: Idempotency<'_>,
    if_match: IfMatch,
    name: &str,
    body: Body<'_>,
) -> Result<Answer, ApiError> {
    put(&caller, &services, workflow_name(name), if_match, (idempotency, &body)).await
}

async fn put(
    caller: &CanAdminister,
    services: &Services<'_>,
    name: Result<Option<WorkflowName>, Violations>,
    if_match: IfMatch,
    (idempotency, body): (Idempotency<'_>, &Body<'_>),
) -> Result<Answer, ApiError> {
    let read = |request: WorkflowRequest<'_>, broken: &mut Violations| {
        let name = name.map_err(|faults| faults.into_iter().for_each(|fault| broken.push(fault)));
        Some((name.ok()?, request.into_domain(broken)?))
    };
    let (name, AskedWorkflow { steps, another_secret }) = body.read(read).await?;
    let request = idempotency.over(body.bytes()).await?;
    let made = services.onboarding()?.put_workflow(caller, name, steps, another_secret, if_match.0, request).await?;
    let (workflow, secret) = made.value;
    let shown = secret.is_some();
    let secret = secret.map(|secret| secret.expose());
    let answer = Answer::ok(&WorkflowResponse::new(&workflow, secret, sender(services)))?;
    Ok(answer.tagged(workflow.audit.version()).secret(shown).replayed(made.replayed))
}

/// The documentation of these endpoints.
pub(super) fn documented() -> [Endpoint; 2] {
    let says = "Needs a `super_admin` key. New customers use this workflow; started runs \
                keep their steps. The response shows the secret that signs calls when it is new: the \
                first time and after `rotate_secret`.";
    let default = Endpoint::new(routes![put_default], "setOnboarding", "Set the onboarding workflow", says);
    let named = Endpoint::new(routes![put_named], "setNamedOnboarding", "Set a named onboarding workflow", says);
    [default, named.path::<WorkflowName>("name", "The workflow's name.")].map(|endpoint| {
        endpoint
            .with_key()
            .takes::<WorkflowRequest<'_>>([("a call and a link", example())])
            .answers::<WorkflowResponse<'_>>(200, "The workflow.")
            .idempotent()
            .conditional()
    })
}

fn example() -> Value {
    json!({
        "value": {
            "steps": [
                {
                    "type": "http_call",
                    "url": "https://crm.example/customers",
                    "expected_status": [200, 201],
                    "retry": { "max_attempts": 10, "first_delay_seconds": 5 },
                },
                { "type": "link_integration", "provider_type": "crm", "pointer": "/id" },
            ],
        },
    })
}
