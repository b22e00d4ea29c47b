//! The port for onboarding over PostgreSQL: what is asked. About what is changed see `onboarding_changes`.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use patron_domain::{
    idempotency::{CallersClaim, Done, IdempotencyClaim, OnceError},
    ids::{CustomerId, WorkflowId},
    onboarding::{
        OnboardingError, OnboardingRepository, OnboardingRun, PutWorkflow, RunAmendment, RunClaim, RunQuery, RunRecord,
        Workflow, WorkflowName,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{
    PostgresStore, names,
    onboarding_changes::{Amend, Claim, Delete, Put, Record},
};
use crate::persistence::{
    onboarding::{
        queries,
        run_row::RunRow,
        workflow_row::{WorkflowRow, name_column},
    },
    page::decode,
};

#[async_trait]
impl OnboardingRepository for PostgresStore {
    async fn put_workflow(
        &self,
        scope: &EnvironmentScope,
        put: PutWorkflow,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<Workflow>, OnceError> {
        self.write(Put { scope: scope.clone(), put, claim: CallersClaim::within(scope, claim) }).await
    }

    async fn workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
    ) -> Result<Option<Workflow>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let session = self.pool.session().await?;
        let query = queries::workflow(&tenant, &environment, name_column(name.as_ref()));
        let row = async { query.get_result::<WorkflowRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(Workflow::try_from).transpose()
    }

    async fn workflow_version(&self, scope: &EnvironmentScope, id: WorkflowId) -> Result<Option<Workflow>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let session = self.pool.session().await?;
        let query = queries::version(&tenant, &environment, &id);
        let row = async { query.get_result::<WorkflowRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(Workflow::try_from).transpose()
    }

    async fn delete_workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Option<Done<WorkflowId>>, OnceError> {
        let (tenant, environment) = names(scope.owner);
        let (name, claim) = (name_column(name.as_ref()).to_owned(), CallersClaim::within(scope, claim));
        self.write(Delete { tenant, environment, name, at, claim }).await
    }

    async fn run(&self, scope: &EnvironmentScope, customer: CustomerId) -> Result<Option<OnboardingRun>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let customer = customer.to_string();
        let session = self.pool.session().await?;
        let query = queries::run(&tenant, &environment, &customer);
        let row = async { query.get_result::<RunRow>(&mut session.pg()).await.optional() };
        session.answer(row).await?.map(OnboardingRun::try_from).transpose()
    }

    async fn runs(&self, scope: &EnvironmentScope, query: RunQuery) -> Result<Vec<OnboardingRun>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let session = self.pool.session().await?;
        let all = queries::listed!(&tenant, &environment, query);
        decode(session.answer(all.load::<RunRow>(&mut session.pg())).await?)
    }

    async fn amend_run(
        &self,
        scope: &EnvironmentScope,
        customer: CustomerId,
        amendment: RunAmendment,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<OnboardingRun>, OnboardingError> {
        let (tenant, environment) = names(scope.owner);
        let (customer, claim) = (customer.to_string(), CallersClaim::within(scope, claim));
        self.write(Amend { tenant, environment, customer, amendment, at, claim }).await
    }

    async fn claim_runs(&self, _scope: &SystemScope, claim: RunClaim) -> Result<Vec<OnboardingRun>, StoreError> {
        // Mostly there is nothing to do, and that is seen without a transaction that writes.
        let session = self.pool.session().await?;
        let due = queries::due(claim.now.micros()).select(crate::persistence::schema::onboarding_runs::customer_id);
        let found = session.answer(due.limit(1).load::<String>(&mut session.pg())).await?;
        drop(session);
        if found.is_empty() { Ok(Vec::new()) } else { self.write(Claim(claim)).await }
    }

    async fn record_run(&self, _scope: &SystemScope, record: RunRecord) -> Result<bool, StoreError> {
        self.write(Record(record)).await
    }
}
