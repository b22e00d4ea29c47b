//! What callers can ask about onboarding.

use std::sync::Arc;

use super::{
    port::{OnboardingRepository, RunQuery},
    run::{OnboardingRun, RunAmendment, RunRefusal},
    workflow::{Steps, Workflow, WorkflowSecret},
};
use crate::{
    clock::Clock,
    customer::WorkflowName,
    ids::{CustomerId, IdGenerator, Randomness},
    lifecycle::Audit,
    store::StoreError,
    tenancy::{Caller, Permission, PermissionDenied},
    webhook::{SecretVault, VaultError, WebhookSecret},
};

/// Workflows and runs, for callers with permissions.
///
/// Whoever can make a workflow has every customer sent to an address of their choice, so changing one is for
/// `super_admin`, as it is with webhooks. Retrying and cancelling runs is for whoever may write.
#[derive(Clone)]
pub struct OnboardingService {
    /// Keeps workflows and runs.
    pub onboarding: Arc<dyn OnboardingRepository>,
    /// Seals secrets.
    pub vault: Arc<dyn SecretVault>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Gives secrets.
    pub randomness: Arc<dyn Randomness>,
}

/// Why a workflow or run was not made, changed or answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnboardingError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The caller's environment has no such workflow.
    #[error("there is no onboarding workflow with this name")]
    UnknownWorkflow,
    /// The customer has no run.
    #[error("there is no onboarding run of this customer")]
    UnknownRun,
    /// The run's state forbids it.
    #[error(transparent)]
    Forbidden(#[from] RunRefusal),
    /// A secret could not be made or sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OnboardingService {
    /// Makes or replaces a workflow. The secret is answered when it is new: the first time, and when another one is asked
    /// for. Runs that have begun keep steps and secret.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, or secret or store fail.
    pub async fn put_workflow(
        &self,
        caller: &Caller,
        name: Option<WorkflowName>,
        steps: Steps,
        another_secret: bool,
    ) -> Result<(Workflow, Option<WebhookSecret>), OnboardingError> {
        let scope = caller.authorise(Permission::Administer)?;
        let now = self.clock.now();
        let mut ids = self.ids.start(now);
        let known = self.onboarding.workflow(scope, name.clone()).await?;
        let (secret, shown) = match known {
            Some(known) if !another_secret => (known.secret, None),
            known => {
                let id = known.map_or_else(|| ids.next_id(), |known| known.secret.id);
                let secret = WebhookSecret::from_random(self.randomness.secret_bytes().map_err(VaultError::from)?);
                (WorkflowSecret { id, sealed: self.vault.seal(id, &secret)? }, Some(secret))
            }
        };
        let audit = Audit::created(now, &scope.actor);
        let workflow = Workflow { id: ids.next_id(), owner: scope.owner, name, steps, secret, audit };
        self.onboarding.put_workflow(scope, workflow.clone()).await?;
        Ok((workflow, shown))
    }

    /// The workflow that new customers get.
    ///
    /// # Errors
    /// When the caller may not read, there is none with this name, or the store fails.
    pub async fn workflow(&self, caller: &Caller, name: Option<WorkflowName>) -> Result<Workflow, OnboardingError> {
        let scope = caller.authorise(Permission::Read)?;
        self.onboarding.workflow(scope, name).await?.ok_or(OnboardingError::UnknownWorkflow)
    }

    /// Deletes a workflow. Runs that have begun go on.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, there is none with this name, or the store fails.
    pub async fn delete_workflow(&self, caller: &Caller, name: Option<WorkflowName>) -> Result<(), OnboardingError> {
        let scope = caller.authorise(Permission::Administer)?;
        let deleted = self.onboarding.delete_workflow(scope, name).await?;
        if deleted { Ok(()) } else { Err(OnboardingError::UnknownWorkflow) }
    }

    /// The run of a customer, and the version of the workflow it follows.
    ///
    /// # Errors
    /// When the caller may not read, the customer has no run, or the store fails.
    pub async fn run(
        &self,
        caller: &Caller,
        customer: CustomerId,
    ) -> Result<(OnboardingRun, Workflow), OnboardingError> {
        let scope = caller.authorise(Permission::Read)?;
        let run = self.onboarding.run(scope, customer).await?.ok_or(OnboardingError::UnknownRun)?;
        let workflow = self.onboarding.workflow_version(scope, run.workflow_id).await?;
        Ok((run, workflow.ok_or(OnboardingError::UnknownWorkflow)?))
    }

    /// Changes the run of a customer as a person asks.
    ///
    /// # Errors
    /// When the caller may not write, the customer has no run, its state forbids it, or the store fails.
    pub async fn amend_run(
        &self,
        caller: &Caller,
        customer: CustomerId,
        amendment: RunAmendment,
    ) -> Result<(OnboardingRun, Workflow), OnboardingError> {
        let scope = caller.authorise(Permission::Write)?;
        let run = self.onboarding.amend_run(scope, customer, amendment, self.clock.now()).await?;
        let workflow = self.onboarding.workflow_version(scope, run.workflow_id).await?;
        Ok((run, workflow.ok_or(OnboardingError::UnknownWorkflow)?))
    }

    /// Runs of the caller's environment, such as those that need a person.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn runs(&self, caller: &Caller, query: RunQuery) -> Result<Vec<OnboardingRun>, OnboardingError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.onboarding.runs(scope, query).await?)
    }
}
