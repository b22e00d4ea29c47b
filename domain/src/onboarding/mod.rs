//! Onboarding: what is done elsewhere for every new customer, step by step, and what is remembered of it.
//!
//! A [`Workflow`] is an ordered list of steps. Creating a customer writes an [`OnboardingRun`] of it in the same
//! transaction; an [`OnboardingEngine`] then takes the steps, each at least once, in order. Changing a workflow makes a
//! new version of it; runs keep the version they began with.

mod engine;
mod failure;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod pointer;
mod port;
mod run;
mod service;
mod step;
mod token;
mod workflow;

pub use engine::OnboardingEngine;
pub use failure::StepFailure;
pub use pointer::{JsonPointer, JsonPointerError};
#[cfg(any(test, feature = "mock"))]
pub use port::{MockOnboardingRepository, MockStepCaller};
pub use port::{OnboardingRepository, RunClaim, RunQuery, RunRecord, StepCall, StepCaller};
pub use run::{OnboardingRun, RunAmendment, RunRefusal, RunState, StepOutcome};
pub use service::{OnboardingError, OnboardingService};
pub use step::{
    ExpectedStatus, ExpectedStatusError, HttpCall, LinkIntegration, Step, StepKind, StepRetries, StepRetriesError,
};
pub use token::{RunToken, RunTokenError};
pub use workflow::{PutWorkflow, Steps, StepsError, Workflow, WorkflowPut, WorkflowSecret};
