//! Onboarding: versions of workflows, and runs that begin with their customers and have one holder at a time.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    Report,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::ChangeCustomerError,
    idempotency::Done,
    ids::{CustomerId, WorkflowId},
    integration::ProviderEntityId,
    onboarding::{
        OnboardingError, OnboardingRun, PutWorkflow, RunAmendment, RunClaim, RunQuery, RunRecord, RunRefusal, RunState,
        StepFailure, StepOutcome, Steps, Workflow, WorkflowName, WorkflowSecret,
    },
    tenancy::{EnvironmentScope, Quota, QuotaReached, Quoted, SystemScope},
    testkit::{a_call, a_customer, a_workflow},
    time::Timestamp,
    webhook::SealedSecret,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "onboarding: a workflow is read back, replaced and deleted, and its versions stay",
        versions(world).await,
    );
    report.note(
        "onboarding.put_workflow: only a different workflow is a new version, and the secret stays",
        kept(world).await,
    );
    report.note("onboarding.put_workflow: a quota limits the names", limited(world).await);
    report.note("onboarding: other scopes neither see nor change workflows and runs", isolated(world).await);
    report.note("onboarding: a create begins a run of its workflow, if any", begun(world).await);
    report.note("onboarding: an unknown workflow is refused, and the refusal leaves nothing", unknown(world).await);
    report.note("onboarding: each create of a batch sees the current workflow", in_order(world).await);
    report.note("onboarding.claim_runs: due runs are leased to one holder at a time", claimed(world).await);
    report.note("onboarding.record_run: only the holder of a run can record it", recorded(world).await);
    report.note("onboarding.amend_run: follows the run's state, and ends its lease", amended(world).await);
    report.note(
        "onboarding.runs: filtered by state, in the order of their customers, continued by id",
        listed(world).await,
    );
}

const LEASE: Duration = Duration::from_secs(3_600);

fn name(text: &str) -> Result<Option<WorkflowName>, String> {
    WorkflowName::new(text).or_say("making a name").map(Some)
}

/// A workflow of a call, alone or with a link. It has its own secret, which is used if there is none to keep or a new
/// one is requested.
pub(super) fn a_put(world: &World<'_>, name: Option<WorkflowName>, another_secret: bool) -> PutWorkflow {
    let id = world.id();
    let secret = WorkflowSecret { id, sealed: SealedSecret::from_sealed(format!("the sealed secret of {id}")) };
    let (steps, quota) = (a_workflow().steps, Quota::UNLIMITED);
    PutWorkflow {
        name,
        steps,
        another_secret,
        id: world.id(),
        secret,
        at: world.now(),
        quota,
        only_if: Default::default(),
    }
}

async fn limited(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let one = |name, quota| PutWorkflow { quota: Quota::of(quota), ..a_put(world, name, true) };
    put_so(world, &scope, one(name("first")?, 1)).await?;
    put_so(world, &scope, one(name("first")?, 1)).await?;
    let second = world.ports.onboarding.put_workflow(&scope, one(name("second")?, 1), None).await.map(drop);
    let reached = QuotaReached { what: Quoted::Workflows, max: 1 };
    same("a second name within a quota of one", &second, &Err(reached.into()))?;
    put_so(world, &scope, one(name("second")?, 2)).await?;
    let deleted =
        world.ports.onboarding.delete_workflow(&scope, name("first")?, world.now(), Default::default(), None).await;
    holds(deleted.or_say("onboarding.delete_workflow")?.is_some(), || "it is not deleted".to_owned())?;
    put_so(world, &scope, one(None, 2)).await.map(drop)
}

async fn put_so(world: &World<'_>, scope: &EnvironmentScope, put: PutWorkflow) -> Result<Workflow, String> {
    let done = world.ports.onboarding.put_workflow(scope, put, None).await.or_say("onboarding.put_workflow")?;
    holds(!done.replayed, || "a new workflow is marked as replayed".to_owned())?;
    Ok(done.value)
}

/// Puts another version of a workflow.
async fn put(world: &World<'_>, scope: &EnvironmentScope, name: Option<WorkflowName>) -> Result<Workflow, String> {
    put_so(world, scope, a_put(world, name, true)).await
}

/// Deletes the default workflow of a scope's environment.
async fn delete(world: &World<'_>, scope: &EnvironmentScope) -> Result<Option<Done<WorkflowId>>, String> {
    world
        .ports
        .onboarding
        .delete_workflow(scope, None, world.now(), Default::default(), None)
        .await
        .or_say("onboarding.delete_workflow")
}

async fn run(world: &World<'_>, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<OnboardingRun>, String> {
    world.ports.onboarding.run(scope, id).await.or_say("onboarding.run")
}

/// A customer with a run that was due at its creation.
async fn begin(world: &World<'_>, scope: &EnvironmentScope, external_id: &str) -> Result<OnboardingRun, String> {
    let event = world.created(scope, a_customer(external_id)).await?;
    run(world, scope, event.state.customer.id).await?.ok_or_else(|| "the create did not begin a run".to_owned())
}

/// Claims runs for a holder. Runs of other environments in the database are left out.
async fn claim(
    world: &World<'_>,
    scope: &EnvironmentScope,
    holder: &str,
    now: Timestamp,
) -> Result<Vec<OnboardingRun>, String> {
    let (holder, until) = (holder.to_owned(), now.later(LEASE));
    let claim = RunClaim { holder, now, until, limit: 1_000, most_of_one: 1_000, under_way: Vec::new() };
    let claimed = world.ports.onboarding.claim_runs(&SystemScope::patron(), claim).await;
    let claimed = claimed.or_say("onboarding.claim_runs")?;
    Ok(claimed.into_iter().filter(|run| run.owner == scope.owner).collect())
}

async fn record(
    world: &World<'_>,
    run: &OnboardingRun,
    holder: &str,
    keep_until: Option<Timestamp>,
) -> Result<bool, String> {
    let record = RunRecord { run: run.clone(), holder: holder.to_owned(), keep_until };
    world.ports.onboarding.record_run(&SystemScope::patron(), record).await.or_say("onboarding.record_run")
}

async fn versions(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let ports = &world.ports.onboarding;
    let find = async |name: Option<WorkflowName>| ports.workflow(&scope, name).await.or_say("onboarding.workflow");
    same("no workflow", &find(None).await?, &None)?;
    let named = put(world, &scope, name("welcome")?).await?;
    let first = put(world, &scope, None).await?;
    same("the default", &find(None).await?, &Some(first.clone()))?;
    same("the named one", &find(name("welcome")?).await?, &Some(named))?;
    let second = put(world, &scope, None).await?;
    same("the default, replaced", &find(None).await?, &Some(second.clone()))?;
    let deleted = (delete(world, &scope).await?, delete(world, &scope).await?);
    same("deleting twice", &deleted, &(Some(Done::now(second.id)), None))?;
    same("the default, deleted", &find(None).await?, &None)?;
    let version = ports.workflow_version(&scope, first.id).await.or_say("onboarding.workflow_version")?;
    same("the first version", &version, &Some(first))
}

async fn kept(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let first = a_put(world, None, false);
    let wanted = first.clone().decide(&scope, None, 0).or_say("deciding")?.workflow().clone();
    same("the first version", &put_so(world, &scope, first).await?, &wanted)?;
    same("the same once more", &put_so(world, &scope, a_put(world, None, false)).await?, &wanted)?;
    let steps = Steps::new(vec![a_call("https://other.example")], "").or_say("making steps")?;
    let other = PutWorkflow { steps, ..a_put(world, None, false) };
    let changed = put_so(world, &scope, other.clone()).await?;
    same("the different steps", &(changed.id, &changed.steps), &(other.id, &other.steps))?;
    same("their secret", &changed.secret, &wanted.secret)?;
    let another = PutWorkflow { another_secret: true, ..a_put(world, None, true) };
    same("the new secret", &put_so(world, &scope, another.clone()).await?.secret, &another.secret)?;
    let found = world.ports.onboarding.workflow(&scope, None).await.or_say("onboarding.workflow")?;
    same("the workflow that is found", &found.map(|found| found.id), &Some(another.id))
}

async fn isolated(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    let workflow = put(world, here, None).await?;
    let run = begin(world, here, "acme").await?;
    let ports = &world.ports.onboarding;
    for (where_, scope) in neighbours.elsewhere() {
        let found = ports.workflow(&scope, None).await.or_say("workflow")?.is_some()
            || ports.workflow_version(&scope, workflow.id).await.or_say("workflow_version")?.is_some()
            || delete(world, &scope).await?.is_some()
            || ports.run(&scope, run.customer_id).await.or_say("run")?.is_some()
            || !ports.runs(&scope, RunQuery { limit: 9, ..RunQuery::default() }).await.or_say("runs")?.is_empty();
        holds(!found, || format!("{where_} sees a workflow or run"))?;
        let cancelled = ports.amend_run(&scope, run.customer_id, RunAmendment::Cancel, world.now(), None).await;
        same(where_, &cancelled, &Err(OnboardingError::UnknownRun))?;
    }
    same("the run", &self::run(world, here, run.customer_id).await?, &Some(run))
}

async fn begun(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let plain = world.created(&scope, a_customer("plain")).await?.state.customer.id;
    same("without a workflow", &run(world, &scope, plain).await?, &None)?;
    let default = put(world, &scope, None).await?;
    let named = put(world, &scope, name("welcome")?).await?;
    let workflow = async |id: CustomerId| Ok::<_, String>(run(world, &scope, id).await?.map(|run| run.workflow_id));
    let created = world.created(&scope, a_customer("a")).await?;
    let wanted = OnboardingRun::start(scope.owner, created.state.customer.id, default.id, created.at);
    same("the run", &run(world, &scope, created.state.customer.id).await?, &Some(wanted))?;
    let b = world.created(&scope, a_customer("b").onboarded_by("welcome")).await?.state.customer.id;
    same("the named workflow's", &workflow(b).await?, &Some(named.id))?;
    let c = world.created(&scope, a_customer("c").skipping_onboarding()).await?.state.customer.id;
    same("a create that skips it", &workflow(c).await?, &None)
}

async fn unknown(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    put(world, &scope, None).await?;
    let refused = world.create(&scope, a_customer("acme").onboarded_by("nowhere")).await;
    let Err(ChangeCustomerError::Invalid(broken)) = refused else {
        return Err(format!("the result was {refused:?}"));
    };
    let paths: Vec<_> = broken.iter().map(|one| one.path.as_str()).collect();
    same("the paths", &paths, &vec!["onboarding_workflow_name"])?;
    holds(world.find_external(&scope, "acme").await?.is_none(), || "the refused customer exists".to_owned())
}

async fn in_order(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    // Creates concurrent with changes of the workflow: every run has a version that existed.
    let creates = join_all((0..20).map(|number| begin_if(world, &scope, format!("c{number}"))));
    let puts = join_all((0..5).map(|_| put(world, &scope, None)));
    let (runs, versions) = futures_util::future::join(creates, puts).await;
    let versions: Vec<WorkflowId> =
        versions.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().map(|one| one.id).collect();
    for run in runs {
        let known = run?.is_none_or(|run| versions.contains(&run.workflow_id));
        holds(known, || "a run has a version that never existed".to_owned())?;
    }
    let last = begin(world, &scope, "last").await?;
    let now = world.ports.onboarding.workflow(&scope, None).await.or_say("onboarding.workflow")?;
    same("the workflow of the last run", &Some(last.workflow_id), &now.map(|workflow| workflow.id))
}

async fn begin_if(
    world: &World<'_>,
    scope: &EnvironmentScope,
    external_id: String,
) -> Result<Option<OnboardingRun>, String> {
    let event = world.created(scope, a_customer(&external_id)).await?;
    run(world, scope, event.state.customer.id).await
}

async fn claimed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    put(world, &scope, None).await?;
    let first = begin(world, &scope, "a").await?;
    let second = begin(world, &scope, "b").await?;
    let now = world.now();
    let holders = ["one", "two", "three", "four"].map(|holder| format!("{holder} {}", first.id()));
    let claims = join_all(holders.iter().map(|holder| claim(world, &scope, holder, now))).await;
    let mut claimed: Vec<OnboardingRun> = claims.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    claimed.sort_by_key(|run| run.customer_id);
    let held = |run: OnboardingRun| OnboardingRun { state: RunState::Running, due_at: Some(now.later(LEASE)), ..run };
    same("the claimed runs", &claimed, &vec![held(first.clone()), held(second)])?;
    let stored = run(world, &scope, first.customer_id).await?;
    same("the stored run", &stored.map(|run| run.state), &Some(RunState::Running))?;
    same("the remaining runs", &claim(world, &scope, "late", now).await?.len(), &0)?;
    let after = now.later(LEASE);
    same("after the holder's lease has ended", &claim(world, &scope, "heir", after).await?.len(), &2)
}

async fn recorded(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let workflow = put(world, &scope, None).await?;
    let begun = begin(world, &scope, "a").await?;
    let (holder, now) = (format!("holder {}", begun.id()), world.now());
    let claimed = claim(world, &scope, &holder, now).await?;
    let held = claimed.first().ok_or("no run was claimed")?.clone();
    let value = ProviderEntityId::new("c-ä-7").or_say("making an id")?;
    let called = held.after(&workflow.steps, StepOutcome::Called(vec![value]), now, 0);
    same("recorded by another holder", &record(world, &called, "somebody else", None).await?, &false)?;
    let until = now.later(LEASE);
    same("recorded by the holder", &record(world, &called, &holder, Some(until)).await?, &true)?;
    let kept = OnboardingRun { due_at: Some(until), ..called.clone() };
    same("the run under the lease", &run(world, &scope, begun.customer_id).await?, &Some(kept))?;
    let failed = called.after(&workflow.steps, StepOutcome::Failed(StepFailure::Status(503)), world.now(), 0);
    same("released", &record(world, &failed, &holder, None).await?, &true)?;
    same("the run that waits", &run(world, &scope, begun.customer_id).await?, &Some(failed.clone()))?;
    same("recorded after the release", &record(world, &failed, &holder, None).await?, &false)?;
    let early = claim(world, &scope, &holder, now).await?;
    same("claimed before it is due", &early.len(), &0)
}

async fn amended(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let workflow = put(world, &scope, None).await?;
    let begun = begin(world, &scope, "a").await?;
    let amend = async |amendment: RunAmendment, at: Timestamp| {
        let amended = world.ports.onboarding.amend_run(&scope, begun.customer_id, amendment, at, None).await;
        amended.map(|done| done.value)
    };
    let retried = amend(RunAmendment::Retry, world.now()).await;
    same("retrying an unfinished run", &retried, &Err(RunRefusal::NotFailed.into()))?;
    let (holder, now) = (format!("holder {}", begun.id()), world.now());
    let claimed = claim(world, &scope, &holder, now).await?;
    let held = claimed.first().ok_or("no run was claimed")?.clone();
    let failed = held.after(&workflow.steps, StepOutcome::Refused(StepFailure::NoValue), now, 0);
    record(world, &failed, &holder, Some(now.later(LEASE))).await?;
    let at = world.now();
    let wanted = failed.clone().amended(RunAmendment::Retry, at).or_say("retrying")?;
    same("the retried run", &amend(RunAmendment::Retry, at).await, &Ok(wanted))?;
    same("recorded by the former holder", &record(world, &failed, &holder, None).await?, &false)?;
    let again = claim(world, &scope, "another", world.now()).await?;
    same("claims of the retried run", &again.len(), &1)?;
    let cancelled = amend(RunAmendment::Cancel, world.now()).await.or_say("cancelling")?;
    same("the cancelled run", &run(world, &scope, begun.customer_id).await?, &Some(cancelled))?;
    let late = claim(world, &scope, "late", world.now().later(LEASE)).await?;
    same("claims of the cancelled run", &late.len(), &0)
}

async fn listed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let workflow = put(world, &scope, None).await?;
    let mut ids = Vec::new();
    for external_id in ["a", "b", "c", "d"] {
        ids.push(begin(world, &scope, external_id).await?.customer_id);
    }
    let holder = format!("holder of {}", scope.owner.environment_id);
    let now = world.now();
    for held in claim(world, &scope, &holder, now).await?.into_iter().filter(|run| run.customer_id != ids[1]) {
        let failed = held.after(&workflow.steps, StepOutcome::Refused(StepFailure::Status(404)), now, 0);
        record(world, &failed, &holder, None).await?;
    }
    let list = async |state: Option<RunState>, after: Option<CustomerId>, limit: u16| {
        let query = RunQuery { state, after, limit };
        let found = world.ports.onboarding.runs(&scope, query).await.or_say("onboarding.runs")?;
        Ok::<_, String>(found.into_iter().map(|run| run.customer_id).collect::<Vec<_>>())
    };
    same("all", &list(None, None, 9).await?, &ids)?;
    same("running", &list(Some(RunState::Running), None, 9).await?, &vec![ids[1]])?;
    same("failed, cut", &list(Some(RunState::Failed), None, 2).await?, &vec![ids[0], ids[2]])?;
    same("failed, read on", &list(Some(RunState::Failed), Some(ids[2]), 2).await?, &vec![ids[3]])
}
