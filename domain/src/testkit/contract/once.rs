//! Operations that are done once with an idempotency key: on tax rates, defaults, environments, keys and onboarding.

use futures_util::future::join_all;

use super::{
    Report,
    idempotency::claim,
    onboarding::a_put,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    event::TaxRateEvent,
    idempotency::{
        Answer as Kept, CallersClaim, Done, Fingerprint, IdempotencyClaim, IdempotencyKeyReused, KeptAnswer,
        Outcome as Came,
    },
    ids::{CustomerId, TaxRateId, WorkflowId},
    lifecycle::Owner,
    onboarding::{OnboardingRun, RunAmendment, Workflow, WorkflowName},
    store::StoreError,
    tax::{
        ChangeTaxDefault, ChangeTaxRate, TaxAssociation, TaxAssociationUpdate, TaxDefaultAmendment, TaxRate,
        TaxRateAmendment, TaxRateName, TaxRateUpdate,
    },
    tenancy::{ApiKey, Environment, EnvironmentName, EnvironmentScope, TenantScope},
    testkit::{a_customer, a_tax_rate},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "once: work without a customer is done once with a key, returns the same result, and reserves the key",
        repeated(world).await,
    );
    report.note("once: of concurrent calls with one key exactly one does the work", at_once(world).await);
    report.note("once: a refusal or a missing object leaves the key free", refused(world).await);
    report.note("once: an expired record does not count, and is replaced", outlived(world).await);
    report.note("once: a key belongs to the caller's environment, wherever the work is done", elsewhere(world).await);
}

/// Every kind of work with a key.
#[derive(Debug, Clone, Copy)]
enum Operation {
    CreateRate,
    ChangeRate,
    ArchiveRate,
    CreateDefault,
    ChangeDefault,
    RemoveDefault,
    CreateEnvironment,
    RenameEnvironment,
    CreateKey,
    RevokeKey,
    PutWorkflow,
    DeleteWorkflow,
    CancelRun,
}

const ALL: [Operation; 13] = [
    Operation::CreateRate,
    Operation::ChangeRate,
    Operation::ArchiveRate,
    Operation::CreateDefault,
    Operation::ChangeDefault,
    Operation::RemoveDefault,
    Operation::CreateEnvironment,
    Operation::RenameEnvironment,
    Operation::CreateKey,
    Operation::RevokeKey,
    Operation::PutWorkflow,
    Operation::DeleteWorkflow,
    Operation::CancelRun,
];

/// The existing objects for the work.
#[derive(Clone)]
struct Stage {
    scope: EnvironmentScope,
    used: TaxRate,
    free: TaxRate,
    default: TaxAssociation,
    environment: Environment,
    key: ApiKey,
    onboarded: CustomerId,
}

#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Rate(Box<TaxRate>),
    Kept(KeptAnswer),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    Reused,
    Unavailable,
    Other(String),
}

type Answered = Result<Done<Answer>, Refusal>;

/// A claim for which records of any age count.
fn ever(key: &str, request: u8) -> Result<IdempotencyClaim, String> {
    claim(key, request, Timestamp::UNIX_EPOCH)
}

async fn stage(world: &World<'_>) -> Result<Stage, String> {
    let scope = world.environment().await?;
    let used = world.created_rate(&scope, a_tax_rate("USED")).await?;
    let free = world.created_rate(&scope, a_tax_rate("FREE")).await?;
    let default = world.created_default(&scope, world.default_of(&used)).await?;
    let environment = world.new_environment(scope.owner.tenant_id);
    let tenant = TenantScope::new(scope.owner.tenant_id, scope.actor.clone());
    let made = world.ports.tenancy.create_environment(&tenant, environment, None).await;
    let environment = made.or_say("tenancy.create_environment")?.value;
    let (key, _) = world.created_key(&scope).await?;
    let put = world.ports.onboarding.put_workflow(&scope, a_put(world, None, false), None).await;
    put.or_say("onboarding.put_workflow")?;
    let onboarded = world.created(&scope, a_customer("onboarded")).await?.state.customer.id;
    Ok(Stage { scope, used, free, default, environment, key, onboarded })
}

fn answer<T, E: std::fmt::Display>(done: Result<Done<T>, E>, shown: impl FnOnce(T) -> Answer) -> Answered {
    done.map(|Done { value, replayed }| Done { value: shown(value), replayed }).map_err(|error| refusal(&error))
}

fn refusal(error: &impl std::fmt::Display) -> Refusal {
    let text = error.to_string();
    let unavailable = StoreError::Unavailable { reason: String::new() }.to_string();
    if text == IdempotencyKeyReused::default().to_string() {
        Refusal::Reused
    } else if text.starts_with(&unavailable) {
        Refusal::Unavailable
    } else {
        Refusal::Other(text)
    }
}

fn kept<T: Kept>(value: T) -> Answer {
    Answer::Kept(value.to_kept())
}

/// Whether two results have the same kind and content. A store may format the JSON differently, as databases with a
/// JSON type do.
fn alike(one: &KeptAnswer, other: &KeptAnswer) -> bool {
    let value = |kept: &KeptAnswer| serde_json::from_str::<serde_json::Value>(kept.json()).ok();
    one.kind() == other.kind() && value(one).is_some() && value(one) == value(other)
}

/// Does a piece of work with its own ids and time, as a repeated request would.
async fn work(
    world: &World<'_>,
    stage: &Stage,
    work: Operation,
    claim: Option<IdempotencyClaim>,
) -> Result<Answered, String> {
    let Stage { scope, used, free, default, environment, key, onboarded } = stage;
    let (taxes, at) = (&world.ports.taxes, world.now());
    let rate = |rate: TaxRate| Answer::Rate(Box::new(rate));
    let change = |id, amendment| ChangeTaxRate {
        id,
        amendment,
        at,
        event_id: world.id(),
        request_id: None,
        only_if: Default::default(),
    };
    let tenant = TenantScope::new(scope.owner.tenant_id, scope.actor.clone());
    let callers = claim.clone().map(|claim| CallersClaim { owner: scope.owner, claim });
    Ok(match work {
        Operation::CreateRate => {
            let created = TaxRateEvent::created(world.id(), None, world.rate(scope, a_tax_rate("NEW")));
            answer(taxes.create_rate(scope, created, claim).await, rate)
        }
        Operation::ChangeRate => {
            // Another name each time: a change of nothing is not recorded.
            let other: TaxRateId = world.id();
            let name = Some(TaxRateName::new(other.to_string()).or_say("a name")?);
            let update = TaxRateAmendment::Update(Box::new(TaxRateUpdate { name, ..TaxRateUpdate::default() }));
            answer(taxes.change_rate(scope, change(used.id, update), claim).await, rate)
        }
        Operation::ArchiveRate => {
            answer(taxes.change_rate(scope, change(free.id, TaxRateAmendment::Archive), claim).await, rate)
        }
        Operation::CreateDefault => {
            answer(taxes.create_default(scope, world.default_of(free), claim).await, kept::<TaxAssociation>)
        }
        Operation::ChangeDefault => {
            let amendment = TaxDefaultAmendment::Update(TaxAssociationUpdate::default());
            let command = ChangeTaxDefault { id: default.id, amendment, at, only_if: Default::default() };
            answer(taxes.change_default(scope, command, claim).await, kept::<TaxAssociation>)
        }
        Operation::RemoveDefault => {
            let command = ChangeTaxDefault {
                id: default.id,
                amendment: TaxDefaultAmendment::Remove,
                at,
                only_if: Default::default(),
            };
            answer(taxes.change_default(scope, command, claim).await, kept::<TaxAssociation>)
        }
        Operation::CreateEnvironment => {
            let new = world.new_environment(scope.owner.tenant_id);
            let made = world.ports.tenancy.create_environment(&tenant, new, callers).await;
            answer(made, kept::<Environment>)
        }
        Operation::RenameEnvironment => {
            let name = Some(EnvironmentName::new("another").or_say("the literal")?);
            let renamed = world
                .ports
                .tenancy
                .rename_environment(&tenant, environment.id, name, at, Default::default(), callers)
                .await;
            let renamed = renamed.transpose().ok_or("tenancy.rename_environment found nothing")?;
            answer(renamed, kept::<Environment>)
        }
        Operation::CreateKey => {
            let secret = world.secret()?;
            let key = world.key(scope, &secret);
            answer(world.ports.keys.create(scope, key, secret, callers).await, kept::<ApiKey>)
        }
        Operation::RevokeKey => {
            let revoked = world.ports.keys.revoke(scope, key.id, at, callers).await;
            answer(revoked.transpose().ok_or("keys.revoke found nothing")?, kept::<ApiKey>)
        }
        Operation::PutWorkflow => {
            let put = world.ports.onboarding.put_workflow(scope, a_put(world, None, true), claim).await;
            answer(put, |workflow: Workflow| kept(workflow.id))
        }
        Operation::DeleteWorkflow => {
            let deleted = world.ports.onboarding.delete_workflow(scope, None, at, Default::default(), claim).await;
            answer(deleted.transpose().ok_or("onboarding.delete_workflow found nothing")?, kept::<WorkflowId>)
        }
        Operation::CancelRun => {
            let cancel = world.ports.onboarding.amend_run(scope, *onboarded, RunAmendment::Cancel, at, claim);
            answer(cancel.await, kept::<OnboardingRun>)
        }
    })
}

async fn repeated(world: &World<'_>) -> Outcome {
    for one in ALL {
        let stage = stage(world).await?;
        let first = work(world, &stage, one, Some(ever("k", 1)?)).await?;
        let Ok(Done { value, replayed: false }) = first else { return Err(format!("{one:?} first: {first:?}")) };
        for _ in 0..2 {
            let again = work(world, &stage, one, Some(ever("k", 1)?)).await?;
            same(&format!("{one:?} again"), &again, &Ok(Done::before(value.clone())))?;
        }
        for other in ALL {
            let reused = work(world, &stage, other, Some(ever("k", 2)?)).await?;
            same(&format!("{other:?} with the key of {one:?}"), &reused, &Err(Refusal::Reused))?;
        }
        let kept = world.ports.records.find(&stage.scope, &ever("k", 1)?.key).await.or_say("records.find")?;
        let kept = kept.ok_or_else(|| format!("{one:?} left no record"))?;
        same("its fingerprint", &kept.fingerprint, &Fingerprint::from_bytes([1; 32]))?;
        let as_answered = match (&kept.outcome, &value) {
            (Came::Event(_), Answer::Rate(_)) => true,
            (Came::Kept(kept), Answer::Kept(answered)) => alike(kept, answered),
            _ => false,
        };
        holds(as_answered, || format!("{one:?} kept {:?}", kept.outcome))?;
    }
    Ok(())
}

async fn at_once(world: &World<'_>) -> Outcome {
    for one in ALL {
        let stage = &stage(world).await?;
        let calls = (0..8).map(|_| async { work(world, stage, one, Some(ever("k", 1)?)).await });
        let mut answers = Vec::new();
        for answered in join_all(calls).await {
            match answered? {
                Ok(done) => answers.push(done),
                Err(Refusal::Unavailable) => {}
                Err(other) => return Err(format!("repeating {one:?} returned {other:?}")),
            }
        }
        let done: Vec<_> = answers.iter().filter(|answer| !answer.replayed).collect();
        let [first] = done.as_slice() else { return Err(format!("{one:?} was done {} times", done.len())) };
        let same_answer = answers.iter().all(|answer| answer.value == first.value);
        holds(same_answer, || format!("{one:?} returned different results"))?;
    }
    Ok(())
}

async fn refused(world: &World<'_>) -> Outcome {
    let stage = stage(world).await?;
    let is_free = async |what: &str| {
        let found = world.ports.records.find(&stage.scope, &ever("k", 1)?.key).await.or_say("records.find")?;
        holds(found.is_none(), || format!("{what} left a record"))
    };
    // The code is taken, the rate is in use, and the default exists.
    let taken = TaxRateEvent::created(world.id(), None, world.rate(&stage.scope, a_tax_rate("USED")));
    let answered = world.ports.taxes.create_rate(&stage.scope, taken, Some(ever("k", 1)?)).await;
    holds(answered.is_err(), || "a second rate with the same code was created".to_owned())?;
    is_free("a code that is taken").await?;
    let in_use = Stage { free: stage.used.clone(), ..stage.clone() };
    for refused in [Operation::ArchiveRate, Operation::CreateDefault] {
        let answered = work(world, &in_use, refused, Some(ever("k", 1)?)).await?;
        holds(matches!(answered, Err(Refusal::Other(_))), || format!("{refused:?}: {answered:?}"))?;
        is_free(&format!("a refused {refused:?}")).await?;
    }
    let callers = Some(CallersClaim { owner: stage.scope.owner, claim: ever("k", 1)? });
    let tenant = TenantScope::new(stage.scope.owner.tenant_id, stage.scope.actor.clone());
    let nowhere = world.ports.tenancy.rename_environment(
        &tenant,
        world.id(),
        None,
        world.now(),
        Default::default(),
        callers.clone(),
    );
    same("an unknown environment", &nowhere.await.or_say("tenancy.rename_environment")?, &None)?;
    is_free("an unknown environment").await?;
    let nobody = world.ports.keys.revoke(&stage.scope, world.id(), world.now(), callers).await;
    same("an unknown key", &nobody.or_say("keys.revoke")?, &None)?;
    is_free("an unknown key").await?;
    let nameless = WorkflowName::new("nowhere").or_say("the literal")?;
    let onboarding = &world.ports.onboarding;
    let nothing = onboarding
        .delete_workflow(&stage.scope, Some(nameless), world.now(), Default::default(), Some(ever("k", 1)?))
        .await;
    same("an unknown workflow", &nothing.or_say("onboarding.delete_workflow")?, &None)?;
    is_free("an unknown workflow").await?;
    let (run, at) = (stage.onboarded, world.now());
    let retried = onboarding.amend_run(&stage.scope, run, RunAmendment::Retry, at, Some(ever("k", 1)?)).await;
    holds(retried.is_err(), || "a run that has not failed was retried".to_owned())?;
    is_free("a run that has not failed").await?;
    let done = work(world, &stage, Operation::CreateRate, Some(ever("k", 2)?)).await?;
    holds(matches!(done, Ok(Done { replayed: false, .. })), || format!("the key is not free: {done:?}"))
}

async fn outlived(world: &World<'_>) -> Outcome {
    for (one, other) in
        [(Operation::ChangeRate, Operation::ChangeDefault), (Operation::ChangeDefault, Operation::ChangeRate)]
    {
        let stage = stage(world).await?;
        let first = work(world, &stage, one, Some(ever("k", 1)?)).await?;
        holds(first.is_ok(), || format!("{one:?}: {first:?}"))?;
        let late = claim("k", 2, world.now())?;
        let second = work(world, &stage, other, Some(late.clone())).await?;
        let Ok(Done { value, replayed: false }) = second else { return Err(format!("an expired key: {second:?}")) };
        let third = work(world, &stage, other, Some(late)).await?;
        same("the new record", &third, &Ok(Done::before(value)))?;
    }
    Ok(())
}

async fn elsewhere(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let secret = world.secret()?;
    let key = world.key(&neighbours.next_door, &secret);
    let callers = CallersClaim { owner: neighbours.here.owner, claim: ever("k", 1)? };
    let made = world.ports.keys.create(&neighbours.next_door, key.clone(), secret, Some(callers.clone())).await;
    same("the key", &made.or_say("keys.create")?, &Done::now(key.clone()))?;
    let secret = world.secret()?;
    let again = world.key(&neighbours.next_door, &secret);
    let again = world.ports.keys.create(&neighbours.next_door, again, secret, Some(callers)).await;
    same("the key again", &again.or_say("keys.create")?, &Done::before(key))?;
    for (scope, there) in [(&neighbours.here, true), (&neighbours.next_door, false), (&neighbours.abroad, false)] {
        let found = world.ports.records.find(scope, &ever("k", 1)?.key).await.or_say("records.find")?;
        let Owner { environment_id, .. } = scope.owner;
        same(&format!("a record in {environment_id}"), &found.is_some(), &there)?;
    }
    Ok(())
}
