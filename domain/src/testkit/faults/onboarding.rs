//! The onboarding port with faults.

use async_trait::async_trait;

use super::Faulty;
use crate::{
    idempotency::{Done, IdempotencyClaim},
    ids::{CustomerId, WorkflowId},
    lifecycle::Precondition,
    onboarding::{
        OnboardingError, OnboardingRepository, OnboardingRun, PutWorkflow, RunAmendment, RunClaim, RunQuery, RunRecord,
        Workflow, WorkflowName,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

#[async_trait]
impl<P: OnboardingRepository + ?Sized> OnboardingRepository for Faulty<P> {
    async fn put_workflow(
        &self,
        scope: &EnvironmentScope,
        put: PutWorkflow,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<Workflow>, OnboardingError> {
        self.call(self.port.put_workflow(scope, put, claim)).await
    }

    async fn workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
    ) -> Result<Option<Workflow>, StoreError> {
        self.call(self.port.workflow(scope, name)).await
    }

    async fn workflow_version(&self, scope: &EnvironmentScope, id: WorkflowId) -> Result<Option<Workflow>, StoreError> {
        self.call(self.port.workflow_version(scope, id)).await
    }

    async fn delete_workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Option<Done<WorkflowId>>, OnboardingError> {
        self.call(self.port.delete_workflow(scope, name, at, only_if, claim)).await
    }

    async fn run(&self, scope: &EnvironmentScope, customer: CustomerId) -> Result<Option<OnboardingRun>, StoreError> {
        self.call(self.port.run(scope, customer)).await
    }

    async fn runs(&self, scope: &EnvironmentScope, query: RunQuery) -> Result<Vec<OnboardingRun>, StoreError> {
        self.call(self.port.runs(scope, query)).await
    }

    async fn amend_run(
        &self,
        scope: &EnvironmentScope,
        customer: CustomerId,
        amendment: RunAmendment,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<OnboardingRun>, OnboardingError> {
        self.call(self.port.amend_run(scope, customer, amendment, at, claim)).await
    }

    async fn claim_runs(&self, scope: &SystemScope, claim: RunClaim) -> Result<Vec<OnboardingRun>, StoreError> {
        self.call(self.port.claim_runs(scope, claim)).await
    }

    async fn record_run(&self, scope: &SystemScope, record: RunRecord) -> Result<bool, StoreError> {
        self.call(self.port.record_run(scope, record)).await
    }
}
