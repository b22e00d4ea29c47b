//! Tenants and environments.

use super::{
    Report,
    world::{CUTS, OrSay, Outcome, World, holds, is_cut, page, same},
};
use crate::{
    audit::{AuditAction, AuditQuery},
    idempotency::Done,
    ids::{EnvironmentId, TenantId},
    lifecycle::Audit,
    page::PageRequest,
    tenancy::{
        Actor, ApiKey, CreateEnvironmentError, Environment, EnvironmentName, EnvironmentType, SystemScope, Tenant,
        TenantName, TenantScope,
    },
    testkit::{a_scope, a_tenant},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("tenancy.create_tenant: a tenant with a name at the limit is listed unchanged", tenant(world).await);
    report.note("tenancy.tenants: the newest first, ids breaking ties, with the exact total", tenants(world).await);
    report.note("tenancy.suspend_tenant: suspends a tenant, and ends the suspension, once each", suspend(world).await);
    report.note("tenancy.suspend_tenant: keys of a suspended tenant show it", suspended_keys(world).await);
    report.note(
        "tenancy.create_environment: an environment of every type is found and listed unchanged",
        environment(world).await,
    );
    report.note(
        "tenancy.create_environment: returns UnknownTenant when there is no such tenant",
        unknown_tenant(world).await,
    );
    report
        .note("tenancy.create_environment: writes into its scope, whatever tenant the value has", foreign(world).await);
    report.note("tenancy.environments: a tenant's list has only its own environments", of_tenant(world).await);
    report.note("tenancy.environments: the newest first, ids breaking ties", order(world).await);
    report.note("tenancy.environments: pages as asked, with the exact total", pages(world).await);
    report.note(
        "tenancy.rename_environment: changes only the name and the fields about the last change",
        rename(world).await,
    );
    report.note(
        "tenancy.rename_environment: returns None outside its scope, and changes nothing",
        rename_elsewhere(world).await,
    );
    report.note("tenancy.find_environment: returns None for an unknown id", unknown_environment(world).await);
}

/// All tenants of the store, in list order.
async fn all_tenants(world: &World<'_>) -> Result<Vec<Tenant>, String> {
    let mut all = Vec::new();
    loop {
        let offset = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let found = world.ports.tenancy.tenants(&SystemScope::patron(), page(1_000, offset)?).await;
        let found = found.or_say("tenancy.tenants")?;
        if found.items.is_empty() {
            same("the total", &found.total, &offset)?;
            return Ok(all);
        }
        // A list that never ends because its offset has no effect is detected by its total.
        holds(offset < found.total, || "the list continues after its total".to_owned())?;
        all.extend(found.items);
    }
}

async fn tenant(world: &World<'_>) -> Outcome {
    let name = TenantName::new("ä🦀'%".repeat(100).chars().take(TenantName::MAX_CHARS).collect::<String>());
    let audit = Audit::created(world.now(), &a_scope().actor);
    let tenant = Tenant { id: world.id(), name: name.or_say("the literal")?, suspended_at: None, audit };
    world.ports.tenancy.create_tenant(&SystemScope::patron(), tenant.clone()).await.or_say("tenancy.create_tenant")?;
    let found = all_tenants(world).await?.into_iter().find(|other| other.id == tenant.id);
    same("the tenant", &found, &Some(tenant))
}

async fn suspend(world: &World<'_>) -> Outcome {
    let tenant = world.tenant().await?;
    let scope = world.environment_of(tenant.id).await?;
    let keeper = SystemScope { actor: Actor::new("keeper").or_say("the literal")? };
    let mut wanted = tenant;
    for suspended in [true, true, false, false] {
        let at = world.now();
        wanted.suspend(suspended, at, &keeper.actor);
        let answer = world.ports.tenancy.suspend_tenant(&keeper, wanted.id, suspended, at).await;
        same("the answer", &answer.or_say("tenancy.suspend_tenant")?, &Some(wanted.clone()))?;
        let found = all_tenants(world).await?.into_iter().find(|other| other.id == wanted.id);
        same("the tenant", &found.as_ref(), &Some(&wanted))?;
    }
    let entries = world.ports.audit.entries(&scope, AuditQuery { before: None, limit: 10 }).await;
    let actions: Vec<_> = entries.or_say("audit.entries")?.iter().map(|entry| entry.act.action).collect();
    let in_log = [AuditAction::TenantResumed, AuditAction::TenantSuspended, AuditAction::EnvironmentCreated];
    same("the audit log", &actions, &in_log.to_vec())?;
    let answer = world.ports.tenancy.suspend_tenant(&keeper, world.id(), true, world.now()).await;
    same("the result for an unknown tenant", &answer.or_say("tenancy.suspend_tenant")?, &None)
}

async fn suspended_keys(world: &World<'_>) -> Outcome {
    let (scope, other) = (world.environment().await?, world.environment().await?);
    let ((key, secret), (others, others_secret)) = (world.created_key(&scope).await?, world.created_key(&other).await?);
    for suspended in [true, false] {
        let (at, patron) = (world.now(), SystemScope::patron());
        let answer = world.ports.tenancy.suspend_tenant(&patron, scope.owner.tenant_id, suspended, at).await;
        answer.or_say("tenancy.suspend_tenant")?;
        let wanted = ApiKey { tenant_suspended_at: suspended.then_some(at), ..key.clone() };
        for (secret, id, wanted) in [(&secret, key.id, &wanted), (&others_secret, others.id, &others)] {
            let found = world.ports.keys.find_by_secret(&patron, secret).await.or_say("keys.find_by_secret")?;
            same("the key by its secret", &found.as_ref(), &Some(wanted))?;
            let found = world.ports.keys.find(&patron, id).await.or_say("keys.find")?;
            same("the key by its id", &found.as_ref(), &Some(wanted))?;
        }
    }
    Ok(())
}

async fn tenants(world: &World<'_>) -> Outcome {
    let base = world.now();
    for micros in [300, 100, 200, 200, 0] {
        let at = Timestamp::from_micros(base.micros() + micros).or_say("the literal")?;
        let tenant = Tenant { id: world.id(), audit: Audit::created(at, &a_scope().actor), ..a_tenant() };
        world.ports.tenancy.create_tenant(&SystemScope::patron(), tenant).await.or_say("tenancy.create_tenant")?;
    }
    let place = |tenant: &Tenant| (tenant.audit.created_at, tenant.id);
    let all = all_tenants(world).await?;
    let found: Vec<TenantId> = all.iter().map(|tenant| tenant.id).collect();
    let mut ordered: Vec<_> = all.iter().map(place).collect();
    ordered.sort();
    let wanted: Vec<TenantId> = ordered.into_iter().rev().map(|(_, id)| id).collect();
    holds(found == wanted, || "the list has another order".to_owned())?;
    for cut in CUTS {
        let page = world.ports.tenancy.tenants(&SystemScope::patron(), page(cut.0, cut.1)?).await;
        is_cut(cut, &page.or_say("tenancy.tenants")?, |tenant| tenant.id, &wanted)?;
    }
    Ok(())
}

async fn create(
    world: &World<'_>,
    tenant_id: TenantId,
    environment: &Environment,
) -> Result<(), CreateEnvironmentError> {
    let scope = TenantScope::new(tenant_id, a_scope().actor);
    world.ports.tenancy.create_environment(&scope, environment.clone(), None).await.map(drop)
}

async fn find(world: &World<'_>, id: EnvironmentId) -> Result<Option<Environment>, String> {
    world.ports.tenancy.find_environment(&SystemScope::patron(), id).await.or_say("tenancy.find_environment")
}

async fn listed(world: &World<'_>, tenant_id: TenantId, request: PageRequest) -> Result<Vec<Environment>, String> {
    let scope = TenantScope::new(tenant_id, a_scope().actor);
    Ok(world.ports.tenancy.environments(&scope, request).await.or_say("tenancy.environments")?.items)
}

async fn environment(world: &World<'_>) -> Outcome {
    let tenant = world.tenant().await?;
    let mut wanted = Vec::new();
    for kind in EnvironmentType::ALL {
        let name: String = "ä🦀'%".repeat(100).chars().take(EnvironmentName::MAX_CHARS).collect();
        let name = EnvironmentName::new(name).or_say("the literal")?;
        let environment = Environment { name, kind: *kind, ..world.new_environment(tenant.id) };
        create(world, tenant.id, &environment).await.or_say("tenancy.create_environment")?;
        same("the environment found", &find(world, environment.id).await?.as_ref(), &Some(&environment))?;
        wanted.insert(0, environment);
    }
    same("the environments listed", &listed(world, tenant.id, PageRequest::default()).await?, &wanted)
}

async fn unknown_tenant(world: &World<'_>) -> Outcome {
    let nobody: TenantId = world.id();
    let somebody = world.tenant().await?.id;
    for named in [nobody, somebody] {
        let environment = world.new_environment(named);
        let answer = create(world, nobody, &environment).await;
        same("the result", &answer, &Err(CreateEnvironmentError::UnknownTenant))?;
        same("the environment found", &find(world, environment.id).await?, &None)?;
    }
    Ok(())
}

async fn foreign(world: &World<'_>) -> Outcome {
    let (own, other) = (world.tenant().await?.id, world.tenant().await?.id);
    let environment = world.new_environment(other);
    create(world, own, &environment).await.or_say("tenancy.create_environment")?;
    let found = find(world, environment.id).await?.map(|environment| environment.tenant_id);
    same("the environment's tenant", &found, &Some(own))?;
    same("the other tenant's environments", &listed(world, other, PageRequest::default()).await?, &Vec::new())
}

async fn of_tenant(world: &World<'_>) -> Outcome {
    let tenants = [world.tenant().await?.id, world.tenant().await?.id];
    for tenant_id in tenants {
        create(world, tenant_id, &world.new_environment(tenant_id)).await.or_say("tenancy.create_environment")?;
    }
    for tenant_id in tenants {
        let found = listed(world, tenant_id, PageRequest::default()).await?;
        let found: Vec<_> = found.iter().map(|environment| environment.tenant_id).collect();
        same("the environments' tenants", &found, &vec![tenant_id])?;
    }
    same("environments of an unknown tenant", &listed(world, world.id(), PageRequest::default()).await?, &Vec::new())
}

/// Five environments whose times and ids have different orders. Returns their ids, the newest first.
async fn five(world: &World<'_>, tenant_id: TenantId) -> Result<Vec<EnvironmentId>, String> {
    let base = world.now();
    let mut environments = Vec::new();
    for micros in [300, 100, 200, 200, 0] {
        let at = Timestamp::from_micros(base.micros() + micros).or_say("the literal")?;
        let audit = Audit::created(at, &a_scope().actor);
        let environment = Environment { audit, ..world.new_environment(tenant_id) };
        create(world, tenant_id, &environment).await.or_say("tenancy.create_environment")?;
        environments.push((at, environment.id));
    }
    environments.sort();
    Ok(environments.into_iter().rev().map(|(_, id)| id).collect())
}

async fn order(world: &World<'_>) -> Outcome {
    let tenant_id = world.tenant().await?.id;
    let wanted = five(world, tenant_id).await?;
    let found = listed(world, tenant_id, PageRequest::default()).await?;
    let found: Vec<_> = found.iter().map(|environment| environment.id).collect();
    same("the environments", &found, &wanted)
}

async fn pages(world: &World<'_>) -> Outcome {
    let tenant_id = world.tenant().await?.id;
    let whole = five(world, tenant_id).await?;
    let scope = TenantScope::new(tenant_id, a_scope().actor);
    for cut in CUTS {
        let found = world.ports.tenancy.environments(&scope, page(cut.0, cut.1)?).await;
        is_cut(cut, &found.or_say("tenancy.environments")?, |environment| environment.id, &whole)?;
    }
    Ok(())
}

async fn unknown_environment(world: &World<'_>) -> Outcome {
    world.environment().await?;
    same("the environment", &find(world, world.id()).await?, &None)
}

async fn rename(world: &World<'_>) -> Outcome {
    let tenant_id = world.tenant().await?.id;
    let (other, environment) = (world.new_environment(tenant_id), world.new_environment(tenant_id));
    create(world, tenant_id, &other).await.or_say("tenancy.create_environment")?;
    create(world, tenant_id, &environment).await.or_say("tenancy.create_environment")?;
    let scope = TenantScope::new(tenant_id, Actor::new("renamer").or_say("the literal")?);
    let name = EnvironmentName::new("ä🦀'%").or_say("the literal")?;
    let at = world.now();
    let answer = world
        .ports
        .tenancy
        .rename_environment(&scope, environment.id, Some(name.clone()), at, Default::default(), None)
        .await;
    let audit = Audit { updated_at: at, updated_by: scope.actor, ..environment.audit.clone() };
    let wanted = Environment { name, audit, ..environment };
    same("the result", &answer.or_say("tenancy.rename_environment")?, &Some(Done::now(wanted.clone())))?;
    same("the environments", &listed(world, tenant_id, PageRequest::default()).await?, &vec![wanted, other])
}

async fn rename_elsewhere(world: &World<'_>) -> Outcome {
    let (own, other) = (world.tenant().await?.id, world.tenant().await?.id);
    let environment = world.new_environment(own);
    create(world, own, &environment).await.or_say("tenancy.create_environment")?;
    let name = EnvironmentName::new("another").or_say("the literal")?;
    for (tenant_id, id) in [(other, environment.id), (own, world.id())] {
        let scope = TenantScope::new(tenant_id, a_scope().actor);
        let answer = world
            .ports
            .tenancy
            .rename_environment(&scope, id, Some(name.clone()), world.now(), Default::default(), None)
            .await;
        same("the result", &answer.or_say("tenancy.rename_environment")?, &None)?;
    }
    same("the environment", &find(world, environment.id).await?, &Some(environment))
}
