//! API keys.

use super::{
    Report,
    world::{CUTS, OrSay, Outcome, World, is_cut, page, same},
};
use crate::{
    idempotency::Done,
    ids::{ApiKeyId, IdSequence},
    lifecycle::Audit,
    network::Network,
    page::PageRequest,
    tenancy::{
        Actor, AllowedNetworks, ApiKey, ApiKeyName, ApiKeySecret, EnvironmentScope, KeyRotation, KeyUse, MAX_USES,
        NotRotated, PerSecond, RateLimit, Role, Roles, RotateKeyError, SystemScope,
    },
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "keys.create: a key is found by id and by secret and in lists, with all its roles and times",
        created(world).await,
    );
    report.note("keys.find, keys.find_by_secret: return None for an unknown id or secret", unknown(world).await);
    report.note("keys.find_by_secret: secrets that differ in any character are different", distinct(world).await);
    report.note("keys.list: the newest first, ids breaking ties", order(world).await);
    report.note("keys.list: pages as asked, with the exact total", pages(world).await);
    report.note("keys.revoke: returns the revoked key, which is still found and listed", revoke(world).await);
    report.note("keys.revoke: a key that is already revoked keeps its first time and actor", revoke_twice(world).await);
    report.note("keys.rotate: writes the new key, and ends the old one at the given time", rotate(world).await);
    report.note("keys.rotate: a refusal changes nothing", rotate_refused(world).await);
    report.note("keys.list: lists revoked keys, keys that are not revoked, or all", list_revoked(world).await);
    report.note("keys.record_uses: sets the last use of a key, and nothing else", uses(world).await);
    report.note("keys.record_uses: never sets an earlier time", uses_in_any_order(world).await);
    report.note("keys.record_uses: skips unknown keys", uses_unknown(world).await);
    report.note(
        "keys.revoke: returns None for keys outside its scope, and does not change them",
        revoke_elsewhere(world).await,
    );
}

async fn find(world: &World<'_>, id: ApiKeyId) -> Result<Option<ApiKey>, String> {
    world.ports.keys.find(&SystemScope::patron(), id).await.or_say("keys.find")
}

async fn by_secret(world: &World<'_>, secret: &ApiKeySecret) -> Result<Option<ApiKey>, String> {
    world.ports.keys.find_by_secret(&SystemScope::patron(), secret).await.or_say("keys.find_by_secret")
}

async fn created(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let roles = |roles: &[Role]| Roles::new(roles.iter().copied()).or_say("the literal");
    let time = |text: &str| Timestamp::parse(text).or_say("the literal");
    let long_name: String = "ä🦀'%".repeat(100).chars().take(ApiKeyName::MAX_CHARS).collect();
    let mut wanted = Vec::new();
    for own_roles in [&[Role::SuperAdmin][..], &[Role::AllWriter], &[Role::AllReader], Role::ALL] {
        let secret = world.secret()?;
        let mut key = ApiKey { roles: roles(own_roles)?, ..world.key(&scope, &secret) };
        if own_roles.len() > 1 {
            key.name = ApiKeyName::new(long_name.as_str()).or_say("the literal")?;
            key.expires_at = Some(time("9999-12-31T23:59:59.999999Z")?);
            key.last_used_at = Some(world.now());
            let networks = ["192.0.2.0/24", "2001:db8::1"].map(Network::new).into_iter().collect::<Result<_, _>>();
            key.allowed_networks = AllowedNetworks::new(networks.or_say("the literal")?).or_say("the literal")?;
            key.rate_limit = RateLimit { reads: PerSecond::new(7).ok(), writes: PerSecond::new(1_000_000).ok() };
        }
        world.ports.keys.create(&scope, key.clone(), secret.clone(), None).await.or_say("keys.create")?;
        same("the key by its id", &find(world, key.id).await?.as_ref(), &Some(&key))?;
        same("the key by its secret", &by_secret(world, &secret).await?.as_ref(), &Some(&key))?;
        wanted.insert(0, key);
    }
    let page = world.ports.keys.list(&scope, None, PageRequest::default()).await.or_say("keys.list")?;
    same("the keys listed", &(page.items, page.total), &(wanted, 4))
}

async fn unknown(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created_key(&scope).await?;
    same("the key of an unknown id", &find(world, world.id()).await?, &None)?;
    same("the key of an unknown secret", &by_secret(world, &world.secret()?).await?, &None)
}

async fn distinct(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let one = format!("{}-key", world.secret()?.expose());
    let texts = [
        one.clone(),
        format!("{one}x"),
        one.replace("key", "Key"),
        one.replace("-key", "_key"),
        one.replace("-key", "%"),
    ];
    let mut keys = Vec::new();
    for text in &texts {
        let secret = ApiKeySecret::new(text.as_str()).or_say("the literal")?;
        let key = world.key(&scope, &secret);
        world.ports.keys.create(&scope, key.clone(), secret.clone(), None).await.or_say("keys.create")?;
        keys.push((secret, key.id));
    }
    for (secret, id) in keys {
        same("the key", &by_secret(world, &secret).await?.map(|key| key.id), &Some(id))?;
    }
    Ok(())
}

/// Five keys whose times and ids have different orders. Returns their ids, the newest first.
async fn five(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<ApiKeyId>, String> {
    let base = world.now();
    let mut keys = Vec::new();
    for micros in [300, 100, 200, 200, 0] {
        let at = Timestamp::from_micros(base.micros() + micros).or_say("the literal")?;
        let secret = world.secret()?;
        let key = ApiKey { audit: Audit::created(at, &scope.actor), ..world.key(scope, &secret) };
        keys.push((at, key.id));
        world.ports.keys.create(scope, key, secret, None).await.or_say("keys.create")?;
    }
    keys.sort();
    Ok(keys.into_iter().rev().map(|(_, id)| id).collect())
}

async fn order(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let wanted = five(world, &scope).await?;
    let page = world.ports.keys.list(&scope, None, PageRequest::default()).await.or_say("keys.list")?;
    same("the keys", &page.items.iter().map(|key| key.id).collect(), &wanted)
}

async fn pages(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let whole = five(world, &scope).await?;
    for cut in CUTS {
        let found = world.ports.keys.list(&scope, None, page(cut.0, cut.1)?).await.or_say("keys.list")?;
        is_cut(cut, &found, |key| key.id, &whole)?;
    }
    Ok(())
}

/// The key after a revocation.
fn revoked(key: &ApiKey, at: Timestamp, by: &Actor) -> ApiKey {
    let audit = Audit { updated_at: at, updated_by: by.clone(), ..key.audit.clone() };
    ApiKey { revoked_at: Some(at), audit, ..key.clone() }
}

fn revoker(scope: &EnvironmentScope, name: &str) -> Result<EnvironmentScope, String> {
    Ok(EnvironmentScope { actor: Actor::new(name).or_say("the literal")?, ..scope.clone() })
}

async fn revoke(world: &World<'_>) -> Outcome {
    let scope = revoker(&world.environment().await?, "revoker")?;
    let (other, _) = world.created_key(&scope).await?;
    let (key, _) = world.created_key(&scope).await?;
    let at = world.now();
    let answer = world.ports.keys.revoke(&scope, key.id, at, None).await.or_say("keys.revoke")?;
    let wanted = revoked(&key, at, &scope.actor);
    same("the result", &answer, &Some(Done::now(wanted.clone())))?;
    // The look-up by secret may return the earlier state for a while, so it is not checked.
    same("the key by its id", &find(world, key.id).await?.as_ref(), &Some(&wanted))?;
    let page = world.ports.keys.list(&scope, None, PageRequest::default()).await.or_say("keys.list")?;
    same("the keys listed", &page.items, &vec![wanted, other])
}

async fn revoke_twice(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (key, _) = world.created_key(&scope).await?;
    let first = world.now();
    let wanted = revoked(&key, first, &revoker(&scope, "first")?.actor);
    for (name, at) in [("first", first), ("second", world.now()), ("third", first)] {
        let answer = world.ports.keys.revoke(&revoker(&scope, name)?, key.id, at, None).await.or_say("keys.revoke")?;
        same(&format!("the {name} result"), &answer, &Some(Done::now(wanted.clone())))?;
    }
    same("the key by its id", &find(world, key.id).await?, &Some(wanted))
}

async fn rotation(world: &World<'_>, scope: &EnvironmentScope, replaced: ApiKeyId) -> Result<KeyRotation, String> {
    let secret = world.secret()?;
    let key = world.key(scope, &secret);
    Ok(KeyRotation { replaced, until: world.now(), key, secret })
}

async fn rotate(world: &World<'_>) -> Outcome {
    let scope = revoker(&world.environment().await?, "rotator")?;
    let (old, _) = world.created_key(&scope).await?;
    let rotation = rotation(world, &scope, old.id).await?;
    let KeyRotation { until, key, secret, .. } = rotation.clone();
    let answer = world.ports.keys.rotate(&scope, rotation, None).await.or_say("keys.rotate")?;
    same("the answer", &answer, &Done::now(key.clone()))?;
    same("the new key", &find(world, key.id).await?.as_ref(), &Some(&key))?;
    same("the new key by its secret", &by_secret(world, &secret).await?, &Some(key.clone()))?;
    let wanted = old.replaced(until, key.audit.created_at, &scope.actor).or_say("replacing it")?;
    same("the old key", &find(world, old.id).await?, &Some(wanted))
}

async fn rotate_refused(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    let (key, _) = world.created_key(here).await?;
    let (ended, _) = world.created_key(here).await?;
    world.ports.keys.revoke(here, ended.id, world.now(), None).await.or_say("keys.revoke")?;
    let ended = find(world, ended.id).await?;
    let mut calls = vec![(here.clone(), world.id(), RotateKeyError::Unknown)];
    calls.extend(ended.iter().map(|ended| (here.clone(), ended.id, RotateKeyError::Ended(NotRotated))));
    calls.extend(neighbours.elsewhere().map(|(_, scope)| (scope, key.id, RotateKeyError::Unknown)));
    for (scope, replaced, refusal) in calls {
        let rotation = rotation(world, &scope, replaced).await?;
        let new = rotation.key.id;
        same("the answer", &world.ports.keys.rotate(&scope, rotation, None).await, &Err(refusal))?;
        same("the new key", &find(world, new).await?, &None)?;
    }
    same("the key", &find(world, key.id).await?, &Some(key))?;
    same("the revoked key", &find(world, ended.as_ref().map_or_else(|| world.id(), |key| key.id)).await?, &ended)
}

async fn revoke_elsewhere(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let (key, _) = world.created_key(&neighbours.here).await?;
    for (whose, scope) in neighbours.elsewhere() {
        let answer = world.ports.keys.revoke(&scope, key.id, world.now(), None).await.or_say("keys.revoke")?;
        same(&format!("the result for {whose}"), &answer, &None)?;
    }
    let unknown = IdSequence::start(world.now(), [9; 10]).next_id();
    let answer = world.ports.keys.revoke(&neighbours.here, unknown, world.now(), None).await.or_say("keys.revoke")?;
    same("the result for an unknown id", &answer, &None)?;
    same("the key afterwards", &find(world, key.id).await?, &Some(key))
}

async fn list_revoked(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (first, _) = world.created_key(&scope).await?;
    let (second, _) = world.created_key(&scope).await?;
    let (third, _) = world.created_key(&scope).await?;
    world.ports.keys.revoke(&scope, second.id, world.now(), None).await.or_say("keys.revoke")?;
    for (revoked, wanted) in [
        (None, vec![third.id, second.id, first.id]),
        (Some(false), vec![third.id, first.id]),
        (Some(true), vec![second.id]),
    ] {
        let found = world.ports.keys.list(&scope, revoked, page(1, 0)?).await.or_say("keys.list")?;
        let total = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
        same(&format!("the total with revoked {revoked:?}"), &found.total, &total)?;
        let found = world.ports.keys.list(&scope, revoked, PageRequest::default()).await.or_say("keys.list")?;
        let found: Vec<_> = found.items.iter().map(|key| key.id).collect();
        same(&format!("the keys with revoked {revoked:?}"), &found, &wanted)?;
    }
    Ok(())
}

async fn record(world: &World<'_>, uses: Vec<KeyUse>) -> Outcome {
    world.ports.keys.record_uses(&SystemScope::patron(), uses).await.or_say("keys.record_uses")
}

async fn uses(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let (unused, _) = world.created_key(&neighbours.here).await?;
    let mut wanted = Vec::new();
    for scope in [&neighbours.here, &neighbours.next_door, &neighbours.abroad] {
        let (key, _) = world.created_key(scope).await?;
        wanted.push(ApiKey { last_used_at: Some(world.now()), ..key });
    }
    let told = wanted.iter().filter_map(|key| Some(KeyUse { id: key.id, at: key.last_used_at? }));
    record(world, told.collect()).await?;
    for key in &wanted {
        same("the key by its id", &find(world, key.id).await?.as_ref(), &Some(key))?;
    }
    same("the key that was not used", &find(world, unused.id).await?.as_ref(), &Some(&unused))?;
    let listed = world.ports.keys.list(&neighbours.here, None, PageRequest::default()).await.or_say("keys.list")?;
    same("the keys listed", &listed.items, &vec![wanted.remove(0), unused])
}

async fn uses_in_any_order(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (key, _) = world.created_key(&scope).await?;
    let (early, late) = (world.now(), world.now());
    let told = |at| vec![KeyUse { id: key.id, at }];
    for (at, wanted) in [(early, early), (late, late), (early, late), (late, late)] {
        record(world, told(at)).await?;
        same("the last use", &find(world, key.id).await?.and_then(|key| key.last_used_at), &Some(wanted))?;
    }
    let both = vec![KeyUse { id: key.id, at: late }, KeyUse { id: key.id, at: early }];
    record(world, both).await?;
    same("the last use", &find(world, key.id).await?.and_then(|key| key.last_used_at), &Some(late))
}

async fn uses_unknown(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (key, _) = world.created_key(&scope).await?;
    let at = world.now();
    let mut told: Vec<_> = (1..MAX_USES).map(|_| KeyUse { id: world.id(), at }).collect();
    record(world, told.clone()).await?;
    told.push(KeyUse { id: key.id, at });
    record(world, told).await?;
    record(world, Vec::new()).await?;
    same("the last use", &find(world, key.id).await?.and_then(|key| key.last_used_at), &Some(at))
}
