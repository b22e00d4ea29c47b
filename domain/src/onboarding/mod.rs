//! Onboarding: the calls to other systems for every new customer, step by step, and their results.
//!
//! A [`Workflow`] is an ordered list of steps. Creating a customer writes an [`OnboardingRun`] in the same transaction.
//! An [`OnboardingEngine`] then executes the steps in order, each at least once. Changing a workflow creates a new
//! version; existing runs keep the version they began with.
//!
//! The types for the onboarding part of a create are always compiled; the rest needs the feature `webhooks`.

#[cfg(feature = "webhooks")]
mod breaker;
mod choice;
#[cfg(feature = "webhooks")]
mod engine;
#[cfg(feature = "webhooks")]
mod failure;
#[cfg(all(feature = "webhooks", any(test, feature = "mock")))]
mod mock;
#[cfg(feature = "webhooks")]
mod pointer;
#[cfg(feature = "webhooks")]
mod port;
#[cfg(feature = "webhooks")]
mod run;
#[cfg(feature = "webhooks")]
mod service;
#[cfg(feature = "webhooks")]
mod step;
#[cfg(feature = "webhooks")]
mod token;
#[cfg(feature = "webhooks")]
mod workflow;

pub use crate::customer::fields::{WorkflowName, WorkflowNameError};
#[cfg(feature = "webhooks")]
pub use breaker::{Breaker, Breakers};
pub use choice::Onboarding;
#[cfg(feature = "webhooks")]
pub use engine::OnboardingEngine;
#[cfg(feature = "webhooks")]
pub use failure::StepFailure;
#[cfg(feature = "webhooks")]
pub use pointer::{JsonPointer, JsonPointerError};
#[cfg(all(feature = "webhooks", any(test, feature = "mock")))]
pub use port::{MockOnboardingRepository, MockStepCaller};
#[cfg(feature = "webhooks")]
pub use port::{OnboardingRepository, RunClaim, RunQuery, RunRecord, StepAnswer, StepCall, StepCaller};
#[cfg(feature = "webhooks")]
pub use run::{OnboardingRun, RunAmendment, RunRefusal, RunState, StepOutcome};
#[cfg(feature = "webhooks")]
pub use service::{OnboardingError, OnboardingService};
#[cfg(feature = "webhooks")]
pub use step::{
    ExpectedStatus, ExpectedStatusError, HttpCall, LinkIntegration, Step, StepKind, StepRetries, StepRetriesError,
};
#[cfg(feature = "webhooks")]
pub use token::{RunToken, RunTokenError};
#[cfg(feature = "webhooks")]
pub use workflow::{PutWorkflow, Steps, StepsError, Workflow, WorkflowPut, WorkflowSecret};
