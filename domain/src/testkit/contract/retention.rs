//! Removing old events.

use super::{
    Report,
    events::follow,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    event::{EventEntity, EventPosition, EventQuery},
    page::PageRequest,
    retention::OldEvents,
    tenancy::SystemScope,
    testkit::a_customer,
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "retention: removes only the first events of one environment, never the last event, and never a customer",
        events(world).await,
    );
}

async fn events(world: &World<'_>) -> Outcome {
    let (scope, other) = (world.environment().await?, world.environment().await?);
    for scope in [&scope, &other] {
        for external_id in ["a", "b", "c", "d", "e", "f"] {
            world.created(scope, a_customer(external_id)).await?;
        }
    }
    let all = follow(world, &scope, EventQuery::default()).await?;
    let whole = follow(world, &other, EventQuery::default()).await?;
    same("events", &(all.len(), whole.len()), &(6, 6))?;
    let after_all = Timestamp::from_micros(all[5].at.micros() + 1).or_say("the literal")?;
    let keep = |happened_before, up_to| OldEvents { happened_before, up_to };
    for (old, limit, removed, left) in [
        (keep(all[2].at, EventPosition::MAX), 1, 1, 5),
        (keep(all[2].at, EventPosition::MAX), 100, 1, 4),
        (keep(all[2].at, EventPosition::MAX), 100, 0, 4),
        (keep(after_all, all[3].position), 100, 2, 2),
        // The last event stays, however old it is.
        (keep(after_all, EventPosition::MAX), 100, 1, 1),
        (keep(after_all, EventPosition::MAX), 100, 0, 1),
    ] {
        let done = world.ports.retention.remove_events(&SystemScope::patron(), scope.owner, old, limit).await;
        same("events removed", &done.or_say("retention.remove_events")?, &removed)?;
        let found = follow(world, &scope, EventQuery::default()).await?;
        same("events left", &found.len(), &left)?;
        holds(found == all[6 - left..], || "other events than the first were removed".to_owned())?;
    }
    let EventEntity::Customer(first) = all[0].entity else {
        return Err("the first event is not a customer's".to_owned());
    };
    let history = world.ports.events.history(&scope, all[0].entity, PageRequest::default()).await;
    same("the history of the first", &history.or_say("events.history")?.total, &0)?;
    holds(world.find(&scope, first).await?.is_some(), || "a customer was removed with its events".to_owned())?;
    holds(follow(world, &other, EventQuery::default()).await? == whole, || {
        "events of another environment were removed".to_owned()
    })?;
    let next = world.created(&scope, a_customer("next")).await?;
    let found = follow(world, &scope, EventQuery::default()).await?;
    let behind = found.last().is_some_and(|event| event.id == next.id && event.position > all[5].position);
    holds(behind, || "a position was used twice".to_owned())
}
