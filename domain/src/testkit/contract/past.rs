//! Earlier states.

use super::{
    Report,
    changing::rename,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{Amendment, CustomerAggregate, ExternalId, held_at},
    event::{CustomerEvent, EventEntity, EventPosition, EventQuery, EventRecord, EventState, Moment, Past},
    lifecycle::Version,
    retention::OldEvents,
    tenancy::{EnvironmentScope, SystemScope},
    testkit::a_customer,
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("events.past: the state at a time and of a version", states(world).await);
    report.note("events.past: sees only the entities of its scope", isolated(world).await);
    report.note("events.past: says where events were removed", removed(world).await);
    report.note("events.latest: the newest events before a position, of all entities or of one", latest(world).await);
    report.note("events.external_id_terms: every customer that has or had an external id", terms(world).await);
}

async fn past(
    world: &World<'_>,
    scope: &EnvironmentScope,
    entity: EventEntity,
    moment: Moment,
) -> Result<Past, String> {
    world.ports.events.past(scope, entity, moment).await.or_say("events.past")
}

fn state(customer: &CustomerAggregate) -> Past {
    Past::State(Box::new(EventState::Customer(Box::new(customer.clone()))))
}

fn micros(at: Timestamp, by: i64) -> Result<Timestamp, String> {
    Timestamp::from_micros(at.micros() + by).or_say("the literal")
}

/// A customer with 13 versions, beside another one whose events lie between its own.
async fn story(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<CustomerEvent>, String> {
    let mut events = vec![world.created(scope, a_customer("one")).await?];
    let id = events[0].state.customer.id;
    let other = world.created(scope, a_customer("other")).await?.state.customer.id;
    for number in 0..10 {
        events.push(world.amended(scope, id, rename(&format!("one {number}"))?).await?);
        world.amended(scope, other, rename(&format!("other {number}"))?).await?;
    }
    events.push(world.amended(scope, id, Amendment::Archive).await?);
    events.push(world.amended(scope, id, Amendment::Restore).await?);
    Ok(events)
}

async fn states(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let events = story(world, &scope).await?;
    let entity = EventEntity::Customer(events[0].state.customer.id);
    let before = micros(events[0].at, -1)?;
    same("before its creation", &(past(world, &scope, entity, Moment::At(before)).await? == Past::Absent), &true)?;
    for (place, event) in events.iter().enumerate() {
        let wanted = state(&event.state);
        let until = match events.get(place + 1) {
            Some(next) => micros(next.at, -1)?,
            None => micros(event.at, 1_000_000)?,
        };
        for at in [event.at, micros(event.at, 1)?, until] {
            holds(past(world, &scope, entity, Moment::At(at)).await? == wanted, || {
                format!("the state after change {} is another at a later time", event.sequence.get())
            })?;
        }
        let version = past(world, &scope, entity, Moment::Version(event.sequence)).await?;
        holds(version == wanted, || format!("version {} is another", event.sequence.get()))?;
    }
    let last = events.last().map_or(Version::FIRST, |event| event.sequence);
    let next = past(world, &scope, entity, Moment::Version(last.next())).await?;
    holds(next == Past::Absent, || "a version that does not exist yet was found".to_owned())
}

async fn latest(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let events = story(world, &scope).await?;
    let mut all = super::events::follow(world, &scope, EventQuery::default()).await?;
    all.reverse();
    let one = EventEntity::Customer(events[0].state.customer.id);
    for entity in [None, Some(one)] {
        let bare = |event: &EventRecord| EventRecord { state: None, ..event.clone() };
        let own: Vec<_> = all.iter().filter(|event| entity.is_none_or(|one| event.entity == one)).map(bare).collect();
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let portion = world.ports.events.latest(&scope, entity, before, 5).await.or_say("events.latest")?;
            let Some(last) = portion.last() else { break };
            holds(portion.len() <= 5, || "more events than the limit".to_owned())?;
            holds(found.len() <= own.len(), || "an event was returned twice".to_owned())?;
            before = Some(last.position);
            found.extend(portion);
        }
        holds(found == own, || "other events than those of the log".to_owned())?;
    }
    Ok(())
}

async fn isolated(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let created = world.created(&neighbours.here, a_customer("one")).await?;
    let entity = EventEntity::Customer(created.state.customer.id);
    for (whose, scope) in neighbours.elsewhere() {
        for moment in [Moment::At(micros(created.at, 1)?), Moment::Version(Version::FIRST)] {
            let found = past(world, &scope, entity, moment).await?;
            holds(found == Past::Absent, || format!("{whose} sees a customer"))?;
        }
        let external_id = created.state.customer.external_id.clone();
        let terms = world.ports.events.external_id_terms(&scope, &external_id).await;
        same(whose, &terms.or_say("events.external_id_terms")?.len(), &0)?;
    }
    Ok(())
}

async fn removed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let events = story(world, &scope).await?;
    let quiet = world.created(&scope, a_customer("quiet")).await?;
    // The last event of an environment always stays.
    world.created(&scope, a_customer("last")).await?;
    let remove = async |before: Timestamp| {
        let old = OldEvents { happened_before: before, up_to: EventPosition::MAX };
        let removed = world.ports.retention.remove_events(&SystemScope::patron(), scope.owner, old, 1_000).await;
        removed.or_say("retention.remove_events").map(drop)
    };
    remove(events[7].at).await?;
    let entity = EventEntity::Customer(events[0].state.customer.id);
    let gone = Past::Removed { oldest_at: events[7].at };
    for moment in [
        Moment::At(micros(events[0].at, -1)?),
        Moment::At(events[6].at),
        Moment::At(micros(events[7].at, -1)?),
        Moment::Version(events[6].sequence),
    ] {
        holds(past(world, &scope, entity, moment).await? == gone, || format!("{moment:?} was not removed"))?;
    }
    for event in &events[7..] {
        holds(past(world, &scope, entity, Moment::At(event.at)).await? == state(&event.state), || {
            format!("the state after change {} is another, or missing", event.sequence.get())
        })?;
    }
    remove(micros(quiet.at, 1)?).await?;
    // No event of these customers is left, but their present state.
    let present = events.last().map_or(&quiet, |event| event);
    for event in [present, &quiet] {
        let entity = EventEntity::Customer(event.state.customer.id);
        for moment in [Moment::At(event.at), Moment::Version(event.sequence)] {
            let found = past(world, &scope, entity, moment).await?;
            holds(found == state(&event.state), || format!("the present state was not found for {moment:?}"))?;
        }
        let earlier = past(world, &scope, entity, Moment::At(micros(event.at, -1)?)).await?;
        holds(earlier == Past::Removed { oldest_at: event.at }, || "an earlier state was not removed".to_owned())?;
    }
    Ok(())
}

async fn terms(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let wanted = ExternalId::new("one").or_say("the literal")?;
    // The first loses the id by a rename, the second by its archiving, the third has it.
    let first = world.created(&scope, a_customer("one")).await?;
    let renamed = world.amended(&scope, first.state.customer.id, rename("another")?).await?;
    let second = world.created(&scope, a_customer("one")).await?;
    let archived = world.amended(&scope, second.state.customer.id, Amendment::Archive).await?;
    let third = world.created(&scope, a_customer("one")).await?;
    let found = world.ports.events.external_id_terms(&scope, &wanted).await.or_say("events.external_id_terms")?;
    let holders = |at: Timestamp| held_at(found.iter().copied(), at);
    let ids = [&first, &second, &third].map(|event| event.state.customer.id);
    same("the first's", &holders(first.at), &vec![ids[0]])?;
    same("after its rename", &holders(renamed.at), &Vec::new())?;
    same("the second's", &holders(archived.at), &vec![ids[1]])?;
    same("the third's", &holders(third.at), &vec![ids[2], ids[1]])?;
    let unknown = ExternalId::new("nothing").or_say("the literal")?;
    let unknown = world.ports.events.external_id_terms(&scope, &unknown).await.or_say("events.external_id_terms")?;
    same("an unknown id's", &unknown.len(), &0)
}
