//! Changing onboarding workflows and runs over PostgreSQL, each in a transaction.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into, update};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    onboarding::{OnboardingError, OnboardingRun, RunAmendment, RunClaim, RunRecord},
    store::StoreError,
    time::Timestamp,
};

use super::write;
use crate::persistence::{
    error::Failure,
    onboarding::{
        queries,
        run_row::{RunChanges, RunRow, hold},
        workflow_row::WorkflowRow,
    },
    schema::{onboarding_runs, onboarding_workflows},
};

pub(super) struct Put(pub(super) WorkflowRow);

#[async_trait]
impl write::Change for Put {
    type Answer = ();
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<(), Failure<StoreError>> {
        let row = &self.0;
        let before = queries::workflow(&row.tenant_id, &row.environment_id, &row.name);
        update(before).set(queries::retirement()).execute(&mut pg).await?;
        Ok(insert_into(onboarding_workflows::table).values(row).execute(&mut pg).await.map(drop)?)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, (): &()) -> QueryResult<bool> {
        let known = queries::version(&self.0.tenant_id, &self.0.environment_id, &self.0.id).count();
        known.get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

pub(super) struct Delete {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) name: String,
}

#[async_trait]
impl write::Change for Delete {
    type Answer = bool;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<bool, Failure<StoreError>> {
        let named = queries::workflow(&self.tenant, &self.environment, &self.name);
        Ok(update(named).set(queries::retirement()).execute(&mut pg).await? == 1)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, deleted: &bool) -> QueryResult<bool> {
        let left = queries::workflow(&self.tenant, &self.environment, &self.name).count();
        Ok(!deleted || left.get_result::<i64>(&mut pg).await? == 0)
    }
}

pub(super) struct Amend {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) customer: String,
    pub(super) amendment: RunAmendment,
    pub(super) at: Timestamp,
}

#[async_trait]
impl write::Change for Amend {
    type Answer = OnboardingRun;
    type Refusal = OnboardingError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<OnboardingRun, Failure<OnboardingError>> {
        let own = || queries::run(&self.tenant, &self.environment, &self.customer);
        let row = own().for_update().get_result::<RunRow>(&mut pg).await.optional()?;
        let run = row.ok_or(Failure::Refused(OnboardingError::UnknownRun))?;
        let run = OnboardingRun::try_from(run).map_err(|error| Failure::Refused(error.into()))?;
        let run = run.amended(self.amendment, self.at).map_err(|refusal| Failure::Refused(refusal.into()))?;
        update(own()).set(RunChanges::from(&run)).execute(&mut pg).await?;
        Ok(run)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, _: &OnboardingRun) -> QueryResult<bool> {
        let own = queries::run(&self.tenant, &self.environment, &self.customer);
        // An engine may have taken it up meanwhile, which it does later than this.
        let changed = own.filter(onboarding_runs::updated_at.ge(self.at.micros())).count();
        changed.get_result::<i64>(&mut pg).await.map(|count| count == 1)
    }
}

pub(super) struct Claim(pub(super) RunClaim);

#[async_trait]
impl write::Change for Claim {
    type Answer = Vec<OnboardingRun>;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Vec<OnboardingRun>, Failure<StoreError>> {
        // Whoever claims at the same time passes over what is locked here.
        let due = queries::due(self.0.now.micros()).limit(self.0.limit.into());
        let rows: Vec<RunRow> = due.for_update().skip_locked().load(&mut pg).await?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            let record = hold(row, &self.0.holder, self.0.until).map_err(Failure::Refused)?;
            let RunRow { tenant_id, environment_id, customer_id, .. } = RunRow::from(&record.run);
            let own = queries::run(&tenant_id, &environment_id, &customer_id);
            update(own).set(RunChanges::from(&record)).execute(&mut pg).await?;
            runs.push(record.run);
        }
        Ok(runs)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, runs: &Vec<OnboardingRun>) -> QueryResult<bool> {
        let held = onboarding_runs::table.filter(onboarding_runs::due_at.eq(self.0.until.micros()));
        let held = held.filter(onboarding_runs::holder.eq(&self.0.holder)).count();
        Ok(runs.is_empty() || held.get_result::<i64>(&mut pg).await? > 0)
    }
}

pub(super) struct Record(pub(super) RunRecord);

#[async_trait]
impl write::Change for Record {
    type Answer = bool;
    type Refusal = StoreError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<bool, Failure<StoreError>> {
        let RunRow { tenant_id, environment_id, customer_id, .. } = RunRow::from(&self.0.run);
        let held = queries::held(&tenant_id, &environment_id, &customer_id, &self.0.holder);
        Ok(update(held).set(RunChanges::from(&self.0)).execute(&mut pg).await? == 1)
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, written: &bool) -> QueryResult<bool> {
        let row = RunRow::from(&self.0.run);
        let own = queries::run(&row.tenant_id, &row.environment_id, &row.customer_id);
        let same = own.filter(onboarding_runs::updated_at.eq(row.updated_at)).count();
        Ok(!written || same.get_result::<i64>(&mut pg).await? == 1)
    }
}
