//! Ready-made mocks of the onboarding ports.

use super::{MockOnboardingRepository, MockStepCaller, OnboardingError, OnboardingRun, StepAnswer, Workflow};
use crate::{idempotency::Done, store::StoreError, webhook::SendFailure};

fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockOnboardingRepository {
    /// A store without workflows and runs. Workflows can be put but are not kept; nothing is ever due.
    ///
    /// ```
    /// # use patron_domain::{onboarding::*, testkit::a_scope};
    /// let onboarding = MockOnboardingRepository::empty();
    /// assert_eq!(futures::executor::block_on(onboarding.workflow(&a_scope(), None)), Ok(None));
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self::holding(None)
    }

    /// A store with one workflow and one run of it, which never change: changes are decided and returned, but not kept.
    /// Only their owner sees them, the workflow by its name and by its version. Any engine can claim the run when it is
    /// due, and then holds it.
    ///
    /// ```
    /// # use patron_domain::{onboarding::*, testkit::{a_scope, a_workflow, an_id}};
    /// let workflow = a_workflow();
    /// let run = OnboardingRun::start(workflow.owner, an_id(1), workflow.id, workflow.audit.created_at);
    /// let onboarding = MockOnboardingRepository::with(workflow.clone(), run.clone());
    /// # futures::executor::block_on(async {
    /// assert_eq!(onboarding.workflow(&a_scope(), None).await, Ok(Some(workflow)));
    /// assert_eq!(onboarding.run(&a_scope(), an_id(1)).await, Ok(Some(run)));
    /// # });
    /// ```
    #[must_use]
    pub fn with(workflow: Workflow, run: OnboardingRun) -> Self {
        Self::holding(Some((workflow, run)))
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut onboarding = Self::new();
        onboarding.expect_put_workflow().returning(|_, _, _| Err(unavailable().into()));
        onboarding.expect_workflow().returning(|_, _| Err(unavailable()));
        onboarding.expect_workflow_version().returning(|_, _| Err(unavailable()));
        onboarding.expect_delete_workflow().returning(|_, _, _, _, _| Err(unavailable().into()));
        onboarding.expect_run().returning(|_, _| Err(unavailable()));
        onboarding.expect_runs().returning(|_, _| Err(unavailable()));
        onboarding.expect_amend_run().returning(|_, _, _, _, _| Err(unavailable().into()));
        onboarding.expect_claim_runs().returning(|_, _| Err(unavailable()));
        onboarding.expect_record_run().returning(|_, _| Err(unavailable()));
        onboarding
    }

    fn holding(held: Option<(Workflow, OnboardingRun)>) -> Self {
        let mut onboarding = Self::new();
        let (workflow, run) = held.unzip();
        let one = workflow.clone();
        let of = move |owner| one.clone().filter(|one| one.owner == owner);
        let own = of.clone();
        onboarding.expect_put_workflow().returning(move |scope, put, _| {
            let current = own(scope.owner).filter(|one| one.name == put.name);
            Ok(Done::now(put.decide(scope, current, 0)?.workflow().clone()))
        });
        let own = of.clone();
        onboarding.expect_workflow().returning(move |scope, name| Ok(own(scope.owner).filter(|one| one.name == name)));
        let own = of.clone();
        onboarding
            .expect_workflow_version()
            .returning(move |scope, id| Ok(own(scope.owner).filter(|one| one.id == id)));
        onboarding.expect_delete_workflow().returning(move |scope, name, _, _, _| {
            Ok(of(scope.owner).filter(|one| one.name == name).map(|one| Done::now(one.id)))
        });
        onboarding.runs(run);
        onboarding
    }

    /// Mocks the calls about the run.
    fn runs(&mut self, run: Option<OnboardingRun>) {
        let one = run.clone();
        let of = move |owner| one.clone().filter(|one| one.owner == owner);
        let own = of.clone();
        self.expect_run().returning(move |scope, id| Ok(own(scope.owner).filter(|one| one.customer_id == id)));
        let own = of.clone();
        self.expect_runs().returning(move |scope, query| {
            let wanted = own(scope.owner).filter(|one| {
                query.state.is_none_or(|state| one.state == state)
                    && query.after.is_none_or(|after| one.customer_id > after)
            });
            Ok(wanted.into_iter().take(query.limit.into()).collect())
        });
        self.expect_amend_run().returning(move |scope, id, amendment, at, _| {
            let run = of(scope.owner).filter(|one| one.customer_id == id).ok_or(OnboardingError::UnknownRun)?;
            Ok(Done::now(run.amended(amendment, at)?))
        });
        let one = run.clone();
        self.expect_claim_runs().returning(move |_, claim| {
            let due = one.clone().filter(|run| run.is_due(claim.now) && claim.room_for(run.owner) > 0);
            Ok(due.map(|run| run.held(claim.until)).into_iter().collect())
        });
        self.expect_record_run().returning(move |_, record| {
            let is_it =
                |run: &OnboardingRun| (run.owner, run.customer_id) == (record.run.owner, record.run.customer_id);
            Ok(run.as_ref().is_some_and(is_it))
        });
    }
}

impl MockStepCaller {
    /// Every call gets this status and body at once.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use patron_domain::{MockClock, customer::MockCustomerRepository, ids::*, onboarding::*, testkit::*, webhook::*};
    ///
    /// # futures::executor::block_on(async {
    /// let workflow = a_workflow();
    /// let run = OnboardingRun::start(workflow.owner, an_id(1), workflow.id, a_time());
    /// let engine = OnboardingEngine {
    ///     onboarding: Arc::new(MockOnboardingRepository::with(workflow, run)),
    ///     customers: Arc::new(MockCustomerRepository::empty()),
    ///     caller: Arc::new(MockStepCaller::answering(201, r#"{"id": 4711}"#)),
    ///     vault: Arc::new(MockSecretVault::plain()),
    ///     body: Arc::new(MockWebhookBody::naming_types()),
    ///     clock: Arc::new(MockClock::at(a_time())),
    ///     ids: Arc::new(MockIdGenerator::from_time()),
    ///     randomness: Arc::new(MockRandomness::always([7; 32])),
    ///     breakers: Breakers::default(),
    ///     lease: Duration::from_secs(30),
    /// };
    /// let (holder, runs) = engine.claim(10).await.unwrap();
    /// assert_eq!(runs.len(), 1);
    /// engine.advance(&holder, runs[0].clone()).await.unwrap();
    /// # });
    /// ```
    #[must_use]
    pub fn answering(status: u16, body: &str) -> Self {
        let answer = body.as_bytes().to_vec();
        let mut caller = Self::new();
        caller.expect_call().returning(move |_| Ok(StepAnswer { status, body: answer.clone(), retry_after: None }));
        caller
    }

    /// Every call fails for this reason.
    #[must_use]
    pub fn failing(reason: SendFailure) -> Self {
        let mut caller = Self::new();
        caller.expect_call().returning(move |_| Err(reason));
        caller
    }
}
