//! Runs: how far a workflow is with a customer. Every transition is a pure function of what happened and when.

use super::{
    failure::StepFailure,
    step::{Step, StepRetries},
    workflow::Steps,
};
use crate::{
    ids::{CustomerId, OnboardingRunId, WorkflowId},
    integration::ProviderEntityId,
    lifecycle::Owner,
    time::Timestamp,
    words::words,
};

/// How far a run is.
///
/// ```
/// use patron_domain::onboarding::RunState;
///
/// assert_eq!(RunState::parse("failed"), Ok(RunState::Failed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Nothing was done yet, or it is to go on after a failure.
    Pending,
    /// A step is being taken, or the next one is about to be.
    Running,
    /// A step failed, and is tried again later.
    Waiting,
    /// Every step was taken.
    Succeeded,
    /// A step failed to the end: it needs a person.
    Failed,
    /// A person has ended it.
    Cancelled,
}

words!(
    RunState, "pending, running, waiting, succeeded, failed, cancelled",
    Pending => "pending", Running => "running", Waiting => "waiting", Succeeded => "succeeded", Failed => "failed",
    Cancelled => "cancelled",
);

/// A workflow's run for one customer, who has one at most: creating the customer began it.
///
/// ```
/// use patron_domain::{
///     onboarding::{OnboardingRun, RunState, StepOutcome, StepFailure},
///     testkit::{a_time, a_workflow, an_id},
/// };
///
/// let workflow = a_workflow();
/// let run = OnboardingRun::start(workflow.owner, an_id(1), workflow.id, a_time());
/// let failed = StepOutcome::Failed(StepFailure::Status(503));
/// let waiting = run.after(&workflow.steps, failed, a_time(), 0);
/// assert_eq!((waiting.state, waiting.attempts), (RunState::Waiting, 1));
/// assert!(!waiting.is_due(a_time()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnboardingRun {
    /// The customer's environment.
    pub owner: Owner,
    /// The customer.
    pub customer_id: CustomerId,
    /// The version of the workflow, which never changes.
    pub workflow_id: WorkflowId,
    /// How far it is.
    pub state: RunState,
    /// The step that is next, counted from 0; the number of steps when all were taken.
    pub step: u16,
    /// How often this step was tried and failed.
    pub attempts: u32,
    /// When there is something to do for it: the next attempt, or, when it has ended, to write its event.
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed; `None` once a later one did not.
    pub last_failure: Option<StepFailure>,
    /// The values that the links to come take from the answer to the call before them.
    pub values: Vec<ProviderEntityId>,
    /// Since when it is there: when the customer was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What became of an attempt at a step.
///
/// ```
/// use patron_domain::{integration::ProviderEntityId, onboarding::StepOutcome};
///
/// let known_as = ProviderEntityId::new("crm-7").unwrap();
/// let outcome = StepOutcome::Called(vec![known_as]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// The call was answered as expected; these are the values for the links behind it.
    Called(Vec<ProviderEntityId>),
    /// The customer is linked.
    Linked,
    /// It failed, and may work another time.
    Failed(StepFailure),
    /// It failed, and trying again is of no use.
    Refused(StepFailure),
}

/// What a person asks of a run.
///
/// ```
/// use patron_domain::{
///     onboarding::{OnboardingRun, RunAmendment, RunState},
///     testkit::{a_time, an_id, an_owner},
/// };
///
/// let run = OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time());
/// let cancelled = run.amended(RunAmendment::Cancel, a_time()).unwrap();
/// assert_eq!(cancelled.state, RunState::Cancelled);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunAmendment {
    /// Go on after a failure, with as many attempts as at first.
    Retry,
    /// End it.
    Cancel,
}

/// Why a run is not changed as a person asks.
///
/// ```
/// use patron_domain::{
///     onboarding::{OnboardingRun, RunAmendment, RunRefusal},
///     testkit::{a_time, an_id, an_owner},
/// };
///
/// let run = OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time());
/// assert_eq!(run.amended(RunAmendment::Retry, a_time()), Err(RunRefusal::NotFailed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunRefusal {
    /// Only a failed run is retried.
    #[error("the run has not failed, so there is nothing to retry")]
    NotFailed,
    /// It has ended.
    #[error("the run has succeeded or was cancelled, so there is nothing to cancel")]
    Ended,
}

impl OnboardingRun {
    /// The run of a new customer.
    #[must_use]
    pub fn start(owner: Owner, customer_id: CustomerId, workflow_id: WorkflowId, at: Timestamp) -> Self {
        Self {
            owner,
            customer_id,
            workflow_id,
            state: RunState::Pending,
            step: 0,
            attempts: 0,
            due_at: Some(at),
            last_failure: None,
            values: Vec::new(),
            created_at: at,
            updated_at: at,
        }
    }

    /// Its id: that of the customer under another prefix.
    #[must_use]
    pub fn id(&self) -> OnboardingRunId {
        OnboardingRunId::from_uuid(self.customer_id.uuid())
    }

    /// Whether there is a step to take, now or later.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, RunState::Pending | RunState::Running | RunState::Waiting)
    }

    /// Whether there is something to do for it.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due_at.is_some_and(|at| at <= now)
    }

    /// The run once somebody holds it until then: due again at that time, and running, if it is under way.
    #[must_use]
    pub fn held(mut self, until: Timestamp) -> Self {
        if self.is_under_way() {
            self.state = RunState::Running;
        }
        self.due_at = Some(until);
        self
    }

    /// The run after one more attempt at its step: on its way to the next, waiting, or ended. `jitter` is any number.
    #[must_use]
    pub fn after(mut self, steps: &Steps, outcome: StepOutcome, now: Timestamp, jitter: u16) -> Self {
        self.updated_at = now;
        self.due_at = Some(now);
        match outcome {
            StepOutcome::Called(values) => {
                self.values = values;
                self.pass(steps);
            }
            StepOutcome::Linked => {
                if !self.values.is_empty() {
                    self.values.remove(0);
                }
                self.pass(steps);
            }
            StepOutcome::Failed(failure) => {
                self.attempts = self.attempts.saturating_add(1);
                self.last_failure = Some(failure);
                match retries(steps.get(self.step)).delay(self.attempts, jitter) {
                    Some(delay) => {
                        self.state = RunState::Waiting;
                        self.due_at = Some(now.later(delay));
                    }
                    None => self.state = RunState::Failed,
                }
            }
            StepOutcome::Refused(failure) => {
                self.attempts = self.attempts.saturating_add(1);
                self.last_failure = Some(failure);
                self.state = RunState::Failed;
            }
        }
        self
    }

    fn pass(&mut self, steps: &Steps) {
        self.step = self.step.saturating_add(1);
        self.attempts = 0;
        self.last_failure = None;
        self.state = if steps.get(self.step).is_some() { RunState::Running } else { RunState::Succeeded };
    }

    /// The run once its end is in the log: there is nothing more to do.
    #[must_use]
    pub fn announced(mut self) -> Self {
        self.due_at = None;
        self
    }

    /// The run as a person wants it.
    ///
    /// # Errors
    /// When its state forbids it.
    pub fn amended(mut self, amendment: RunAmendment, now: Timestamp) -> Result<Self, RunRefusal> {
        match amendment {
            RunAmendment::Retry if self.state == RunState::Failed => {
                self.state = RunState::Pending;
                self.attempts = 0;
                self.due_at = Some(now);
            }
            RunAmendment::Retry => return Err(RunRefusal::NotFailed),
            RunAmendment::Cancel if self.is_under_way() || self.state == RunState::Failed => {
                self.state = RunState::Cancelled;
                self.due_at = None;
            }
            RunAmendment::Cancel => return Err(RunRefusal::Ended),
        }
        self.updated_at = now;
        Ok(self)
    }
}

fn retries(step: Option<&Step>) -> StepRetries {
    match step {
        Some(Step::HttpCall(call)) => call.retries,
        _ => StepRetries::default(),
    }
}

#[cfg(test)]
mod tests;
