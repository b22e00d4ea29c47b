//! Runs: the progress of a workflow for a customer. Every transition is a pure function of the event and the time.

use std::time::Duration;

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

/// The state of a run.
///
/// ```
/// use patron_domain::onboarding::RunState;
///
/// assert_eq!(RunState::parse("failed"), Ok(RunState::Failed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// It has not started, or is to continue after a failure.
    Pending,
    /// A step is in progress, or the next one is about to start.
    Running,
    /// A step failed and will be retried.
    Waiting,
    /// Every step succeeded.
    Succeeded,
    /// All attempts of a step failed: a person must decide.
    Failed,
    /// A person cancelled it.
    Cancelled,
}

words!(
    RunState, "pending, running, waiting, succeeded, failed, cancelled",
    Pending => "pending", Running => "running", Waiting => "waiting", Succeeded => "succeeded", Failed => "failed",
    Cancelled => "cancelled",
);

/// The run of a workflow for one customer. A customer has at most one run, which begins with its creation.
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
    /// The version of the workflow. It never changes.
    pub workflow_id: WorkflowId,
    /// The state.
    pub state: RunState,
    /// The next step, counted from 0; the number of steps after the last one.
    pub step: u16,
    /// The number of failed attempts of this step.
    pub attempts: u32,
    /// When the run has work: the next attempt, or, after the end, writing its event.
    pub due_at: Option<Timestamp>,
    /// Why the last attempt failed; `None` after a success.
    pub last_failure: Option<StepFailure>,
    /// The values for the next links, from the response to the call before them.
    pub values: Vec<ProviderEntityId>,
    /// When it was created, together with the customer.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The result of an attempt at a step.
///
/// ```
/// use patron_domain::{integration::ProviderEntityId, onboarding::StepOutcome};
///
/// let known_as = ProviderEntityId::new("crm-7").unwrap();
/// let outcome = StepOutcome::Called(vec![known_as]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// The call got an expected response; these are the values for the links after it.
    Called(Vec<ProviderEntityId>),
    /// The customer is linked.
    Linked,
    /// It failed, and a later attempt may succeed.
    Failed(StepFailure),
    /// It failed. A later attempt may succeed, but the host asked to wait for this time.
    Delayed(StepFailure, Duration),
    /// It failed, and another attempt cannot succeed.
    Refused(StepFailure),
    /// The call was not made: calls to the host pause until this time, because it does not answer.
    Postponed(Timestamp),
}

/// A person's change of a run.
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
    /// Continue after a failure, with the full number of attempts.
    Retry,
    /// End the run.
    Cancel,
}

/// Why a run cannot be changed like this.
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
    /// Only a failed run can be retried.
    #[error("the run has not failed, so there is nothing to retry")]
    NotFailed,
    /// The run has ended.
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

    /// The run's id: the customer's id with another prefix.
    #[must_use]
    pub fn id(&self) -> OnboardingRunId {
        OnboardingRunId::from_uuid(self.customer_id.uuid())
    }

    /// Whether there are steps left to execute.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, RunState::Pending | RunState::Running | RunState::Waiting)
    }

    /// Whether the run has work now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due_at.is_some_and(|at| at <= now)
    }

    /// The run under a lease until the given time: due again at that time, and running if steps are left.
    #[must_use]
    pub fn held(mut self, until: Timestamp) -> Self {
        if self.is_under_way() {
            self.state = RunState::Running;
        }
        self.due_at = Some(until);
        self
    }

    /// The run after one more attempt at its step: continuing, waiting, or ended. `jitter` is any number.
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
            StepOutcome::Failed(failure) => self.fail(steps, (failure, Duration::ZERO), now, jitter),
            StepOutcome::Delayed(failure, wait) => self.fail(steps, (failure, wait), now, jitter),
            StepOutcome::Postponed(until) => {
                // Spread, so that the waiting runs do not all continue at once.
                self.due_at = Some(until.later(Duration::from_millis(u64::from(jitter % 4_096))));
                self.state = RunState::Waiting;
                self.last_failure.get_or_insert(StepFailure::HostRests);
            }
            StepOutcome::Refused(failure) => {
                self.attempts = self.attempts.saturating_add(1);
                self.last_failure = Some(failure);
                self.state = RunState::Failed;
            }
        }
        self
    }

    fn fail(&mut self, steps: &Steps, (failure, wait): (StepFailure, Duration), now: Timestamp, jitter: u16) {
        self.attempts = self.attempts.saturating_add(1);
        self.last_failure = Some(failure);
        match retries(steps.get(self.step)).delay(self.attempts, jitter) {
            Some(delay) => {
                self.state = RunState::Waiting;
                self.due_at = Some(now.later(delay.max(wait)));
            }
            None => self.state = RunState::Failed,
        }
    }

    fn pass(&mut self, steps: &Steps) {
        self.step = self.step.saturating_add(1);
        self.attempts = 0;
        self.last_failure = None;
        self.state = if steps.get(self.step).is_some() { RunState::Running } else { RunState::Succeeded };
    }

    /// The run after its final event was written: nothing is left to do.
    #[must_use]
    pub fn announced(mut self) -> Self {
        self.due_at = None;
        self
    }

    /// The run after a person's change.
    ///
    /// # Errors
    /// When its state does not allow the change.
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
