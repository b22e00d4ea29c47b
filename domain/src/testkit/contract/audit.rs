//! The audit log.

use std::{net::IpAddr, time::Duration};

use super::{
    Report,
    idempotency::claim,
    onboarding::a_put,
    webhooks::made,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    audit::{AuditAction, AuditEntry, AuditNumber, AuditObject, AuditQuery, CountedUse, CountedUses},
    idempotency::CallersClaim,
    lifecycle::Owner,
    tenancy::{Actor, Environment, EnvironmentName, EnvironmentScope, Origin, RequestId, SystemScope, TenantScope},
    time::Timestamp,
    webhook::{ChangeEndpoint, EndpointAmendment, EndpointUpdate, SealedSecret},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("audit.entries: records changes of keys, the newest first, with actor and origin", keys(world).await);
    report.note("audit.entries: records changes of environments", environments(world).await);
    report.note("audit.entries: records changes of webhook endpoints", endpoints(world).await);
    report.note("audit.entries: records changes of onboarding workflows", workflows(world).await);
    report
        .note("audit.entries: records nothing without a change, or when a request is repeated", unchanged(world).await);
    report.note("audit.entries: records a change from another environment in both logs", from_home(world).await);
    report.note("audit.entries: continues before the given number", pages(world).await);
    report.note("audit.entries: finds no entry of another environment or tenant", elsewhere(world).await);
    report.note("audit.count_uses: one entry per kind, key and hour, with the sum", counts(world).await);
    report.note(
        "audit.forget_addresses: removes the addresses of older entries, and nothing else",
        forgotten(world).await,
    );
}

/// All entries of an environment, the newest first.
async fn entries(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<AuditEntry>, String> {
    let query = AuditQuery { before: None, limit: 1_000 };
    world.ports.audit.entries(scope, query).await.or_say("audit.entries")
}

/// The actions in a log, the newest first.
async fn actions(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<AuditAction>, String> {
    Ok(entries(world, scope).await?.iter().map(|entry| entry.act.action).collect())
}

fn origin(last: u8) -> Result<Origin, String> {
    let request_id = RequestId::new(format!("request-{last}")).or_say("the literal")?;
    Ok(Origin::new(Some(request_id), Some(IpAddr::from([192, 0, 2, last]))))
}

/// A new environment, for an actor with a complete origin.
async fn here(world: &World<'_>) -> Result<EnvironmentScope, String> {
    let scope = world.environment().await?;
    Ok(EnvironmentScope { actor: Actor::new("keeper").or_say("the literal")?, origin: origin(7)?, ..scope })
}

async fn keys(world: &World<'_>) -> Outcome {
    let scope = here(world).await?;
    let (key, _) = world.created_key(&scope).await?;
    let at = world.now();
    world.ports.keys.revoke(&scope, key.id, at, None).await.or_say("keys.revoke")?;
    let found = entries(world, &scope).await?;
    let [revoked, created, environment] = found.as_slice() else { return Err(format!("found {found:?}")) };
    same("the action before the changes", &environment.act.action, &AuditAction::EnvironmentCreated)?;
    for (entry, action, at) in
        [(revoked, AuditAction::KeyRevoked, at), (created, AuditAction::KeyCreated, key.audit.created_at)]
    {
        same("the action", &entry.act.action, &action)?;
        same("the object", &entry.act.object, &AuditObject::ApiKey(key.id))?;
        same("the owner", &entry.owner, &scope.owner)?;
        same("the time", &entry.at, &at)?;
        same("the actor", &entry.actor, &scope.actor)?;
        same("the address", &entry.address, &scope.origin.address())?;
        same("the request", &entry.request_id.as_ref(), &scope.origin.request_id())?;
        same("the count", &entry.count, &None)?;
    }
    let numbers: Vec<_> = found.iter().map(|entry| entry.number.stored()).collect();
    same("the numbers", &numbers, &vec![3, 2, 1])
}

async fn environments(world: &World<'_>) -> Outcome {
    let scope = here(world).await?;
    let tenant = TenantScope::new(scope.owner.tenant_id, scope.actor.clone());
    let name = EnvironmentName::new("renamed").or_say("the literal")?;
    let renamed = world.ports.tenancy.rename_environment(
        &tenant,
        scope.owner.environment_id,
        Some(name),
        world.now(),
        Default::default(),
        None,
    );
    renamed.await.or_say("tenancy.rename_environment")?;
    let found = entries(world, &scope).await?;
    let what: Vec<_> = found.iter().map(|entry| (entry.act.action, entry.act.changed.clone())).collect();
    let wanted =
        vec![(AuditAction::EnvironmentUpdated, vec!["name".to_owned()]), (AuditAction::EnvironmentCreated, vec![])];
    same("the actions and changed fields", &what, &wanted)
}

async fn endpoints(world: &World<'_>) -> Outcome {
    let scope = here(world).await?;
    let endpoint = made(world, &scope).await?;
    let off = EndpointUpdate { enabled: Some(false), ..EndpointUpdate::default() };
    let (secret, at) = (SealedSecret::from_sealed("another"), world.now());
    let rotate = EndpointAmendment::Rotate { secret, overlap_until: at };
    for amendment in [EndpointAmendment::Update(Box::new(off)), rotate] {
        let change = ChangeEndpoint { id: endpoint.id, amendment, at, only_if: Default::default() };
        world.ports.webhooks.change_endpoint(&scope, change, None).await.or_say("webhooks.change_endpoint")?;
    }
    let deleted =
        world.ports.webhooks.delete_endpoint(&scope, endpoint.id, world.now(), Default::default(), None).await;
    deleted.or_say("webhooks.delete_endpoint")?;
    let found = actions(world, &scope).await?;
    let wanted = [
        AuditAction::EndpointDeleted,
        AuditAction::EndpointSecretRotated,
        AuditAction::EndpointUpdated,
        AuditAction::EndpointCreated,
        AuditAction::EnvironmentCreated,
    ];
    same("the actions", &found, &wanted.to_vec())
}

async fn workflows(world: &World<'_>) -> Outcome {
    let scope = here(world).await?;
    for another_secret in [false, true] {
        let put = a_put(world, None, another_secret);
        world.ports.onboarding.put_workflow(&scope, put, None).await.or_say("onboarding.put_workflow")?;
    }
    let deleted = world.ports.onboarding.delete_workflow(&scope, None, world.now(), Default::default(), None).await;
    deleted.or_say("onboarding.delete_workflow")?;
    let found = actions(world, &scope).await?;
    let wanted = [
        AuditAction::WorkflowDeleted,
        AuditAction::WorkflowUpdated,
        AuditAction::WorkflowCreated,
        AuditAction::EnvironmentCreated,
    ];
    same("the actions", &found, &wanted.to_vec())
}

async fn unchanged(world: &World<'_>) -> Outcome {
    let scope = here(world).await?;
    let (key, _) = world.created_key(&scope).await?;
    let claim = CallersClaim { owner: scope.owner, claim: claim("once", 1, Timestamp::UNIX_EPOCH)? };
    for claim in [Some(claim.clone()), Some(claim), None] {
        world.ports.keys.revoke(&scope, key.id, world.now(), claim).await.or_say("keys.revoke")?;
    }
    let tenant = TenantScope::new(scope.owner.tenant_id, scope.actor.clone());
    let id = scope.owner.environment_id;
    let renamed =
        world.ports.tenancy.rename_environment(&tenant, id, None, world.now(), Default::default(), None).await;
    renamed.or_say("tenancy.rename_environment")?;
    let wanted = vec![AuditAction::KeyRevoked, AuditAction::KeyCreated, AuditAction::EnvironmentCreated];
    same("the actions", &actions(world, &scope).await?, &wanted)
}

async fn from_home(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let home = neighbours.here.owner.environment_id;
    let away = EnvironmentScope { origin: origin(9)?.at_home_in(home), ..neighbours.next_door.clone() };
    let (key, _) = world.created_key(&away).await?;
    let environment = Environment { id: world.id(), ..world.new_environment(home_tenant(&away)) };
    let tenant =
        TenantScope { origin: away.origin.clone(), ..TenantScope::new(home_tenant(&away), away.actor.clone()) };
    let made = world.ports.tenancy.create_environment(&tenant, environment.clone(), None).await;
    made.or_say("tenancy.create_environment")?;
    let fresh = EnvironmentScope::new(Owner { environment_id: environment.id, ..away.owner }, away.actor.clone());
    let objects = |found: Vec<AuditEntry>| found.into_iter().map(|entry| entry.act.object).collect::<Vec<_>>();
    let (key, environment) = (AuditObject::ApiKey(key.id), AuditObject::Environment(environment.id));
    let own = |scope: &EnvironmentScope| AuditObject::Environment(scope.owner.environment_id);
    let at_home = objects(entries(world, &neighbours.here).await?);
    same(
        "the objects in the log of the actor's own environment",
        &at_home,
        &vec![environment, key, own(&neighbours.here)],
    )?;
    same(
        "the objects in the log of the other environment",
        &objects(entries(world, &away).await?),
        &vec![key, own(&away)],
    )?;
    same("the objects in the log of the new environment", &objects(entries(world, &fresh).await?), &vec![environment])
}

fn home_tenant(scope: &EnvironmentScope) -> crate::ids::TenantId {
    scope.owner.tenant_id
}

async fn pages(world: &World<'_>) -> Outcome {
    let scope = here(world).await?;
    for _ in 0..4 {
        world.created_key(&scope).await?;
    }
    let all = entries(world, &scope).await?;
    same("the number of entries", &all.len(), &5)?;
    let (mut found, mut before): (Vec<AuditEntry>, Option<AuditNumber>) = (Vec::new(), None);
    for wanted in [2, 2, 1, 0] {
        let page = world.ports.audit.entries(&scope, AuditQuery { before, limit: 2 }).await.or_say("audit.entries")?;
        same("the number of entries of a page", &page.len(), &wanted)?;
        before = page.last().map(|last| last.number).or(before);
        found.extend(page);
    }
    holds(found == all, || "the pages together differ from the whole log".to_owned())
}

async fn elsewhere(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    world.created_key(&neighbours.here).await?;
    for (whose, scope) in neighbours.elsewhere() {
        let found = entries(world, &scope).await?;
        let keys = found.iter().filter(|entry| entry.act.action == AuditAction::KeyCreated).count();
        same(&format!("the keys in the log of {whose}"), &keys, &0)?;
    }
    Ok(())
}

async fn counts(world: &World<'_>) -> Outcome {
    use CountedUse::{DryRun, Refused};
    let scope = world.environment().await?;
    let (key, _) = world.created_key(&scope).await?;
    let (other, _) = world.created_key(&scope).await?;
    let hour = world.now().hour();
    let uses = |kind, key, hour, count, last| {
        Ok::<_, String>(CountedUses { kind, key, owner: scope.owner, hour, count, origin: origin(last)? })
    };
    let next = hour.later(Duration::from_secs(3_600));
    let calls = [
        vec![uses(Refused, key.id, hour, 3, 1)?, uses(Refused, other.id, hour, 1, 2)?],
        vec![uses(Refused, key.id, hour, 4, 3)?, uses(DryRun, key.id, hour, 5, 6)?, uses(Refused, key.id, next, 1, 4)?],
        vec![uses(DryRun, key.id, hour, 2, 5)?],
    ];
    for call in calls {
        world.ports.audit.count_uses(&SystemScope::patron(), call).await.or_say("audit.count_uses")?;
    }
    let found = entries(world, &scope).await?;
    let counted = |kind: CountedUse| -> Vec<_> {
        let counted = found.iter().filter(|entry| entry.act.action == kind.action());
        counted.map(|entry| (entry.act.object, entry.at, entry.count, entry.address, entry.actor.clone())).collect()
    };
    let row = |id, at, count, last| {
        (AuditObject::ApiKey(id), at, Some(count), Some(IpAddr::from([192, 0, 2, last])), Actor::from(id))
    };
    let wanted = vec![row(key.id, next, 1, 4), row(other.id, hour, 1, 2), row(key.id, hour, 7, 3)];
    same("the counts", &counted(Refused), &wanted)?;
    same("the counts of another kind", &counted(DryRun), &vec![row(key.id, hour, 7, 5)])
}

async fn forgotten(world: &World<'_>) -> Outcome {
    let scope = here(world).await?;
    world.created_key(&scope).await?;
    let between = world.now();
    world.created_key(&scope).await?;
    let before = entries(world, &scope).await?;
    loop {
        let forgotten = world.ports.audit.forget_addresses(&SystemScope::patron(), between, 100).await;
        if forgotten.or_say("audit.forget_addresses")? < 100 {
            break;
        }
    }
    let after = entries(world, &scope).await?;
    let addresses: Vec<_> = after.iter().map(|entry| entry.address.is_some()).collect();
    same("which entries have an address", &addresses, &vec![true, false, false])?;
    let without = |all: Vec<AuditEntry>| -> Vec<_> {
        all.into_iter().map(|entry| AuditEntry { address: None, ..entry }).collect()
    };
    holds(without(before) == without(after), || "other fields of the entries have changed".to_owned())
}
