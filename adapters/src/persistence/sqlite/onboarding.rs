//! The port for onboarding over SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::{insert_into, prelude::*, update};
use patron_domain::{
    customer::{WorkflowName, WorkflowNeeded},
    ids::{CustomerId, WorkflowId},
    lifecycle::Owner,
    onboarding::{
        OnboardingError, OnboardingRepository, OnboardingRun, RunAmendment, RunClaim, RunQuery, RunRecord, Workflow,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::{SqliteStore, batch::Totals, cached::Cached, customers::names};
use crate::persistence::{
    column::RowName,
    error::Failure,
    onboarding::{
        queries,
        run_row::{RunChanges, RunRow, hold},
        workflow_row::{WorkflowRow, name_column, wanted_name},
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
        let named = RowName { table: "onboarding_workflows", id: id.as_deref().unwrap_or_default() };
        let id = named.nullable("id", id.as_deref(), WorkflowId::parse);
        let id = id.map_err(|error| Failure::Refused(error.into()))?;
        self.0.insert(key, id);
        Ok(id)
    }
}

#[async_trait]
impl OnboardingRepository for SqliteStore {
    async fn put_workflow(&self, scope: &EnvironmentScope, workflow: Workflow) -> Result<(), StoreError> {
        let row = WorkflowRow::from(&Workflow { owner: scope.owner, ..workflow });
        let put = move |connection: &mut SqliteConnection, totals: &mut Totals| {
            totals.workflows = Workflows::default();
            let before = queries::workflow(&row.tenant_id, &row.environment_id, &row.name);
            update(before).set(queries::retirement()).execute(connection)?;
            Ok(insert_into(onboarding_workflows::table).values(&row).execute(connection).map(drop)?)
        };
        self.writer.write_logged(put).await
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

    async fn delete_workflow(&self, scope: &EnvironmentScope, name: Option<WorkflowName>) -> Result<bool, StoreError> {
        let (tenant, environment) = names(scope.owner);
        let delete = move |connection: &mut SqliteConnection, totals: &mut Totals| {
            totals.workflows = Workflows::default();
            let named = queries::workflow(&tenant, &environment, name_column(name.as_ref()));
            Ok(update(named).set(queries::retirement()).execute(connection)? == 1)
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
    ) -> Result<OnboardingRun, OnboardingError> {
        let (tenant, environment) = names(scope.owner);
        let customer = customer.to_string();
        let amend = move |connection: &mut SqliteConnection| {
            let own = || queries::run(&tenant, &environment, &customer);
            let row: Option<RunRow> = own().get_result(connection).optional()?;
            let run = row.ok_or(Failure::Refused(OnboardingError::UnknownRun))?;
            let run = OnboardingRun::try_from(run).map_err(|error| Failure::Refused(error.into()))?;
            let run = run.amended(amendment, at).map_err(|refusal| Failure::Refused(refusal.into()))?;
            Cached(update(own()).set(RunChanges::from(&run))).execute(connection)?;
            Ok(run)
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
