//! The port for onboarding over SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::{insert_into, prelude::*, update};
use patron_domain::{
    customer::WorkflowNeeded,
    idempotency::{CallersClaim, Done, IdempotencyClaim, OnceError},
    ids::{CustomerId, WorkflowId},
    lifecycle::Owner,
    onboarding::{
        OnboardingError, OnboardingRepository, OnboardingRun, PutWorkflow, RunAmendment, RunClaim, RunQuery, RunRecord,
        Workflow, WorkflowName, WorkflowPut,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{
    SqliteStore,
    batch::Totals,
    cached::Cached,
    customers::names,
    idempotency::{keep, kept_before},
};
use crate::persistence::{
    error::Failure,
    idempotency::row::IdempotencyRow,
    onboarding::{
        queries,
        run_row::{RunChanges, RunRow, hold},
        workflow_row::{WorkflowRow, name_column, version_id, wanted_name},
    },
    page::decode,
    schema::{onboarding_runs, onboarding_workflows},
};

/// The workflows that the creates of one commit have looked up, so that each is looked up once.
#[derive(Default)]
pub(super) struct Workflows(HashMap<(Owner, String), Option<WorkflowId>>);

impl Workflows {
    /// The version that a change needs; `None` when it needs none, or there is none.
    pub(super) fn find<E: From<StoreError>>(
        &mut self,
        connection: &mut SqliteConnection,
        owner: Owner,
        needed: WorkflowNeeded<'_>,
    ) -> Result<Option<WorkflowId>, Failure<E>> {
        let Some(name) = wanted_name(needed) else { return Ok(None) };
        let key = (owner, name.to_owned());
        if let Some(known) = self.0.get(&key) {
            return Ok(*known);
        }
        let (tenant, environment) = names(owner);
        let id = queries::workflow(&tenant, &environment, name).select(onboarding_workflows::id);
        let id: Option<String> = id.get_result(connection).optional()?;
        let id = id.as_deref().map(version_id).transpose();
        let id = id.map_err(|error| Failure::Refused(error.into()))?;
        self.0.insert(key, id);
        Ok(id)
    }
}

fn refused<T, E: From<T>>(error: T) -> Failure<E> {
    Failure::Refused(error.into())
}

#[async_trait]
impl OnboardingRepository for SqliteStore {
    async fn put_workflow(
        &self,
        scope: &EnvironmentScope,
        put: PutWorkflow,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<Workflow>, OnceError> {
        let (scope, claim) = (scope.clone(), CallersClaim::within(scope, claim));
        let write = move |connection: &mut SqliteConnection, totals: &mut Totals| {
            let (tenant, environment) = names(scope.owner);
            if let Some(id) = kept_before::<WorkflowId, OnceError>(connection, claim.as_ref())? {
                let version =
                    queries::version(&tenant, &environment, &id.to_string()).get_result::<WorkflowRow>(connection)?;
                return Ok(Done::before(Workflow::try_from(version).map_err(refused)?));
            }
            let named = || queries::workflow(&tenant, &environment, name_column(put.name.as_ref()));
            let current: Option<WorkflowRow> = named().get_result(connection).optional()?;
            let current = current.map(Workflow::try_from).transpose().map_err(refused)?;
            let decided = put.clone().decide(&scope, current);
            let workflow = decided.workflow().clone();
            let record = IdempotencyRow::kept(claim.as_ref(), &workflow.id, put.at).map_err(refused)?;
            if let WorkflowPut::New(new) = &decided {
                totals.workflows = Workflows::default();
                update(named()).set(queries::retirement()).execute(connection)?;
                insert_into(onboarding_workflows::table).values(WorkflowRow::from(new)).execute(connection)?;
            }
            keep(connection, record.as_ref())?;
            Ok(Done::now(workflow))
        };
        self.writer.write_logged(write).await
    }

    async fn workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
    ) -> Result<Option<Workflow>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let query = move |connection: &mut SqliteConnection| {
            let named = queries::workflow(&tenant, &environment, name_column(name.as_ref()));
            named.get_result::<WorkflowRow>(connection).optional()
        };
        self.readers.read(query).await?.map(Workflow::try_from).transpose()
    }

    async fn workflow_version(&self, scope: &EnvironmentScope, id: WorkflowId) -> Result<Option<Workflow>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let id = id.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::version(&tenant, &environment, &id).get_result::<WorkflowRow>(connection).optional()
        };
        self.readers.read(query).await?.map(Workflow::try_from).transpose()
    }

    async fn delete_workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Option<Done<WorkflowId>>, OnceError> {
        let (tenant, environment) = names(scope.owner);
        let claim = CallersClaim::within(scope, claim);
        let delete = move |connection: &mut SqliteConnection, totals: &mut Totals| {
            if let Some(deleted) = kept_before(connection, claim.as_ref())? {
                return Ok(Some(Done::before(deleted)));
            }
            let named = || queries::workflow(&tenant, &environment, name_column(name.as_ref()));
            let id: Option<String> = named().select(onboarding_workflows::id).get_result(connection).optional()?;
            let Some(id) = id else { return Ok(None) };
            let id = version_id(&id).map_err(refused)?;
            let record = IdempotencyRow::kept(claim.as_ref(), &id, at).map_err(refused)?;
            totals.workflows = Workflows::default();
            update(named()).set(queries::retirement()).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Some(Done::now(id)))
        };
        self.writer.write_logged(delete).await
    }

    async fn run(&self, scope: &EnvironmentScope, customer: CustomerId) -> Result<Option<OnboardingRun>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let customer = customer.to_string();
        let query = move |connection: &mut SqliteConnection| {
            queries::run(&tenant, &environment, &customer).get_result::<RunRow>(connection).optional()
        };
        self.readers.read(query).await?.map(OnboardingRun::try_from).transpose()
    }

    async fn runs(&self, scope: &EnvironmentScope, query: RunQuery) -> Result<Vec<OnboardingRun>, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let load = move |connection: &mut SqliteConnection| {
            queries::listed!(&tenant, &environment, query).load::<RunRow>(connection)
        };
        decode(self.readers.read(load).await?)
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
        let amend = move |connection: &mut SqliteConnection| {
            if let Some(run) = kept_before(connection, claim.as_ref())? {
                return Ok(Done::before(run));
            }
            let own = || queries::run(&tenant, &environment, &customer);
            let row: Option<RunRow> = own().get_result(connection).optional()?;
            let run = row.ok_or(Failure::Refused(OnboardingError::UnknownRun))?;
            let run = OnboardingRun::try_from(run).map_err(refused)?;
            let run = run.amended(amendment, at).map_err(refused)?;
            let record = IdempotencyRow::kept(claim.as_ref(), &run, at).map_err(refused)?;
            Cached(update(own()).set(RunChanges::from(&run))).execute(connection)?;
            keep(connection, record.as_ref())?;
            Ok(Done::now(run))
        };
        self.writer.write(amend).await
    }

    async fn claim_runs(&self, _scope: &SystemScope, claim: RunClaim) -> Result<Vec<OnboardingRun>, StoreError> {
        let (now, limit) = (claim.now.micros(), i64::from(claim.limit));
        // Mostly there is nothing to do, and a reader sees that without making the writer commit.
        let find = move |connection: &mut SqliteConnection| {
            queries::due(now).select(onboarding_runs::customer_id).limit(1).load::<String>(connection)
        };
        if self.readers.read(find).await?.is_empty() {
            return Ok(Vec::new());
        }
        let take = move |connection: &mut SqliteConnection| {
            // One writer works over a file, so nobody else claims meanwhile.
            let rows: Vec<RunRow> = queries::due(now).limit(limit).load(connection)?;
            let holds = rows.into_iter().map(|row| hold(row, &claim.holder, claim.until));
            let held: Vec<RunRecord> = holds.collect::<Result<_, _>>().map_err(Failure::Refused)?;
            for record in &held {
                let RunRow { tenant_id, environment_id, customer_id, .. } = RunRow::from(&record.run);
                let own = queries::run(&tenant_id, &environment_id, &customer_id);
                Cached(update(own).set(RunChanges::from(record))).execute(connection)?;
            }
            Ok(held.into_iter().map(|record| record.run).collect())
        };
        self.writer.write::<_, StoreError, _>(take).await
    }

    async fn record_run(&self, _scope: &SystemScope, record: RunRecord) -> Result<bool, StoreError> {
        let write = move |connection: &mut SqliteConnection| {
            let RunRow { tenant_id, environment_id, customer_id, .. } = RunRow::from(&record.run);
            let held = queries::held(&tenant_id, &environment_id, &customer_id, &record.holder);
            Ok(Cached(update(held).set(RunChanges::from(&record))).execute(connection)? == 1)
        };
        self.writer.write(write).await
    }
}
