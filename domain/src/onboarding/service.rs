//! What callers can ask about onboarding.

use std::{sync::Arc, time::Duration};

use super::{
    port::{OnboardingRepository, RunQuery},
    run::{OnboardingRun, RunAmendment, RunRefusal},
    token::{RunToken, RunTokenError},
    workflow::{PutWorkflow, Steps, Workflow, WorkflowSecret},
};
use crate::{
    clock::Clock,
    idempotency::{Done, IdempotencyKeyReused, IdempotentRequest, from_once_error},
    ids::{CustomerId, IdGenerator, Randomness},
    onboarding::{Onboarding, WorkflowName},
    store::StoreError,
    tenancy::{Caller, Permission, PermissionDenied},
    webhook::{SecretVault, VaultError, WebhookSecret},
};

/// Workflows and runs, for callers with permissions.
///
/// Whoever can make a workflow has every customer sent to an address of their choice, so changing one is for
/// `super_admin`, as it is with webhooks. Retrying and cancelling runs is for whoever may write.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::DEFAULT_IDEMPOTENCY_TTL, onboarding::{OnboardingService, Steps}, testkit::*, webhook::MockSecretVault,
/// };
///
/// # futures::executor::block_on(async {
/// let service = OnboardingService {
///     onboarding: Arc::new(MemoryStore::default()),
///     vault: Arc::new(MockSecretVault::plain()),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     randomness: Arc::new(FixedRandomness::default()),
///     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
/// };
/// let steps = Steps::new(vec![a_call("https://crm.example"), a_link("crm", "/id")], "").unwrap();
/// let (workflow, secret) = service.put_workflow(&a_caller(), None, steps, false, None).await.unwrap().value;
/// assert!(secret.is_some(), "it is new");
/// assert_eq!(service.workflow(&a_reader(), None).await, Ok(workflow));
/// # });
/// ```
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
    /// For how long a request under an idempotency key is answered as the first time.
    pub idempotency_ttl: Duration,
}

/// Why a workflow or run was not made, changed or answered.
///
/// ```
/// use patron_domain::{onboarding::OnboardingError, store::StoreError};
///
/// let unavailable = OnboardingError::from(StoreError::unavailable("too many writes are waiting"));
/// assert_eq!(unavailable.to_string(), "the database is not available: too many writes are waiting");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
    /// The token is none of a run of the caller's environment.
    #[error(transparent)]
    ForeignToken(#[from] RunTokenError),
    /// The idempotency key stands for another request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// A secret could not be made or sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(OnboardingError);

impl OnboardingService {
    /// Makes or replaces a workflow. The secret is answered when it is new: the first time, and when another one is asked
    /// for; but not to a repetition. Runs that have begun keep steps and secret. Steps that are there already make no
    /// other version.
    ///
    /// # Errors
    /// When the caller is no `super_admin`, secret or store fail, or the key stands for another request.
    pub async fn put_workflow(
        &self,
        caller: &Caller,
        name: Option<WorkflowName>,
        steps: Steps,
        another_secret: bool,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<(Workflow, Option<WebhookSecret>)>, OnboardingError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        let mut ids = self.ids.start(at);
        // Only the store knows whether it is needed.
        let fresh = WebhookSecret::from_random(self.randomness.secret_bytes().map_err(VaultError::from)?);
        let id = ids.next_id();
        let secret = WorkflowSecret { id, sealed: self.vault.seal(id, &fresh)? };
        let put = PutWorkflow { name, steps, another_secret, id: ids.next_id(), secret: secret.clone(), at };
        let claim = request.map(|request| request.claim(at, self.idempotency_ttl));
        let Done { value, replayed } = self.onboarding.put_workflow(scope, put, claim).await?;
        let shown = (!replayed && value.secret == secret).then_some(fresh);
        Ok(Done { value: (value, shown), replayed })
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
    /// When the caller is no `super_admin`, there is none with this name, the store fails, or the key stands for another
    /// request.
    pub async fn delete_workflow(
        &self,
        caller: &Caller,
        name: Option<WorkflowName>,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<()>, OnboardingError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        let claim = request.map(|request| request.claim(at, self.idempotency_ttl));
        let deleted = self.onboarding.delete_workflow(scope, name, at, claim).await?;
        let Done { replayed, .. } = deleted.ok_or(OnboardingError::UnknownWorkflow)?;
        Ok(Done { value: (), replayed })
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
    /// When the caller may not write, the customer has no run, its state forbids it, the store fails, or the key stands for
    /// another request.
    pub async fn amend_run(
        &self,
        caller: &Caller,
        customer: CustomerId,
        amendment: RunAmendment,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<(OnboardingRun, Workflow)>, OnboardingError> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        let claim = request.map(|request| request.claim(at, self.idempotency_ttl));
        let Done { value: run, replayed } = self.onboarding.amend_run(scope, customer, amendment, at, claim).await?;
        let workflow = self.onboarding.workflow_version(scope, run.workflow_id).await?;
        Ok(Done { value: (run, workflow.ok_or(OnboardingError::UnknownWorkflow)?), replayed })
    }

    /// What a create that echoes a token says of onboarding, whatever else it says: a call of a run led to it, so it starts
    /// nothing.
    ///
    /// # Errors
    /// When the caller may not write, the token is none that a call of a run of the caller's environment carried, or store
    /// or vault fail.
    pub async fn recognise(&self, caller: &Caller, token: &RunToken) -> Result<Onboarding, OnboardingError> {
        let scope = caller.authorise(Permission::Write)?;
        let run = self.onboarding.run(scope, CustomerId::from_uuid(token.run().uuid())).await?;
        let run = run.ok_or(RunTokenError)?;
        let workflow = self.onboarding.workflow_version(scope, run.workflow_id).await?.ok_or(RunTokenError)?;
        let secret = self.vault.open(workflow.secret.id, &workflow.secret.sealed)?;
        let starts_nothing = Onboarding { skip: true, workflow: None };
        token.is_of(&secret).then_some(starts_nothing).ok_or(RunTokenError.into())
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
