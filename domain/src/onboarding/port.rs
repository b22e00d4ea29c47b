//! The ports for onboarding: where workflows and runs are kept, and how a call is made.

use std::fmt;

use async_trait::async_trait;

use super::{
    run::{OnboardingRun, RunAmendment, RunState},
    service::OnboardingError,
    token::RunToken,
    workflow::{PutWorkflow, Workflow},
};
use crate::{
    idempotency::{Done, IdempotencyClaim, OnceError},
    ids::{CustomerId, WorkflowId},
    onboarding::WorkflowName,
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
    webhook::{EndpointUrl, SendFailure},
};

/// Which runs are listed, in the order of their customers' ids.
///
/// ```
/// use patron_domain::onboarding::{RunQuery, RunState};
///
/// let need_a_person = RunQuery { state: Some(RunState::Failed), after: None, limit: 50 };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// Only those that are this far.
    pub state: Option<RunState>,
    /// Only those behind this customer's.
    pub after: Option<CustomerId>,
    /// The most that are answered.
    pub limit: u16,
}

/// Asks for runs for which there is something to do.
///
/// ```
/// use std::time::Duration;
/// use patron_domain::{onboarding::RunClaim, testkit::a_time};
///
/// let now = a_time();
/// let claim = RunClaim { holder: "server 1".to_owned(), now, until: now.later(Duration::from_secs(30)), limit: 16 };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunClaim {
    /// A name that no other claim has.
    pub holder: String,
    /// The time.
    pub now: Timestamp,
    /// Until when the runs are the holder's.
    pub until: Timestamp,
    /// The most runs wanted.
    pub limit: u16,
}

/// What became of a run that somebody holds.
///
/// ```
/// use patron_domain::{onboarding::{OnboardingRun, RunRecord}, testkit::{a_time, an_id, an_owner}};
///
/// let run = OnboardingRun::start(an_owner(), an_id(1), an_id(2), a_time());
/// let given_back = RunRecord { run, holder: "server 1".to_owned(), keep_until: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The run as it is now.
    pub run: OnboardingRun,
    /// Who holds it.
    pub holder: String,
    /// Until when the holder keeps it; `None` gives it back.
    pub keep_until: Option<Timestamp>,
}

/// Keeps workflows and runs. Runs begin with their customers: [`crate::customer::CustomerRepository::change`] writes them.
///
/// Every method MUST be atomic and durable when it answers, and blind to everything outside its scope.
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
    /// Puts a version of a workflow into the place of the one that its name has in the scope's environment, as
    /// [`PutWorkflow::decide`] says, and answers the one that its name has then. Customers that are created afterwards get
    /// it. Versions before stay for the runs that began with them. Of several at once each MUST see what the one before it
    /// left. Under a claim it MUST be done once, and a repetition answered with the version of then.
    async fn put_workflow(
        &self,
        scope: &EnvironmentScope,
        put: PutWorkflow,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<Workflow>, OnceError>;

    /// The version of a workflow that new customers get; `None` when there is none with this name.
    async fn workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
    ) -> Result<Option<Workflow>, StoreError>;

    /// Any version of a workflow, also one that has been replaced or deleted.
    async fn workflow_version(&self, scope: &EnvironmentScope, id: WorkflowId) -> Result<Option<Workflow>, StoreError>;

    /// Deletes a workflow, and answers which version it had; `None` when there is none. Runs that have begun go on. Under a
    /// claim it MUST be done once; `None` leaves the key free.
    async fn delete_workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Option<Done<WorkflowId>>, OnceError>;

    /// The run of a customer; `None` when it has none.
    async fn run(&self, scope: &EnvironmentScope, customer: CustomerId) -> Result<Option<OnboardingRun>, StoreError>;

    /// Runs of the scope's environment.
    async fn runs(&self, scope: &EnvironmentScope, query: RunQuery) -> Result<Vec<OnboardingRun>, StoreError>;

    /// Changes a run as [`OnboardingRun::amended`] says of its row under lock, takes it from whoever holds it, and answers
    /// it as it is then. MUST answer [`OnboardingError::UnknownRun`] when there is none. Under a claim it MUST be done once,
    /// and a repetition answered with the run of then; a refusal leaves the key free.
    async fn amend_run(
        &self,
        scope: &EnvironmentScope,
        customer: CustomerId,
        amendment: RunAmendment,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<OnboardingRun>, OnboardingError>;

    /// Takes runs of any environment that are due, those first that have been so for the longest. MUST make them due again
    /// at the end of the claim, so that others take them up when the holder vanishes; those that are under way are
    /// [`RunState::Running`] then. Of several claims at once no two MUST get one run.
    async fn claim_runs(&self, scope: &SystemScope, claim: RunClaim) -> Result<Vec<OnboardingRun>, StoreError>;

    /// Writes down what became of a run. MUST write nothing and answer `false` when it is not the holder's any more. What is
    /// kept is due again when the holder's time ends.
    async fn record_run(&self, scope: &SystemScope, record: RunRecord) -> Result<bool, StoreError>;
}

/// One call of a step, signed.
///
/// ```
/// use patron_domain::{
///     onboarding::{RunToken, StepCall},
///     testkit::{a_time, an_id},
///     webhook::{EndpointUrl, Message, WebhookSecret, seconds, signature},
/// };
///
/// let (secret, body) = (WebhookSecret::from_random([7; 32]), b"{}".to_vec());
/// let token = RunToken::new(&secret, an_id(1));
/// let (url, id) = (EndpointUrl::new("https://crm.example").unwrap(), format!("{}_0", token.run()));
/// let signature = signature(&[secret], &Message { id: &id, at: a_time(), body: &body });
/// let call = StepCall { url, id, timestamp: seconds(a_time()), signature, token, body };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StepCall {
    /// Where to.
    pub url: EndpointUrl,
    /// `webhook-id`: the run and the step, the same for every attempt.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The run's token, which a create that follows from the call has to echo.
    pub token: RunToken,
    /// The body.
    pub body: Vec<u8>,
}

/// The body is personal data.
impl fmt::Debug for StepCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, id, timestamp, token, .. } = self;
        write!(f, "StepCall {{ url: {url:?}, id: {id:?}, timestamp: {timestamp}, token: {token:?}, redacted }}")
    }
}

/// Makes calls.
///
/// ```
/// use patron_domain::onboarding::{MockStepCaller, StepCaller};
///
/// // Every call of this one is answered so.
/// let caller: Box<dyn StepCaller> = Box::new(MockStepCaller::answering(201, r#"{"id": 4711}"#));
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait StepCaller: Send + Sync {
    /// Makes one attempt, and answers status and body, of which no more than
    /// [`StepFailure::MAX_ANSWER`](super::StepFailure::MAX_ANSWER) bytes and one are kept.
    ///
    /// MUST keep to what [`crate::webhook::WebhookSender::send`] says of addresses, redirects and time.
    async fn call(&self, call: StepCall) -> Result<(u16, Vec<u8>), SendFailure>;
}
