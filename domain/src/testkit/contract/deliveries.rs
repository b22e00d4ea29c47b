//! Webhook deliveries: in order, filtered, retried and removed in steps.

use super::{
    Report,
    webhooks::{LEASE, made, of, system},
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    idempotency::Done,
    webhook::{Delivery, DeliveryKind, DeliveryQuery, DeliveryState, DeliveryStatus},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("webhooks.waiting: returns first deliveries in order, and due replays", waiting(world).await);
    report.note("webhooks.deliveries: the newest first, filtered by status, continued by id", deliveries(world).await);
    report.note("webhooks.retry_failed, webhooks.remove_deliveries: respect the limit", in_steps(world).await);
}

async fn waiting(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let endpoint = made(world, &scope).await?;
    let now = world.now();
    let waits = |position, kind, next_attempt_at| Delivery {
        kind,
        state: DeliveryState::Waiting { next_attempt_at },
        ..of(world, &endpoint, position)
    };
    use DeliveryKind::{First, Replay};
    let (soon, late) = (Some(now), Some(now.later(LEASE)));
    let mut through = of(world, &endpoint, 1);
    through.state = DeliveryState::Delivered;
    let all =
        vec![waits(5, First, None), waits(3, First, late), waits(9, Replay, soon), waits(7, Replay, late), through];
    world.ports.webhooks.add_deliveries(&scope, all, world.now(), None).await.or_say("add_deliveries")?;
    let found = world.ports.webhooks.waiting(&scope, endpoint.id, now, 9, 9).await.or_say("waiting")?;
    same("the waiting deliveries", &found.iter().map(|one| one.position.stored()).collect(), &vec![3, 5, 9])?;
    let found = world.ports.webhooks.waiting(&scope, endpoint.id, now, 1, 0).await.or_say("waiting")?;
    same("the first", &found.iter().map(|one| one.position.stored()).collect(), &vec![3])
}

async fn deliveries(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let endpoint = made(world, &scope).await?;
    let states = [DeliveryState::Delivered, DeliveryState::Failed, DeliveryState::Waiting { next_attempt_at: None }];
    let mut all = Vec::new();
    for (position, state) in (0..).zip(states.into_iter().cycle().take(7)) {
        all.insert(0, Delivery { state, ..of(world, &endpoint, position) });
    }
    world.ports.webhooks.add_deliveries(&scope, all.clone(), world.now(), None).await.or_say("add_deliveries")?;
    for status in [None, Some(DeliveryStatus::Delivered), Some(DeliveryStatus::Failed), Some(DeliveryStatus::Waiting)] {
        let own = all.iter().filter(|one| status.is_none_or(|status| one.state.status() == status)).cloned();
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let query = DeliveryQuery { status, before, limit: 2 };
            let found = world.ports.webhooks.deliveries(&scope, endpoint.id, query).await.or_say("deliveries")?;
            before = found.last().map(|one| one.id);
            let is_last = found.len() < 2;
            seen.extend(found);
            holds(seen.len() <= all.len(), || "the pages do not end".to_owned())?;
            if is_last {
                break;
            }
        }
        same("the deliveries", &seen, &own.collect())?;
    }
    Ok(())
}

async fn in_steps(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (endpoint, webhooks) = (made(world, &scope).await?, &world.ports.webhooks);
    let failed = (0..3).map(|position| Delivery { state: DeliveryState::Failed, ..of(world, &endpoint, position) });
    webhooks.add_deliveries(&scope, failed.collect(), world.now(), None).await.or_say("add_deliveries")?;
    let now = world.now();
    let retry = |limit| webhooks.retry_failed(&scope, endpoint.id, now, limit, None);
    same("the first two", &retry(2).await.or_say("retry_failed")?, &Done::now(2))?;
    let due = webhooks.waiting(&scope, endpoint.id, now, 9, 9).await.or_say("waiting")?;
    let due: Vec<_> = due.iter().map(|one| (one.position.stored(), one.kind, one.attempts)).collect();
    same("the due deliveries", &due, &vec![(0, DeliveryKind::Replay, 0), (1, DeliveryKind::Replay, 0)])?;
    same("the rest", &retry(9).await.or_say("retry_failed")?, &Done::now(1))?;
    // There may be old deliveries of others in the same database, so only the remaining ones are checked.
    let through = (3..6).map(|position| Delivery { state: DeliveryState::Delivered, ..of(world, &endpoint, position) });
    webhooks.add_deliveries(&scope, through.collect(), world.now(), None).await.or_say("add_deliveries")?;
    let (patron, changed_before) = (system(), world.now());
    let remove = |limit| webhooks.remove_deliveries(&patron, changed_before, limit);
    let removed = remove(2).await.or_say("remove_deliveries")?;
    holds(removed <= 2, || format!("{removed} were removed at once, expected at most two"))?;
    let mut steps = 0;
    while remove(1_000).await.or_say("remove_deliveries")? > 0 {
        steps += 1;
        holds(steps < 10_000, || "the removal does not end".to_owned())?;
    }
    let query = DeliveryQuery { limit: 10, ..DeliveryQuery::default() };
    let left = webhooks.deliveries(&scope, endpoint.id, query).await.or_say("deliveries")?;
    same("the remaining deliveries", &left.iter().map(|one| one.position.stored()).collect(), &vec![2, 1, 0])
}
