//! The chain over the log of events.

use super::{
    Report,
    events::{follow, story},
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    event::{
        EventPosition, EventQuery, EventRecord,
        chain::{ChainHead, SealedEvent, verify_log},
    },
    retention::OldEvents,
    stored,
    tenancy::{EnvironmentScope, SystemScope},
    testkit::a_customer,
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("events.chain: covers every event and its state, and ends with the head", covered(world).await);
    report.note("events.chain: begins behind the events that were removed", anchored(world).await);
}

/// All events as they are sealed, in small pages.
async fn sealed(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<SealedEvent<'static>>, String> {
    let (mut all, mut after) = (Vec::new(), EventPosition::START);
    loop {
        let page = world.ports.chain.sealed(&SystemScope::patron(), scope.owner, after, 3).await;
        let page = page.or_say("events.chain.sealed")?;
        holds(page.len() <= 3, || "more events than the limit".to_owned())?;
        let Some(last) = page.last().and_then(|last| EventPosition::from_stored(last.position)) else { return Ok(all) };
        holds(last > after, || "the positions do not increase".to_owned())?;
        after = last;
        all.extend(page);
    }
}

/// The parts of an event that its readers see, as they are sealed.
fn shown(event: &EventRecord) -> (i64, String, String, String, i64, String, Option<String>) {
    (
        event.position.stored(),
        event.id.to_string(),
        event.kind.event_type().as_str().to_owned(),
        event.entity.id(),
        event.at.micros(),
        event.actor.as_str().to_owned(),
        event.state.as_ref().map(stored::event::state_document),
    )
}

async fn covered(world: &World<'_>) -> Outcome {
    let (scope, other) = (world.environment().await?, world.environment().await?);
    story(world, &scope).await?;
    story(world, &other).await?;
    let empty = world.environment().await?;
    for (scope, events) in [(&scope, 8), (&other, 8), (&empty, 0)] {
        let records = follow(world, scope, EventQuery::default()).await?;
        let sealed = sealed(world, scope).await?;
        let found = sealed.iter().map(|event| {
            let document = event.document.as_ref().map(|document| document.clone().into_owned());
            let texts =
                [&event.id, &event.event_type, &event.entity, &event.actor].map(|text| text.clone().into_owned());
            let [id, event_type, entity, actor] = texts;
            (event.position, id, event_type, entity, event.at, actor, document)
        });
        holds(found.eq(records.iter().map(shown)), || "other events are sealed than those of the log".to_owned())?;
        let verified = verify_log(&*world.ports.chain, scope.owner, None).await.or_say("verifying")?;
        same("events", &(verified.events, verified.erased), &(events, 0))?;
        same("where the chain begins", &verified.anchor, &ChainHead::START)?;
        let last = sealed.last().map_or(ChainHead::START.hash, |last| last.hash);
        same("the head", &verified.head.hash, &last)?;
    }
    Ok(())
}

async fn anchored(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    story(world, &scope).await?;
    let before = sealed(world, &scope).await?;
    let kept = verify_log(&*world.ports.chain, scope.owner, None).await.or_say("verifying")?.head;
    let happened_before = Timestamp::parse("9999-01-01T00:00:00Z").or_say("the literal")?;
    let old = OldEvents { happened_before, up_to: EventPosition::MAX };
    for (removed, limit) in [(3, 3), (4, 1)] {
        let done = world.ports.retention.remove_events(&SystemScope::patron(), scope.owner, old, limit).await;
        same("events removed", &done.or_say("retention.remove_events")?, &u64::from(limit))?;
        let verified = verify_log(&*world.ports.chain, scope.owner, Some(kept)).await.or_say("verifying")?;
        same("where the chain begins", &Some(verified.anchor.hash), &before.get(removed - 1).map(|event| event.hash))?;
        same("events", &verified.events, &(8 - removed as u64))?;
    }
    world.created(&scope, a_customer("next")).await?;
    let verified = verify_log(&*world.ports.chain, scope.owner, Some(kept)).await.or_say("verifying")?;
    same("the position of the head", &verified.head.position, &kept.position.next())
}
