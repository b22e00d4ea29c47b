//! The operations on onboarding, with permission checks.

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
    lifecycle::{Precondition, VersionConflict},
    onboarding::{Onboarding, WorkflowName},
    store::StoreError,
    tenancy::{Caller, Permission, PermissionDenied, QuotaReached, Quotas},
    webhook::{SecretVault, VaultError, WebhookSecret},
};

/// Operations on workflows and runs, for callers with permissions.
///
/// A workflow can send every customer's data to any address. Therefore only a `super_admin` can change one, as with
/// webhooks. Writers can retry and cancel runs.
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
///     quotas: patron_domain::tenancy::Quotas::default(),
/// };
/// let steps = Steps::new(vec![a_call("https://crm.example"), a_link("crm", "/id")], "").unwrap();
/// let (workflow, secret) = service.put_workflow(&a_caller(), None, steps, false, Default::default(), None).await.unwrap().value;
/// assert!(secret.is_some(), "the secret is new");
/// assert_eq!(service.workflow(&a_reader(), None).await, Ok(workflow));
/// # });
/// ```
#[derive(Clone)]
pub struct OnboardingService {
    /// The store of workflows and runs.
    pub onboarding: Arc<dyn OnboardingRepository>,
    /// Seals secrets.
    pub vault: Arc<dyn SecretVault>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// The source of random secrets.
    pub randomness: Arc<dyn Randomness>,
    /// How long a request that is repeated with its idempotency key gets the same response.
    pub idempotency_ttl: Duration,
    /// The quotas of every environment.
    pub quotas: Quotas,
}

/// Why an operation on workflows or runs failed.
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
    /// The caller lacks the permission.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The environment has as many workflows as its quota allows.
    #[error(transparent)]
    Quota(#[from] QuotaReached),
    /// The caller's environment has no such workflow.
    #[error("there is no onboarding workflow with this name")]
    UnknownWorkflow,
    /// The customer has no run.
    #[error("this customer has no onboarding run")]
    UnknownRun,
    /// The run's state does not allow it.
    #[error(transparent)]
    Forbidden(#[from] RunRefusal),
    /// The token does not belong to a run of the caller's environment.
    #[error(transparent)]
    ForeignToken(#[from] RunTokenError),
    /// The idempotency key was used for a different request.
    #[error(transparent)]
    KeyReused(#[from] IdempotencyKeyReused),
    /// The workflow is not at the version that the client expects.
    #[error(transparent)]
    VersionConflict(#[from] VersionConflict),
    /// A secret could not be generated or sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

from_once_error!(OnboardingError);

impl OnboardingService {
    /// Creates or replaces a workflow. The secret is returned only when it is new, that is on the first call and when
    /// another one is requested, and not to a repeated request. Existing runs keep their steps and secret. If the steps
    /// are unchanged, no new version is created.
    ///
    /// # Errors
    /// When the caller is not a `super_admin`, the quota is reached, generating the secret or the store fails, or the key
    /// was used for a different request.
    pub async fn put_workflow(
        &self,
        caller: &Caller,
        name: Option<WorkflowName>,
        steps: Steps,
        another_secret: bool,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<(Workflow, Option<WebhookSecret>)>, OnboardingError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        let mut ids = scope.origin.ids(&*self.ids, at);
        // Only the store knows whether the secret is needed.
        let fresh = WebhookSecret::from_random(self.randomness.secret_bytes().map_err(VaultError::from)?);
        let id = ids.next_id();
        let secret = WorkflowSecret { id, sealed: self.vault.seal(id, &fresh)? };
        let (id, quota) = (ids.next_id(), self.quotas.workflows);
        let put = PutWorkflow { name, steps, another_secret, id, secret: secret.clone(), at, quota, only_if };
        let claim = request.map(|request| request.claim(at, self.idempotency_ttl));
        let Done { value, replayed } = self.onboarding.put_workflow(scope, put, claim).await?;
        let shown = (!replayed && value.secret == secret).then_some(fresh);
        Ok(Done { value: (value, shown), replayed })
    }

    /// The workflow that new customers get.
    ///
    /// # Errors
    /// When the caller may not read, there is no workflow with this name, or the store fails.
    pub async fn workflow(&self, caller: &Caller, name: Option<WorkflowName>) -> Result<Workflow, OnboardingError> {
        let scope = caller.authorise(Permission::Read)?;
        self.onboarding.workflow(scope, name).await?.ok_or(OnboardingError::UnknownWorkflow)
    }

    /// Deletes a workflow. Existing runs continue.
    ///
    /// # Errors
    /// When the caller is not a `super_admin`, there is no workflow with this name, the store fails, or the key was
    /// used for a different request.
    pub async fn delete_workflow(
        &self,
        caller: &Caller,
        name: Option<WorkflowName>,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<Done<()>, OnboardingError> {
        let scope = caller.authorise(Permission::Administer)?;
        let at = self.clock.now();
        let claim = request.map(|request| request.claim(at, self.idempotency_ttl));
        let deleted = self.onboarding.delete_workflow(scope, name, at, only_if, claim).await?;
        let Done { replayed, .. } = deleted.ok_or(OnboardingError::UnknownWorkflow)?;
        Ok(Done { value: (), replayed })
    }

    /// The run of a customer, and the version of its workflow.
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

    /// Changes the run of a customer.
    ///
    /// # Errors
    /// When the caller may not write, the customer has no run, its state does not allow the change, the store fails, or
    /// the key was used for a different request.
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

    /// The onboarding part of a create with a run's token, whatever else the create contains: it comes from a call of
    /// that run, so it starts no run.
    ///
    /// # Errors
    /// When the caller may not write, no call of a run in the caller's environment had this token, or the store or the
    /// vault fails.
    pub async fn recognise(&self, caller: &Caller, token: &RunToken) -> Result<Onboarding, OnboardingError> {
        let scope = caller.authorise(Permission::Write)?;
        let run = self.onboarding.run(scope, CustomerId::from_uuid(token.run().uuid())).await?;
        let run = run.ok_or(RunTokenError)?;
        let workflow = self.onboarding.workflow_version(scope, run.workflow_id).await?.ok_or(RunTokenError)?;
        let secret = self.vault.open(workflow.secret.id, &workflow.secret.sealed)?;
        let starts_nothing = Onboarding { skip: true, workflow: None };
        token.is_of(&secret).then_some(starts_nothing).ok_or(RunTokenError.into())
    }

    /// Runs of the caller's environment, for example those that need a decision.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn runs(&self, caller: &Caller, query: RunQuery) -> Result<Vec<OnboardingRun>, OnboardingError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.onboarding.runs(scope, query).await?)
    }
}
