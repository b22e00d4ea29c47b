//! The ports for onboarding: the store of workflows and runs, and the caller of steps.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use super::{
    run::{OnboardingRun, RunAmendment, RunState},
    service::OnboardingError,
    token::RunToken,
    workflow::{PutWorkflow, Workflow},
};
use crate::{
    idempotency::{Done, IdempotencyClaim},
    ids::{CustomerId, WorkflowId},
    lifecycle::{Owner, Precondition},
    onboarding::WorkflowName,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
    webhook::{EndpointUrl, SendFailure},
};

/// Selects runs for a list, in the order of their customers' ids.
///
/// ```
/// use patron_domain::onboarding::{RunQuery, RunState};
///
/// let need_a_person = RunQuery { state: Some(RunState::Failed), after: None, limit: 50 };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// Only runs in this state.
    pub state: Option<RunState>,
    /// Only runs after this customer's.
    pub after: Option<CustomerId>,
    /// The maximum number of results.
    pub limit: u16,
}

/// A request for the leases of runs that have work.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{onboarding::RunClaim, testkit::a_time};
///
/// let now = a_time();
/// let claim = RunClaim { holder: "server 1".to_owned(), now, until: now.later(Duration::from_secs(30)), limit: 16, most_of_one: 8,
///     under_way: Vec::new() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunClaim {
    /// A name that no other claim has.
    pub holder: String,
    /// The current time.
    pub now: Timestamp,
    /// The end of the leases.
    pub until: Timestamp,
    /// The maximum number of runs.
    pub limit: u16,
    /// The most runs of one environment, including those in progress.
    pub most_of_one: u16,
    /// The number of runs in progress, by environment.
    pub under_way: Vec<(Owner, u16)>,
}

impl RunClaim {
    /// The most runs of an environment that may be leased.
    #[must_use]
    pub fn room_for(&self, owner: Owner) -> u16 {
        let under_way = self.under_way.iter().find(|(of, _)| *of == owner).map_or(0, |(_, runs)| *runs);
        self.most_of_one.saturating_sub(under_way).min(self.limit)
    }
}

/// The result of work on a run under a lease.
///
/// ```
/// use patron_domain::{onboarding::{OnboardingRun, RunRecord}, testkit::{a_time, an_id, an_owner}};
///
/// let run = OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time());
/// let given_back = RunRecord { run, holder: "server 1".to_owned(), keep_until: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The run's new state.
    pub run: OnboardingRun,
    /// The holder of the lease.
    pub holder: String,
    /// The new end of the lease; `None` releases it.
    pub keep_until: Option<Timestamp>,
}

/// Stores workflows and runs. [`crate::customer::CustomerRepository::change`] writes a new run together with its
/// customer.
///
/// Every method MUST be atomic, durable when it returns, and see only data in its scope.
///
/// If the origin of a scope asks for a [dry run](crate::tenancy::Origin::is_dry_run), a write MUST return what it would
/// return now, and leave nothing behind.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{onboarding::OnboardingRepository, testkit::{MemoryStore, a_scope, an_id}};
///
/// # futures::executor::block_on(async {
/// let onboarding: Arc<dyn OnboardingRepository> = Arc::new(MemoryStore::default());
/// assert_eq!(onboarding.workflow(&a_scope(), None).await, Ok(None));
/// assert_eq!(onboarding.run(&a_scope(), an_id(1)).await, Ok(None));
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait OnboardingRepository: Send + Sync {
    /// Puts a version of a workflow under its name in the scope's environment, by [`PutWorkflow::decide`], and returns
    /// the version that the name then has. Customers that are created later get it; earlier versions stay for their
    /// runs. Of concurrent calls each MUST see the result of the one before it. With a claim this MUST be done once; a
    /// repeated call returns the version of the first. If the put has a quota, this MUST pass the number of workflows
    /// that new customers can get; concurrent calls MAY exceed the quota together.
    async fn put_workflow(
        &self,
        scope: &EnvironmentScope,
        put: PutWorkflow,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<Workflow>, OnboardingError>;

    /// The version of a workflow that new customers get; `None` when there is no workflow with this name.
    async fn workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
    ) -> Result<Option<Workflow>, StoreError>;

    /// Any version of a workflow, including replaced and deleted ones.
    async fn workflow_version(&self, scope: &EnvironmentScope, id: WorkflowId) -> Result<Option<Workflow>, StoreError>;

    /// Deletes a workflow and returns its last version; `None` when there is none. It MUST return
    /// [`OnboardingError::VersionConflict`] unless `only_if` holds for the version's
    /// [`Audit::version`](crate::lifecycle::Audit::version). Existing runs continue. With a claim this MUST be done
    /// once; `None` leaves the key free.
    async fn delete_workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Option<Done<WorkflowId>>, OnboardingError>;

    /// The run of a customer; `None` when it has none.
    async fn run(&self, scope: &EnvironmentScope, customer: CustomerId) -> Result<Option<OnboardingRun>, StoreError>;

    /// Runs of the scope's environment.
    async fn runs(&self, scope: &EnvironmentScope, query: RunQuery) -> Result<Vec<OnboardingRun>, StoreError>;

    /// Changes a run: calls [`OnboardingRun::amended`] with the locked row, ends any lease, and returns the new state.
    /// When there is no run, this MUST return [`OnboardingError::UnknownRun`]. With a claim this MUST be done once, and
    /// a repeated call returns the state of the first; a refusal leaves the key free.
    async fn amend_run(
        &self,
        scope: &EnvironmentScope,
        customer: CustomerId,
        amendment: RunAmendment,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<OnboardingRun>, OnboardingError>;

    /// Leases due runs of any environment, the longest due first, except those of suspended tenants. Of each
    /// environment it leases no more than [`RunClaim::room_for`] allows; due runs of other environments MUST be found
    /// all the same. Leased runs MUST become due again at the end of the claim, so that another holder continues them if
    /// this one crashes. Unfinished ones are then [`RunState::Running`]. Of concurrent claims no two MUST get the same
    /// run.
    async fn claim_runs(&self, scope: &SystemScope, claim: RunClaim) -> Result<Vec<OnboardingRun>, StoreError>;

    /// Records the new state of a run. When the holder no longer has the lease, this MUST write nothing and return
    /// `false`. A run whose lease continues is due again when it ends.
    async fn record_run(&self, scope: &SystemScope, record: RunRecord) -> Result<bool, StoreError>;
}

/// One signed call of a step.
///
/// ```
/// use patron_domain::{
///     onboarding::{RunToken, StepCall},
///     testkit::{a_time, an_id, an_owner},
///     webhook::{EndpointUrl, Message, WebhookSecret, seconds, signature},
/// };
///
/// let (secret, body) = (WebhookSecret::from_random([7; 32]), b"{}".to_vec());
/// let token = RunToken::new(&secret, an_id(1));
/// let (url, id) = (EndpointUrl::new("https://crm.example").unwrap(), format!("{}_0", token.run()));
/// let signature = signature(&[secret], &Message { id: &id, at: a_time(), body: &body });
/// let call = StepCall { owner: an_owner(), url, id, timestamp: seconds(a_time()), signature, token, body };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StepCall {
    /// The owner of the run. Environments take turns.
    pub owner: Owner,
    /// The URL.
    pub url: EndpointUrl,
    /// `webhook-id`: the run and the step, the same for every attempt.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The run's token. A create that results from the call must send it back.
    pub token: RunToken,
    /// The body.
    pub body: Vec<u8>,
}

/// The body has personal data.
impl fmt::Debug for StepCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, id, timestamp, token, .. } = self;
        write!(f, "StepCall {{ url: {url:?}, id: {id:?}, timestamp: {timestamp}, token: {token:?}, redacted }}")
    }
}

/// The response to a call.
///
/// ```
/// use patron_domain::onboarding::StepAnswer;
///
/// assert_eq!(StepAnswer { status: 201, body: b"{}".to_vec(), retry_after: None }.status, 201);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StepAnswer {
    /// The status.
    pub status: u16,
    /// The body, or its beginning.
    pub body: Vec<u8>,
    /// How long the host asked to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
}

/// The body may have personal data.
impl fmt::Debug for StepAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, retry_after, .. } = self;
        write!(f, "StepAnswer {{ status: {status}, retry_after: {retry_after:?}, redacted }}")
    }
}

/// Makes calls.
///
/// ```
/// use patron_domain::onboarding::{MockStepCaller, StepCaller};
///
/// // Every call gets this response.
/// let caller: Box<dyn StepCaller> = Box::new(MockStepCaller::answering(201, r#"{"id": 4711}"#));
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait StepCaller: Send + Sync {
    /// Makes one attempt and returns the response. At most one byte more than
    /// [`StepFailure::MAX_ANSWER`](super::StepFailure::MAX_ANSWER) of the body is kept.
    ///
    /// The rules of [`crate::webhook::WebhookSender::send`] for addresses, redirects and time MUST be followed.
    async fn call(&self, call: StepCall) -> Result<StepAnswer, SendFailure>;
}
