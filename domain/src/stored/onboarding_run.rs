//! Onboarding runs.

use serde::{Deserialize, Serialize, Serializer};

use super::{
    Stored, StoredError, read,
    values::{AsText, Int, Text, V1, int_unless, word_texts},
    write,
};
use crate::{
    ids::{CustomerId, WorkflowId},
    integration::ProviderEntityId,
    lifecycle::Owner,
    onboarding::{OnboardingRun, RunState, StepFailure},
    time::Timestamp,
};

word_texts!(RunState);

impl AsText for StepFailure {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.to_word())
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_word(text)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunForm<'a> {
    #[serde(default, skip_serializing_if = "V1::goes_unsaid")]
    v: V1,
    customer_id: Text<'a, CustomerId>,
    workflow_id: Text<'a, WorkflowId>,
    state: Text<'a, RunState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Int<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<Text<'a, StepFailure>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<Text<'a, ProviderEntityId>>,
    created_at: Int<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Int<Timestamp>>,
}

impl<'a> RunForm<'a> {
    fn of(run: &'a OnboardingRun) -> Self {
        let OnboardingRun {
            owner: _,
            customer_id,
            workflow_id,
            state,
            step,
            attempts,
            due_at,
            last_failure,
            values,
            created_at,
            updated_at,
        } = run;
        Self {
            v: V1,
            customer_id: Text::of(customer_id),
            workflow_id: Text::of(workflow_id),
            state: Text::of(state),
            step: (*step > 0).then_some(*step),
            attempts: (*attempts > 0).then_some(*attempts),
            due_at: due_at.map(Int),
            last_failure: Text::of_any(last_failure.as_ref()),
            values: values.iter().map(Text::of).collect(),
            created_at: Int(*created_at),
            updated_at: int_unless(*created_at, *updated_at),
        }
    }

    fn take(self, owner: Owner) -> OnboardingRun {
        OnboardingRun {
            owner,
            customer_id: self.customer_id.take(),
            workflow_id: self.workflow_id.take(),
            state: self.state.take(),
            step: self.step.unwrap_or_default(),
            attempts: self.attempts.unwrap_or_default(),
            due_at: self.due_at.map(|at| at.0),
            last_failure: Text::take_any(self.last_failure),
            values: self.values.into_iter().map(Text::take).collect(),
            created_at: self.created_at.0,
            updated_at: self.updated_at.map_or(self.created_at.0, |at| at.0),
        }
    }
}

impl Stored for OnboardingRun {
    const NAME: &'static str = "onboarding_run";

    fn to_document(&self) -> String {
        write(&RunForm::of(self))
    }

    fn from_document(owner: Owner, document: &str) -> Result<Self, StoredError> {
        read::<RunForm<'_>>(Self::NAME, document).map(|form| form.take(owner))
    }
}
