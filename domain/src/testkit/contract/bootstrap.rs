//! The first objects of an empty store.

use futures_util::future::join_all;

use super::{
    Report,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    lifecycle::{Audit, Owner},
    page::PageRequest,
    tenancy::{ApiKey, Bootstrap, SystemScope, Tenant, TenantScope},
    testkit::{a_scope, a_tenant, an_api_key},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("tenancy.bootstrap: returns false when there is a tenant, and writes nothing", in_use(world).await);
}

pub(super) async fn check_empty(world: &World<'_>, report: &mut Report) {
    report.note(
        "tenancy.bootstrap: of concurrent first starts exactly one returns true, and only its objects are kept",
        empty(world).await,
    );
}

fn a_bootstrap(world: &World<'_>) -> Result<Bootstrap, String> {
    let audit = Audit::created(world.now(), &a_scope().actor);
    let tenant = Tenant { id: world.id(), audit: audit.clone(), ..a_tenant() };
    let environment = world.new_environment(tenant.id);
    let owner = Owner { tenant_id: tenant.id, environment_id: environment.id };
    let secret = world.secret()?;
    let key = ApiKey { id: world.id(), owner, display_id: secret.display_id(), audit, ..an_api_key() };
    Ok(Bootstrap { tenant, environment, key, secret })
}

async fn total(world: &World<'_>) -> Result<u64, String> {
    let tenants = world.ports.tenancy.tenants(&SystemScope::patron(), PageRequest::default()).await;
    Ok(tenants.or_say("tenancy.tenants")?.total)
}

/// Checks that nothing of a bootstrap is in the store. Its tenant is looked for by its environments.
async fn is_absent(world: &World<'_>, first: &Bootstrap) -> Outcome {
    let system = SystemScope::patron();
    let tenancy = &world.ports.tenancy;
    let environment =
        tenancy.find_environment(&system, first.environment.id).await.or_say("tenancy.find_environment")?;
    same("an environment of the refused bootstrap", &environment, &None)?;
    let key = world.ports.keys.find(&system, first.key.id).await.or_say("keys.find")?;
    same("a key of the refused bootstrap", &key, &None)?;
    let key = world.ports.keys.find_by_secret(&system, &first.secret).await.or_say("keys.find_by_secret")?;
    same("a valid key of the refused bootstrap", &key, &None)
}

async fn in_use(world: &World<'_>) -> Outcome {
    world.tenant().await?;
    let tenants = total(world).await?;
    let first = a_bootstrap(world)?;
    let answer = world.ports.tenancy.bootstrap(&SystemScope::patron(), first.clone()).await;
    same("the result", &answer.or_say("tenancy.bootstrap")?, &false)?;
    is_absent(world, &first).await?;
    same("the number of tenants", &total(world).await?, &tenants)
}

async fn empty(world: &World<'_>) -> Outcome {
    let system = SystemScope::patron();
    holds(total(world).await? == 0, || "this needs a store without any tenant".to_owned())?;
    let all = (0..8).map(|_| a_bootstrap(world)).collect::<Result<Vec<_>, _>>()?;
    let answers = join_all(all.iter().map(|one| world.ports.tenancy.bootstrap(&system, one.clone()))).await;
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>().or_say("tenancy.bootstrap")?;
    let (winners, losers): (Vec<_>, Vec<_>) = all.iter().zip(answers).partition(|(_, written)| *written);
    let [(winner, _)] = winners.as_slice() else { return Err(format!("{} of 8 returned true", winners.len())) };

    for (loser, _) in losers {
        is_absent(world, loser).await?;
    }
    let tenants = world.ports.tenancy.tenants(&system, PageRequest::default()).await.or_say("tenancy.tenants")?;
    same("the tenants", &(tenants.items, tenants.total), &(vec![winner.tenant.clone()], 1))?;
    let scope = TenantScope::new(winner.tenant.id, a_scope().actor);
    let environments = world.ports.tenancy.environments(&scope, PageRequest::default()).await;
    let environments = environments.or_say("tenancy.environments")?;
    same("the environments", &environments.items, &vec![winner.environment.clone()])?;
    let key = world.ports.keys.find_by_secret(&system, &winner.secret).await.or_say("keys.find_by_secret")?;
    same("the key", &key, &Some(winner.key.clone()))
}
