//! Changing onboarding workflows and runs over PostgreSQL, each in a transaction.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, insert_into, update};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use patron_domain::{
    idempotency::{CallersClaim, Done, OnceError},
    ids::WorkflowId,
    onboarding::{
        OnboardingError, OnboardingRun, PutWorkflow, RunAmendment, RunClaim, RunRecord, Workflow, WorkflowPut,
    },
    store::StoreError,
    tenancy::EnvironmentScope,
    time::Timestamp,
};

use super::{
    idempotency::{keep, kept_before},
    names, write,
};
use crate::persistence::{
    error::Failure,
    idempotency::row::IdempotencyRow,
    onboarding::{
        queries,
        run_row::{RunChanges, RunRow, hold},
        workflow_row::{WorkflowRow, name_column, version_id},
    },
    schema::{onboarding_runs, onboarding_workflows},
};

fn refused<T, E: From<T>>(error: T) -> Failure<E> {
    Failure::Refused(error.into())
}

/// Puts a workflow. Of two that make a version at once, the later one finds its name taken, and is done again.
pub(super) struct Put {
    pub(super) scope: EnvironmentScope,
    pub(super) put: PutWorkflow,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl write::Change for Put {
    type Answer = Done<Workflow>;
    type Refusal = OnceError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<Workflow>, Failure<OnceError>> {
        let (tenant, environment) = names(self.scope.owner);
        let named = || queries::workflow(&tenant, &environment, name_column(self.put.name.as_ref()));
        let current = named().for_update().get_result::<WorkflowRow>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(id) = kept_before::<WorkflowId, OnceError>(pg, claim).await? {
            let id = id.to_string();
            let version = queries::version(&tenant, &environment, &id).get_result::<WorkflowRow>(&mut pg).await?;
            return Ok(Done::before(Workflow::try_from(version).map_err(refused)?));
        }
        let current = current.map(Workflow::try_from).transpose().map_err(refused)?;
        let decided = self.put.clone().decide(&self.scope, current);
        let workflow = decided.workflow().clone();
        let record = IdempotencyRow::kept(claim, &workflow.id, self.put.at).map_err(refused)?;
        keep(pg, claim, record.as_ref()).await?;
        if let WorkflowPut::New(new) = &decided {
            update(named()).set(queries::retirement()).execute(&mut pg).await?;
            insert_into(onboarding_workflows::table).values(WorkflowRow::from(new)).execute(&mut pg).await?;
        }
        Ok(Done::now(workflow))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, put: &Done<Workflow>) -> QueryResult<bool> {
        let (tenant, environment) = names(self.scope.owner);
        let id = put.value.id.to_string();
        let known = queries::version(&tenant, &environment, &id).count();
        Ok(put.replayed || known.get_result::<i64>(&mut pg).await? == 1)
    }
}

pub(super) struct Delete {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) name: String,
    pub(super) at: Timestamp,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl write::Change for Delete {
    type Answer = Option<Done<WorkflowId>>;
    type Refusal = OnceError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Option<Done<WorkflowId>>, Failure<OnceError>> {
        let named = || queries::workflow(&self.tenant, &self.environment, &self.name);
        let id =
            named().for_update().select(onboarding_workflows::id).get_result::<String>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(deleted) = kept_before(pg, claim).await? {
            return Ok(Some(Done::before(deleted)));
        }
        let Some(id) = id else { return Ok(None) };
        let id = version_id(&id).map_err(refused)?;
        let record = IdempotencyRow::kept(claim, &id, self.at).map_err(refused)?;
        keep(pg, claim, record.as_ref()).await?;
        update(named()).set(queries::retirement()).execute(&mut pg).await?;
        Ok(Some(Done::now(id)))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, deleted: &Option<Done<WorkflowId>>) -> QueryResult<bool> {
        let Some(Done { value, replayed: false }) = deleted else { return Ok(true) };
        let id = value.to_string();
        let left = queries::workflow(&self.tenant, &self.environment, &self.name);
        Ok(left.filter(onboarding_workflows::id.eq(id)).count().get_result::<i64>(&mut pg).await? == 0)
    }
}

pub(super) struct Amend {
    pub(super) tenant: String,
    pub(super) environment: String,
    pub(super) customer: String,
    pub(super) amendment: RunAmendment,
    pub(super) at: Timestamp,
    pub(super) claim: Option<CallersClaim>,
}

#[async_trait]
impl write::Change for Amend {
    type Answer = Done<OnboardingRun>;
    type Refusal = OnboardingError;

    async fn write(&self, mut pg: &AsyncPgConnection) -> Result<Done<OnboardingRun>, Failure<OnboardingError>> {
        let own = || queries::run(&self.tenant, &self.environment, &self.customer);
        let row = own().for_update().get_result::<RunRow>(&mut pg).await.optional()?;
        let claim = self.claim.as_ref();
        if let Some(run) = kept_before(pg, claim).await? {
            return Ok(Done::before(run));
        }
        let run = row.ok_or(Failure::Refused(OnboardingError::UnknownRun))?;
        let run = OnboardingRun::try_from(run).map_err(refused)?;
        let run = run.amended(self.amendment, self.at).map_err(refused)?;
        let record = IdempotencyRow::kept(claim, &run, self.at).map_err(refused)?;
        keep(pg, claim, record.as_ref()).await?;
        update(own()).set(RunChanges::from(&run)).execute(&mut pg).await?;
        Ok(Done::now(run))
    }

    async fn is_written(&self, mut pg: &AsyncPgConnection, run: &Done<OnboardingRun>) -> QueryResult<bool> {
        let own = queries::run(&self.tenant, &self.environment, &self.customer);
        // An engine may have taken it up meanwhile, which it does later than this.
        let changed = own.filter(onboarding_runs::updated_at.ge(self.at.micros())).count();
        Ok(run.replayed || changed.get_result::<i64>(&mut pg).await? == 1)
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
