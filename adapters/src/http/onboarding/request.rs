//! The body of a request that sets a workflow, and its conversion to the domain.

use patron_domain::{
    integration::ProviderType,
    onboarding::{
        ExpectedStatus, HttpCall, JsonPointer, LinkIntegration, Step, StepKind, StepRetries, StepRetriesError, Steps,
    },
    violation::Violations,
    webhook::EndpointUrl,
};
use serde::Deserialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::shape::{Attempts, Delay, StatusCode};
use crate::http::{
    json::{Elements, Field, List, Reader, Text, object_from_json},
    openapi::{exactly, given_all, objects, optional},
};

/// The body of `PUT /settings/customer_onboarding`. Unknown members are ignored.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[schema(as = OnboardingWorkflowRequest)]
pub(super) struct WorkflowRequest<'a> {
    #[schema(required = true, schema_with = member::<ValueRequest<'_>>)]
    value: Field<ValueRequest<'a>>,
    /// Whether to create a new secret for signing calls. The response shows it.
    #[schema(schema_with = optional::<bool>)]
    rotate_secret: Field<bool>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[schema(as = OnboardingWorkflowValueRequest)]
struct ValueRequest<'a> {
    #[schema(required = true, schema_with = objects::<StepRequest<'_>, { Steps::MAX }>)]
    steps: Field<List<StepRequest<'a>>>,
    /// Flexprice's own steps, which create wallets and subscriptions. They do not exist here, so only an empty list is
    /// accepted.
    #[schema(schema_with = objects::<ActionRequest, 0>)]
    actions: Field<List<ActionRequest>>,
}

/// One of Flexprice's own steps, with any content.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = OnboardingActionRequest)]
struct ActionRequest {}

/// A step. Its `type` determines which members apply.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[schema(as = OnboardingStepRequest)]
struct StepRequest<'a> {
    #[serde(rename = "type")]
    #[schema(required = true, schema_with = exactly::<StepKind>)]
    kind: Field<Text<'a>>,
    #[schema(schema_with = optional::<EndpointUrl>)]
    url: Field<Text<'a>>,
    #[schema(schema_with = given_all::<StatusCode>)]
    expected_status: Field<List<i64>>,
    #[schema(schema_with = member::<RetryRequest>)]
    retry: Field<RetryRequest>,
    #[schema(schema_with = optional::<ProviderType>)]
    provider_type: Field<Text<'a>>,
    #[schema(schema_with = optional::<JsonPointer>)]
    pointer: Field<Text<'a>>,
}

/// The retries of a call. The wait doubles each time, up to six hours.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = OnboardingRetryRequest)]
struct RetryRequest {
    #[schema(schema_with = optional::<Attempts>)]
    max_attempts: Field<i64>,
    #[schema(schema_with = optional::<Delay>)]
    first_delay_seconds: Field<i64>,
}

fn member<T: PartialSchema>() -> RefOr<Schema> {
    T::schema()
}

object_from_json!(WorkflowRequest<'a>, ValueRequest<'a>, StepRequest<'a>, ActionRequest, RetryRequest);

/// A requested workflow.
pub(super) struct AskedWorkflow {
    pub(super) steps: Steps,
    pub(super) another_secret: bool,
}

impl WorkflowRequest<'_> {
    /// Converts the request. Checks every field and collects all faults.
    pub(super) fn into_domain(self, broken: &mut Violations) -> Option<AskedWorkflow> {
        let fields = &mut Reader::new(broken);
        if self.value == Field::Absent {
            fields.note("value", "required", "is required");
        }
        let another_secret = fields.take("rotate_secret", self.rotate_secret).unwrap_or_default();
        let steps = fields.within("value", self.value, ValueRequest::into_steps)?;
        Some(AskedWorkflow { steps, another_secret })
    }
}

impl PartialEq for ValueRequest<'_> {
    /// Only the absence of actions is ever compared.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl ValueRequest<'_> {
    fn into_steps(self, fields: &mut Reader<'_>) -> Option<Steps> {
        if let Some(actions) = fields.take("actions", self.actions) {
            let refuse = |_: ActionRequest, action: &mut Reader<'_>| {
                let message = "is one of Flexprice's own actions (wallets, subscriptions), which Patron does not \
                               have; call the system that creates them in an http_call step";
                action.note("action", "unsupported_action", message);
                Some(())
            };
            fields.each("actions", actions, refuse, "an object");
        }
        let list = fields.take("steps", self.steps).unwrap_or(List { elements: Vec::new(), count: 0 });
        let Elements { count, valid } = fields.each("steps", list, StepRequest::into_domain, "an object");
        let mut steps: Vec<Option<Step>> = (0..count.min(Steps::MAX)).map(|_| None).collect();
        for (place, step) in valid {
            if let Some(kept) = steps.get_mut(place) {
                *kept = Some(step);
            }
        }
        fields.group(Steps::at_places(count, steps, "value."))
    }
}

impl StepRequest<'_> {
    fn into_domain(self, fields: &mut Reader<'_>) -> Option<Step> {
        let kind = fields.required("type", self.kind, |word| StepKind::parse(&word))?;
        Some(match kind {
            StepKind::HttpCall => {
                let url = fields.required("url", self.url, EndpointUrl::new);
                let statuses = fields.take("expected_status", self.expected_status);
                let expected = statuses.and_then(|list| {
                    let mut numbers = Vec::new();
                    for (index, status) in list.elements.into_iter().enumerate() {
                        numbers.extend(fields.take(&format!("expected_status[{index}]"), status));
                    }
                    fields.check("expected_status", ExpectedStatus::new(numbers))
                });
                let retries = fields.within("retry", self.retry, |retry, fields| Some(retry.into_domain(fields)));
                let (expected, retries) = (expected.unwrap_or_default(), retries.unwrap_or_default());
                Step::HttpCall(HttpCall { url: url?, expected, retries })
            }
            StepKind::LinkIntegration => {
                let provider_type = fields.required("provider_type", self.provider_type, ProviderType::new);
                let pointer = fields.required("pointer", self.pointer, JsonPointer::new);
                Step::LinkIntegration(LinkIntegration { provider_type: provider_type?, pointer: pointer? })
            }
        })
    }
}

impl RetryRequest {
    fn into_domain(self, fields: &mut Reader<'_>) -> StepRetries {
        let mut retries = StepRetries::default();
        let mut set = |name: &str, given: Field<i64>, with: fn(StepRetries, i64) -> Result<_, StepRetriesError>| {
            if let Some(number) = fields.take(name, given)
                && let Some(changed) = fields.check(name, with(retries, number))
            {
                retries = changed;
            }
        };
        set("max_attempts", self.max_attempts, StepRetries::with_max_attempts);
        set("first_delay_seconds", self.first_delay_seconds, StepRetries::with_first_delay);
        retries
    }
}
