//! The onboarding port in memory.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;

use super::{MemoryStore, Registry};
use crate::{
    audit::Act,
    idempotency::{Done, IdempotencyClaim, Outcome},
    ids::{CustomerId, WorkflowId},
    lifecycle::{Owner, Precondition},
    onboarding::{
        OnboardingError, OnboardingRepository, OnboardingRun, PutWorkflow, RunAmendment, RunClaim, RunQuery, RunRecord,
        Workflow, WorkflowName, WorkflowPut,
    },
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

/// A run and its holder.
#[derive(Clone)]
pub(super) struct StoredRun {
    pub(super) run: OnboardingRun,
    pub(super) holder: Option<String>,
}

fn lost(version: WorkflowId) -> StoreError {
    StoreError::Corrupt { table: "onboarding_workflows", column: "id", row: version.to_string() }
}

#[async_trait]
impl OnboardingRepository for MemoryStore {
    async fn put_workflow(
        &self,
        scope: &EnvironmentScope,
        put: PutWorkflow,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<Workflow>, OnboardingError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if let Some(id) = registry.kept_before::<WorkflowId>(scope.owner, claim.as_ref())? {
            return registry.versions.get(&id).cloned().map(Done::before).ok_or_else(|| lost(id).into());
        }
        let current = registry.workflows.get(&put.name).and_then(|id| registry.versions.get(id)).cloned();
        let at = put.at;
        let put = put.decide(scope, current.clone(), registry.workflows.len() as u64)?;
        let workflow = put.workflow().clone();
        if let WorkflowPut::New(new) = put {
            registry.workflows.insert(new.name.clone(), new.id);
            registry.versions.insert(new.id, new);
        }
        registry.keep(claim.as_ref(), Outcome::kept(&workflow.id), at);
        state.audit(scope, Act::workflow_put(current.as_ref(), &workflow), at);
        Ok(Done::now(workflow))
    }

    async fn workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
    ) -> Result<Option<Workflow>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        Ok(registry.workflows.get(&name).and_then(|id| registry.versions.get(id)).cloned())
    }

    async fn workflow_version(&self, scope: &EnvironmentScope, id: WorkflowId) -> Result<Option<Workflow>, StoreError> {
        Ok(self.lock().registry(scope.owner).versions.get(&id).cloned())
    }

    async fn delete_workflow(
        &self,
        scope: &EnvironmentScope,
        name: Option<WorkflowName>,
        at: Timestamp,
        only_if: Precondition,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Option<Done<WorkflowId>>, OnboardingError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if let Some(deleted) = registry.kept_before(scope.owner, claim.as_ref())? {
            return Ok(Some(Done::before(deleted)));
        }
        let Some(deleted) = registry.workflows.get(&name).copied() else { return Ok(None) };
        only_if.check(registry.versions.get(&deleted).map(|version| version.audit.version()))?;
        registry.workflows.remove(&name);
        registry.keep(claim.as_ref(), Outcome::kept(&deleted), at);
        state.audit(scope, Act::workflow_deleted(deleted), at);
        Ok(Some(Done::now(deleted)))
    }

    async fn run(&self, scope: &EnvironmentScope, customer: CustomerId) -> Result<Option<OnboardingRun>, StoreError> {
        Ok(self.lock().registry(scope.owner).runs.get(&customer).map(|stored| stored.run.clone()))
    }

    async fn runs(&self, scope: &EnvironmentScope, query: RunQuery) -> Result<Vec<OnboardingRun>, StoreError> {
        let mut state = self.lock();
        let runs = state.registry(scope.owner).runs.values().map(|stored| &stored.run);
        let wanted = runs.filter(|run| {
            query.state.is_none_or(|state| run.state == state)
                && query.after.is_none_or(|after| run.customer_id > after)
        });
        Ok(wanted.take(usize::from(query.limit)).cloned().collect())
    }

    async fn amend_run(
        &self,
        scope: &EnvironmentScope,
        customer: CustomerId,
        amendment: RunAmendment,
        at: Timestamp,
        claim: Option<IdempotencyClaim>,
    ) -> Result<Done<OnboardingRun>, OnboardingError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if let Some(run) = registry.kept_before(scope.owner, claim.as_ref())? {
            return Ok(Done::before(run));
        }
        let stored = registry.runs.get_mut(&customer).ok_or(OnboardingError::UnknownRun)?;
        let run = stored.run.clone().amended(amendment, at)?;
        *stored = StoredRun { run: run.clone(), holder: None };
        registry.keep(claim.as_ref(), Outcome::kept(&run), at);
        Ok(Done::now(run))
    }

    async fn claim_runs(&self, _scope: &SystemScope, claim: RunClaim) -> Result<Vec<OnboardingRun>, StoreError> {
        let mut state = self.lock();
        let all = state.awake().flat_map(|registry| registry.runs.values_mut());
        let mut due: Vec<_> = all.filter(|stored| stored.run.is_due(claim.now)).collect();
        due.sort_by_key(|stored| (stored.run.due_at, stored.run.customer_id));
        let (mut claimed, mut taken) = (Vec::new(), HashMap::<Owner, u16>::new());
        for stored in due {
            let of_one = taken.entry(stored.run.owner).or_default();
            if claimed.len() < usize::from(claim.limit) && *of_one < claim.room_for(stored.run.owner) {
                *of_one += 1;
                stored.run = stored.run.clone().held(claim.until);
                stored.holder = Some(claim.holder.clone());
                claimed.push(stored.run.clone());
            }
        }
        Ok(claimed)
    }

    async fn record_run(&self, _scope: &SystemScope, record: RunRecord) -> Result<bool, StoreError> {
        let RunRecord { run, holder, keep_until } = record;
        let mut state = self.lock();
        let found = state.registry(run.owner).runs.get_mut(&run.customer_id);
        let Some(stored) = found.filter(|stored| stored.holder.as_deref() == Some(holder.as_str())) else {
            return Ok(false);
        };
        stored.holder = keep_until.map(|_| holder);
        stored.run = OnboardingRun { due_at: keep_until.or(run.due_at), ..run };
        Ok(true)
    }
}

impl Registry {
    /// The versions of workflows that new customers get.
    pub(super) fn current_workflows(&self) -> BTreeMap<Option<WorkflowName>, Workflow> {
        let current =
            |(name, id): (&Option<WorkflowName>, &WorkflowId)| Some((name.clone(), self.versions.get(id)?.clone()));
        self.workflows.iter().filter_map(current).collect()
    }

    /// The runs that are also among others.
    pub(super) fn changed_runs(&self, others: &BTreeMap<CustomerId, StoredRun>) -> BTreeMap<CustomerId, OnboardingRun> {
        let common = self.runs.iter().filter(|(id, _)| others.contains_key(*id));
        common.map(|(id, stored)| (*id, stored.run.clone())).collect()
    }
}
