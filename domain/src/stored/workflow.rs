//! Versions of onboarding workflows, with their sealed secret.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    Stored, StoredError, fits, read,
    values::{Int, Text, V1, audit_of, int_unless, text_unless},
    write,
};
use crate::{
    ids::{WebhookEndpointId, WorkflowId},
    integration::ProviderType,
    lifecycle::Owner,
    onboarding::{
        ExpectedStatus, HttpCall, JsonPointer, LinkIntegration, Step, StepRetries, Steps, Workflow, WorkflowName,
        WorkflowSecret,
    },
    tenancy::Actor,
    time::Timestamp,
    webhook::{EndpointUrl, SealedSecret},
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkflowForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    id: Text<'a, WorkflowId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a, WorkflowName>>,
    steps: Vec<StepForm<'a>>,
    secret_id: Text<'a, WebhookEndpointId>,
    secret: Cow<'a, str>,
    created_at: Int<Timestamp>,
    created_by: Text<'a, Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<Text<'a, Actor>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StepForm<'a> {
    HttpCall(CallForm<'a>),
    LinkIntegration(LinkForm<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallForm<'a> {
    url: Text<'a, EndpointUrl>,
    /// Absent for any from 200 to 299.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    expected_status: Cow<'a, [u16]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_delay_seconds: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkForm<'a> {
    provider_type: Text<'a, ProviderType>,
    pointer: Text<'a, JsonPointer>,
}

impl<'a> StepForm<'a> {
    fn of(step: &'a Step) -> Self {
        let default = StepRetries::default();
        match step {
            Step::HttpCall(HttpCall { url, expected, retries }) => Self::HttpCall(CallForm {
                url: Text::of(url),
                expected_status: Cow::Borrowed(expected.as_slice()),
                max_attempts: Some(retries.max_attempts()).filter(|most| *most != default.max_attempts()),
                first_delay_seconds: Some(retries.first_delay_seconds())
                    .filter(|first| *first != default.first_delay_seconds()),
            }),
            Step::LinkIntegration(LinkIntegration { provider_type, pointer }) => {
                Self::LinkIntegration(LinkForm { provider_type: Text::of(provider_type), pointer: Text::of(pointer) })
            }
        }
    }

    /// The step; `None` if a number is outside its limits.
    fn take(self) -> Option<Step> {
        Some(match self {
            Self::HttpCall(call) => {
                let expected = call.expected_status.iter().map(|status| i64::from(*status)).collect();
                let mut retries = StepRetries::default();
                if let Some(most) = call.max_attempts {
                    retries = retries.with_max_attempts(most.into()).ok()?;
                }
                if let Some(first) = call.first_delay_seconds {
                    retries = retries.with_first_delay(first.into()).ok()?;
                }
                let expected = ExpectedStatus::new(expected).ok()?;
                Step::HttpCall(HttpCall { url: call.url.take(), expected, retries })
            }
            Self::LinkIntegration(link) => Step::LinkIntegration(LinkIntegration {
                provider_type: link.provider_type.take(),
                pointer: link.pointer.take(),
            }),
        })
    }
}

impl<'a> WorkflowForm<'a> {
    fn of(workflow: &'a Workflow) -> Self {
        let Workflow { id, owner: _, name, steps, secret, audit } = workflow;
        Self {
            v: V1,
            id: Text::of(id),
            name: Text::of_any(name.as_ref()),
            steps: steps.as_slice().iter().map(StepForm::of).collect(),
            secret_id: Text::of(&secret.id),
            secret: Cow::Borrowed(secret.sealed.as_sealed()),
            created_at: Int(audit.created_at),
            created_by: Text::of(&audit.created_by),
            updated_at: int_unless(audit.created_at, audit.updated_at),
            updated_by: text_unless(&audit.created_by, &audit.updated_by),
        }
    }

    fn take(self, owner: Owner) -> Result<Workflow, &'static str> {
        let steps: Option<Vec<Step>> = self.steps.into_iter().map(StepForm::take).collect();
        let steps = steps.and_then(|steps| Steps::new(steps, "").ok()).ok_or("steps")?;
        let sealed = SealedSecret::from_sealed(self.secret.into_owned());
        Ok(Workflow {
            id: self.id.take(),
            owner,
            name: Text::take_any(self.name),
            steps,
            secret: WorkflowSecret { id: self.secret_id.take(), sealed },
            audit: audit_of(self.created_at, self.created_by, self.updated_at, self.updated_by),
        })
    }
}

impl Stored for Workflow {
    const NAME: &'static str = "onboarding_workflow";

    fn to_document(&self) -> String {
        write(&WorkflowForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        let form: WorkflowForm<'_> = read(Self::NAME, document)?;
        fits(Self::NAME, form.take(owner))
    }
}
