//! Retention: the settings of environments, requests for customers whose retention has ended, and former external ids.

use std::time::Duration;

use super::{
    Report,
    changing::rename,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{Amendment, HoldReason, NewLegalHold},
    ids::{CustomerId, IdGenerator},
    lifecycle::Precondition,
    privacy::{
        DeletionQuery, DeletionState, PrivacyError, PutRetention, RequestChannel, Retention, RetentionDays,
        RetentionSetting, RetentionStep,
    },
    tenancy::{EnvironmentScope, SystemScope},
    testkit::a_customer,
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("retention.put: is read back, and only a different retention is a change", put_back(world).await);
    report.note("retention.put: an empty one deletes the setting, and others do not see it", emptied(world).await);
    report
        .note("retention.retained: archived customers since their archiving, the oldest first", retained(world).await);
    report.note("retention.request_old: requests what is old and not held, a few at a time", requested(world).await);
    report.note(
        "retention.forget_former_ids: old former ids find nothing, and the customer stays",
        forgotten(world).await,
    );
}

fn days(archived: i64) -> Result<Retention, String> {
    let days = RetentionDays::new(archived).or_say("the literal")?;
    Ok(Retention { archived_days: Some(days), former_ids_days: None })
}

async fn put(
    world: &World<'_>,
    scope: &EnvironmentScope,
    retention: Retention,
    only_if: Precondition,
) -> Result<RetentionSetting, PrivacyError> {
    let put = PutRetention { retention, at: world.now(), only_if };
    world.ports.customer_retention.put(scope, put).await
}

async fn setting(world: &World<'_>, scope: &EnvironmentScope) -> Result<Option<RetentionSetting>, String> {
    world.ports.customer_retention.setting(scope).await.or_say("retention.setting")
}

async fn put_back(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let first = put(world, &scope, days(30)?, Precondition::None).await.or_say("retention.put")?;
    same("the setting", &setting(world, &scope).await?.as_ref(), &Some(&first))?;
    let again = put(world, &scope, days(30)?, Precondition::None).await.or_say("retention.put")?;
    same("the same again", &again, &first)?;
    let version = first.audit.version();
    let second = put(world, &scope, days(31)?, Precondition::OneOf(vec![version])).await.or_say("retention.put")?;
    holds(second.audit.version() > version, || "a change has no new version".to_owned())?;
    let stale = put(world, &scope, days(32)?, Precondition::OneOf(vec![version])).await;
    holds(matches!(stale, Err(PrivacyError::VersionConflict(_))), || format!("a stale change: {stale:?}"))?;
    same("the setting after a stale change", &setting(world, &scope).await?, &Some(second))
}

async fn emptied(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    let made = put(world, here, days(30)?, Precondition::None).await.or_say("retention.put")?;
    for (where_, scope) in neighbours.elsewhere() {
        holds(setting(world, &scope).await?.is_none(), || format!("{where_} sees the setting"))?;
    }
    let all = async || world.ports.customer_retention.settings(&SystemScope::patron()).await.or_say("settings");
    let own = |all: Vec<(crate::lifecycle::Owner, Retention)>| all.into_iter().find(|(owner, _)| *owner == here.owner);
    same("among all", &own(all().await?), &Some((here.owner, made.retention)))?;
    put(world, here, Retention::default(), Precondition::None).await.or_say("retention.put")?;
    same("a deleted setting", &setting(world, here).await?, &None)?;
    same("among all, once deleted", &own(all().await?), &None)
}

/// An archived customer, and when it was archived.
async fn archived(
    world: &World<'_>,
    scope: &EnvironmentScope,
    external_id: &str,
) -> Result<(CustomerId, Timestamp), String> {
    let id = world.created(scope, a_customer(external_id)).await?.state.customer.id;
    let event = world.amended(scope, id, Amendment::Archive).await?;
    Ok((id, event.at))
}

async fn found(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<(CustomerId, Timestamp)>, String> {
    world.ports.customer_retention.retained(scope, 9).await.or_say("retention.retained")
}

async fn hold(world: &World<'_>, scope: &EnvironmentScope, id: CustomerId, until: Option<Timestamp>) -> Outcome {
    let reason = HoldReason::new("a lawsuit").or_say("the literal")?;
    world.amended(scope, id, Amendment::PlaceHold(NewLegalHold { reason, until })).await.map(drop)
}

async fn retained(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    world.created(here, a_customer("published")).await?;
    let (first, second) = (archived(world, here, "one").await?, archived(world, here, "two").await?);
    same("the customers", &found(world, here).await?, &vec![first, second])?;
    for (where_, scope) in neighbours.elsewhere() {
        same(where_, &found(world, &scope).await?, &Vec::new())?;
    }
    hold(world, here, first.0, None).await?;
    let until = world.now().later(Duration::from_secs(60));
    hold(world, here, second.0, Some(until)).await?;
    same("the held ones", &found(world, here).await?, &vec![(second.0, until)])?;
    world.amended(here, second.0, Amendment::Restore).await?;
    same("the restored one", &found(world, here).await?, &Vec::new())
}

fn step(world: &World<'_>, scope: &EnvironmentScope, before: Timestamp, limit: u16) -> RetentionStep {
    let at = world.now();
    RetentionStep { owner: scope.owner, before, ids: world.ids().start(at), at, limit }
}

async fn requested(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    let published = world.created(here, a_customer("published")).await?.state.customer.id;
    let held = archived(world, here, "held").await?.0;
    hold(world, here, held, None).await?;
    let mut old = Vec::new();
    for external_id in ["one", "two", "three"] {
        old.push(archived(world, here, external_id).await?);
    }
    let elsewhere = archived(world, &neighbours.next_door, "elsewhere").await?;
    let later = archived(world, here, "later").await?.0;
    let before = old.last().map(|(_, at)| *at).ok_or("no customer")?;
    let ask = async |limit: u16| {
        let step = step(world, here, before, limit);
        world.ports.customer_retention.request_old(&SystemScope::patron(), step).await.or_say("retention.request_old")
    };
    same("the first step", &ask(2).await?, &2)?;
    let rest: Vec<_> = found(world, here).await?.into_iter().map(|(id, _)| id).collect();
    same("what is left after it", &rest, &vec![old.last().map(|(id, _)| *id).ok_or("no customer")?, later])?;
    same("the second step", &ask(2).await?, &1)?;
    same("a third step", &ask(2).await?, &0)?;
    for id in [published, held, later] {
        holds(world.find(here, id).await?.is_some(), || "a customer that is kept is suppressed".to_owned())?;
    }
    let door = &neighbours.next_door;
    same("another environment's", &found(world, door).await?, &vec![elsewhere])?;
    let query = DeletionQuery { state: Some(DeletionState::Suppressed), before: None, limit: 9 };
    let requests = world.ports.privacy.requests(here, query).await.or_say("privacy.requests")?;
    let mut subjects: Vec<_> = requests.iter().map(|request| request.customer_id).collect();
    subjects.sort();
    let mut wanted: Vec<_> = old.iter().map(|(id, _)| *id).collect();
    wanted.sort();
    same("the requests", &subjects, &wanted)?;
    let at_once =
        requests.iter().all(|one| one.channel == RequestChannel::Retention && one.due_at == one.audit.created_at);
    holds(at_once, || "a request of the retention has a cool-down or another channel".to_owned())
}

async fn forgotten(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let mut renamed = Vec::new();
    for scope in [&neighbours.here, &neighbours.next_door] {
        let id = world.created(scope, a_customer("first")).await?.state.customer.id;
        let first = world.amended(scope, id, rename("second")?).await?;
        renamed.push((id, first.at, world.amended(scope, id, rename("third")?).await?));
    }
    let [(id, first, last), _] = renamed.as_slice() else { return Err("two customers".to_owned()) };
    let here = &neighbours.here;
    let forget = async |before: Timestamp| {
        let step = step(world, here, before, 9);
        world.ports.customer_retention.forget_former_ids(&SystemScope::patron(), step).await.or_say("forget_former_ids")
    };
    same("before any is old", &forget(first.earlier(Duration::from_secs(1))).await?, &0)?;
    same("the first is old", &forget(*first).await?, &1)?;
    same("once more", &forget(*first).await?, &0)?;
    let of = async |scope: &EnvironmentScope, external_id: &str| {
        Ok::<_, String>(world.find_external(scope, external_id).await?.map(|found| found.customer.id))
    };
    same("the customer of the old id", &of(here, "first").await?, &None)?;
    same("the customer of the later id", &of(here, "second").await?, &Some(*id))?;
    let next_door = of(&neighbours.next_door, "first").await?;
    holds(next_door.is_some(), || "another environment lost a former id".to_owned())?;
    let mut wanted = last.clone();
    wanted.state.former_external_ids.retain(|former| former.external_id.as_str() != "first");
    world.is_as(here, &wanted).await
}
