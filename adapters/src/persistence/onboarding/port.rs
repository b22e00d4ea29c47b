//! The port for onboarding.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use diesel::QueryResult;
use futures_util::FutureExt;
use patron_domain::{
    audit::Act,
    idempotency::{CallersClaim, Done, IdempotencyClaim},
    ids::{CustomerId, WorkflowId},
    lifecycle::Precondition,
    onboarding::{
        OnboardingError, OnboardingRepository, OnboardingRun, PutWorkflow, RunAmendment, RunClaim, RunQuery, RunRecord,
        Workflow, WorkflowName, WorkflowPut,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

use super::row::{RunRow, WorkflowRow, name_column};
use crate::persistence::{
    audit::Auditing,
    author::Author,
    engine::{Decision, Pace},
    error::{Failure, refused},
    idempotency::{self, Before, Once},
    party::Party,
    store::Store,
    unit::Reads,
    value::Key,
    writes::Writes,
};

/// The requested number of runs, in total and by environment.
struct Share {
    limit: usize,
    most_of_one: usize,
    /// The number of runs of an environment that are in progress.
    under_way: HashMap<i32, u16>,
}

impl Share {
    fn room_for(&self, environment: i32) -> usize {
        let under_way = self.under_way.get(&environment).copied().unwrap_or_default();
        self.most_of_one.saturating_sub(under_way.into())
    }

    /// Due runs, by environment. If one environment has more than its share, the next search leaves it out.
    async fn due(&self, unit: &dyn Reads, now: i64) -> QueryResult<BTreeMap<i32, Vec<Key>>> {
        let mut open = unit.environments_awake().await?;
        open.retain(|environment| self.room_for(*environment) > 0);
        let mut full: BTreeMap<i32, Vec<Key>> = BTreeMap::new();
        loop {
            let left = self.limit - full.values().map(Vec::len).sum::<usize>();
            if left == 0 || open.is_empty() {
                return Ok(full);
            }
            let mut found: BTreeMap<i32, Vec<Key>> = BTreeMap::new();
            for (environment, customer) in unit.due_runs(&open, now, i64::try_from(left).unwrap_or(i64::MAX)).await? {
                found.entry(environment).or_default().push(customer);
            }
            let (mut over, within): (BTreeMap<_, _>, BTreeMap<_, _>) =
                found.into_iter().partition(|(environment, runs)| runs.len() > self.room_for(*environment));
            if over.is_empty() {
                full.extend(within);
                return Ok(full);
            }
            open.retain(|environment| !over.contains_key(environment));
            for (environment, runs) in &mut over {
                runs.truncate(self.room_for(*environment));
            }
            full.extend(over);
        }
    }
}

#[async_trait]
impl OnboardingRepository for Store {
    async fn put_workflow(
        &self,
        scope: &EnvironmentScope,
        put: PutWorkflow,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<Workflow>, OnboardingError> {
        let environment = self.environment_to_write(&scope.origin, scope.owner).await?;
        let once = Once::of(self, CallersClaim::within(scope, claim)).await?;
        let auditing = Auditing::of(self, scope).await?;
        let scope = scope.clone();
        let work = self.write(Author::from(&scope), environment, move |unit| {
            let (scope, put, once, auditing) = (scope.clone(), put.clone(), once.clone(), auditing.clone());
            let work = async move {
                let row = unit.lock_workflow(environment, name_column(put.name.as_ref())).await?;
                let keeping = match idempotency::before::<WorkflowId, OnboardingError>(unit, once.as_ref()).await? {
                    Before::Free(keeping) => keeping,
                    Before::Done(id) => {
                        let version = unit.workflow_version(environment, id.into()).await?;
                        let version = version.ok_or(diesel::result::Error::NotFound)?;
                        let workflow = version.workflow(scope.owner).map_err(refused)?;
                        return Ok(Decision::nothing(Done::before(workflow)));
                    }
                };
                let current = row.as_ref().map(|row| row.workflow(scope.owner)).transpose().map_err(refused)?;
                let at = put.at;
                let count = match current.is_none() && put.quota.is_limited() {
                    true => unit.count_workflows(environment).await?,
                    false => 0,
                };
                let count = u64::try_from(count).unwrap_or_default();
                let decided = put.decide(&scope, current.clone(), count).map_err(refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                auditing.note(&mut writes, Act::workflow_put(current.as_ref(), decided.workflow()), at);
                if let WorkflowPut::New(new) = &decided {
                    writes.workflows.extend(row.map(WorkflowRow::retired));
                    writes.new_workflows.push(WorkflowRow::new(environment, new));
                }
                let workflow = decided.workflow().clone();
                keeping.answer(&mut writes, &workflow.id, at);
                Ok::<_, Failure<OnboardingError>>(Decision { answer: Done::now(workflow), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
    ) -> Result<Option<Workflow>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let read = self.read(Pace::LookUp, move |unit| {
            async move { unit.workflow(environment, name_column(name.as_ref())).await }.boxed()
        });
        read.await?.map(|row| row.workflow(scope.owner)).transpose()
    }

    async fn workflow_version(&self, scope: &EnvironmentScope, id: WorkflowId) -> Result<Option<Workflow>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.workflow_version(environment, id.into()).boxed()).await?;
        row.map(|row| row.workflow(scope.owner)).transpose()
    }

    async fn delete_workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Option<Done<WorkflowId>>, OnboardingError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let once = Once::of(self, CallersClaim::within(scope, claim)).await?;
        let auditing = Auditing::of(self, scope).await?;
        let owner = scope.owner;
        let work = self.write(Author::from(scope), environment, move |unit| {
            let (name, once, auditing) = (name.clone(), once.clone(), auditing.clone());
            let only_if = only_if.clone();
            let work = async move {
                let row = unit.lock_workflow(environment, name_column(name.as_ref())).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(deleted) => return Ok(Decision::nothing(Some(Done::before(deleted)))),
                    Before::Free(keeping) => keeping,
                };
                let Some(row) = row else { return Ok(Decision::nothing(None)) };
                let version = row.workflow(owner).map_err(refused)?.audit.version();
                only_if.check(Some(version)).map_err(refused)?;
                let id: WorkflowId = row.id.id();
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                writes.workflows.push(row.retired());
                auditing.note(&mut writes, Act::workflow_deleted(id), at);
                keeping.answer(&mut writes, &id, at);
                Ok::<_, Failure<OnboardingError>>(Decision { answer: Some(Done::now(id)), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn run(&self, scope: &EnvironmentScope, customer: CustomerId) -> Result<Option<OnboardingRun>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(None) };
        let row = self.read(Pace::LookUp, move |unit| unit.run(environment, customer.into()).boxed()).await?;
        row.map(|row| row.run(scope.owner)).transpose()
    }

    async fn runs(&self, scope: &EnvironmentScope, query: RunQuery) -> Result<Vec<OnboardingRun>, StoreError> {
        let Some(environment) = self.environment(scope.owner).await? else { return Ok(Vec::new()) };
        let read =
            self.read(Pace::list(environment), move |unit| async move { unit.runs(environment, &query).await }.boxed());
        read.await?.iter().map(|row| row.run(scope.owner)).collect()
    }

    async fn amend_run(
        &self,
        scope: &EnvironmentScope,
        customer: CustomerId,
        amendment: RunAmendment,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<OnboardingRun>, OnboardingError> {
        let environment = self.environment(scope.owner).await?.ok_or(OnboardingError::UnknownRun)?;
        let once = Once::of(self, CallersClaim::within(scope, claim)).await?;
        let owner = scope.owner;
        let work = self.write(Author::from(scope), environment, move |unit| {
            let once = once.clone();
            let work = async move {
                let row = unit.lock_run(environment, customer.into()).await?;
                let keeping = match idempotency::before(unit, once.as_ref()).await? {
                    Before::Done(run) => return Ok(Decision::nothing(Done::before(run))),
                    Before::Free(keeping) => keeping,
                };
                let row = row.ok_or(Failure::Refused(OnboardingError::UnknownRun))?;
                let run = row.run(owner).map_err(refused)?.amended(amendment, at).map_err(refused)?;
                let mut writes = Writes { marked: Some(environment), ..Writes::default() };
                writes.runs.push(RunRow::new(environment, &run));
                keeping.answer_about(&mut writes, customer.into(), &run, at);
                Ok(Decision { answer: Done::now(run), writes })
            };
            work.boxed()
        });
        work.await
    }

    async fn claim_runs(&self, _scope: &SystemScope, claim: RunClaim) -> Result<Vec<OnboardingRun>, StoreError> {
        let now = claim.now.micros();
        let mut under_way = HashMap::new();
        for (owner, runs) in &claim.under_way {
            if let Some(environment) = self.environment(*owner).await? {
                under_way.insert(environment, *runs);
            }
        }
        let share = Share { limit: claim.limit.into(), most_of_one: claim.most_of_one.into(), under_way };
        // Usually there is nothing to do, and no transaction is needed to find out.
        let found = self.read(Pace::list(Party::System), move |unit| async move { share.due(unit, now).await }.boxed());
        let by_environment = found.await?;
        if by_environment.is_empty() {
            return Ok(Vec::new());
        }
        let owners = self.owners_of(by_environment.keys().copied()).await?;
        let mut claimed = Vec::new();
        for (environment, customers) in by_environment {
            let Some(owner) = owners.get(&environment).copied() else { continue };
            let (holder, until) = (claim.holder.clone(), claim.until);
            let take = self.write(Author::system(), Party::System, move |unit| {
                let (customers, holder) = (customers.clone(), holder.clone());
                let take = async move {
                    let (mut runs, mut writes) = (Vec::new(), Writes::default());
                    for row in unit.lock_runs(environment, &customers).await? {
                        // Another server may have changed it since the read.
                        if row.due_at.is_some_and(|at| at <= now) {
                            let run = row.run(owner).map_err(Failure::Refused)?.held(until);
                            writes.runs.push(RunRow { holder: Some(holder.clone()), ..RunRow::new(environment, &run) });
                            runs.push(run);
                        }
                    }
                    Ok::<_, Failure<StoreError>>(Decision { answer: runs, writes })
                };
                take.boxed()
            });
            claimed.extend(take.await?);
        }
        Ok(claimed)
    }

    async fn record_run(&self, _scope: &SystemScope, record: RunRecord) -> Result<bool, StoreError> {
        let Some(environment) = self.environment(record.run.owner).await? else { return Ok(false) };
        let write = self.write(Author::system(), environment, move |unit| {
            let RunRecord { run, holder, keep_until } = record.clone();
            let write = async move {
                let row = unit.lock_run(environment, run.customer_id.into()).await?;
                if row.is_none_or(|row| row.holder.as_deref() != Some(holder.as_str())) {
                    return Ok(Decision::nothing(false));
                }
                let run = OnboardingRun { due_at: keep_until.or(run.due_at), ..run };
                let row = RunRow { holder: keep_until.map(|_| holder), ..RunRow::new(environment, &run) };
                let writes = Writes { runs: vec![row], ..Writes::default() };
                Ok::<_, Failure<StoreError>>(Decision { answer: true, writes })
            };
            write.boxed()
        });
        write.await
    }
}
