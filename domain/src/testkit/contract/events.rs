//! The event log: complete, in order, and read without gaps during concurrent writes.

use std::collections::HashMap;

use futures_util::future::{join, join_all};

use super::{
    Report,
    changing::rename,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::Amendment,
    event::{
        EventCursor, EventEntities, EventEntity, EventEntityType, EventLimit, EventLogError, EventPosition, EventQuery,
        EventRecord, EventType, LogTakenBack, Reached, TaxRateEvent,
    },
    ids::EventId,
    lifecycle::{Owner, Version},
    page::PageRequest,
    patch::Patch,
    tax::{ChangeTaxRate, ChangeTaxRateError, TaxRateAmendment, TaxRateFacts, TaxRateName, TaxRateUpdate},
    tenancy::{EnvironmentScope, RequestId, SystemScope},
    testkit::{a_customer, a_tax_rate},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "events.read: a reader of the log gets each event once, in order, as it was written",
        followed(world).await,
    );
    report.note("events.read: skips exactly the events that the filters exclude", filtered(world).await);
    report.note("events.read: no event is missed during concurrent writes", concurrent(world).await);
    report.note("events: read_each and end see only the events of their scope", isolated(world).await);
    report.note("events.read: refuses a cursor of events that the log no longer holds", taken_back(world).await);
    report.note("events.history, events.find: the events of one entity, and one event", found(world).await);
    report.note("taxes: each change of a rate writes one event, and a refusal writes none", of_rates(world).await);
}

/// The obligations that concern the fields of events.
#[cfg(all(test, feature = "serde"))]
pub(super) async fn check_fields(world: &World<'_>, report: &mut Report) {
    report.note("events.read: fields", followed(world).await);
    report.note("events.history, events.find: fields", found(world).await);
}

/// All events of a scope, read in pages.
pub(super) async fn follow(
    world: &World<'_>,
    scope: &EnvironmentScope,
    query: EventQuery,
) -> Result<Vec<EventRecord>, String> {
    let mut query = query;
    let mut all: Vec<EventRecord> = Vec::new();
    loop {
        let page = world.ports.events.read(scope, &query).await.or_say("events.read")?;
        holds(page.events.len() <= usize::from(query.limit.get()), || "more events than the limit".to_owned())?;
        let mut last = query.after.position();
        for event in page.events {
            holds(event.position > last, || "the positions do not increase".to_owned())?;
            last = event.position;
            all.push(event);
        }
        holds(page.reached.position() >= last, || "a page ends beyond its reached position".to_owned())?;
        holds(!page.has_more || page.reached.position() > query.after.position(), || {
            "there is more, but the reader makes no progress".to_owned()
        })?;
        query.after = page.reached;
        if !page.has_more {
            return Ok(all);
        }
    }
}

fn pages_of(limit: u16) -> Result<EventQuery, String> {
    Ok(EventQuery { limit: EventLimit::new(limit).or_say("the literal")?, ..EventQuery::default() })
}

fn name_of(event: &EventRecord) -> (EventId, EventType, EventEntity, u64) {
    (event.id, event.kind.event_type(), event.entity, event.sequence.get())
}

/// Four customers, one changed twice, and a rate changed once: eight events and one refused change.
pub(super) async fn story(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<EventRecord>, String> {
    let mut wanted = Vec::new();
    let somewhere = EventPosition::START;
    for external_id in ["a", "b", "c"] {
        let event = world.created(scope, a_customer(external_id).linked("crm", external_id)).await?;
        wanted.push(EventRecord::of_customer(somewhere, event));
    }
    let rate = world.rate(scope, a_tax_rate("VAT"));
    let created = TaxRateEvent::created(world.id(), None, rate.clone());
    world.ports.taxes.create_rate(scope, created.clone(), None).await.or_say("taxes.create_rate")?;
    wanted.push(EventRecord::of_tax_rate(somewhere, created));
    let EventEntity::Customer(first) = wanted[0].entity else {
        return Err("the first event is not a customer's".to_owned());
    };
    let again = world.create(scope, a_customer("a")).await;
    holds(again.is_err(), || "a second customer with one external id".to_owned())?;
    for amendment in [rename("d")?, Amendment::Archive] {
        wanted.push(EventRecord::of_customer(somewhere, world.amended(scope, first, amendment).await?));
    }
    wanted.push(EventRecord::of_customer(somewhere, world.created(scope, a_customer("a")).await?));
    let name = Some(TaxRateName::new("another name").or_say("the literal")?);
    let amendment = TaxRateAmendment::Update(Box::new(TaxRateUpdate { name, ..TaxRateUpdate::default() }));
    let request_id = Some(RequestId::new("request-1").or_say("the literal")?);
    let rename = ChangeTaxRate {
        id: rate.id,
        amendment,
        at: world.now(),
        event_id: world.id(),
        request_id,
        only_if: Default::default(),
    };
    let facts = TaxRateFacts { current: Some(rate), ..TaxRateFacts::default() };
    let renamed = rename.clone().decide(scope, &facts).or_say("the decision")?;
    world.ports.taxes.change_rate(scope, rename, None).await.or_say("taxes.change_rate")?;
    wanted.push(EventRecord::of_tax_rate(somewhere, renamed));
    Ok(wanted)
}

async fn followed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let wanted = story(world, &scope).await?;
    for limit in [1, 2, 7, 1_000] {
        let found = follow(world, &scope, pages_of(limit)?).await?;
        let names: Vec<_> = found.iter().map(name_of).collect();
        same("the events", &names, &wanted.iter().map(name_of).collect())?;
        let as_written = found.iter().zip(&wanted);
        for (found, wanted) in as_written {
            let wanted = EventRecord { position: found.position, ..wanted.clone() };
            holds(*found == wanted, || format!("the event {} differs from what was written", found.id))?;
        }
    }
    Ok(())
}

async fn filtered(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let all = story(world, &scope).await?;
    let (first, fourth) = (&all[0], &all[3]);
    let updates = vec![EventType::CustomerUpdated, EventType::TaxRateCreated];
    let queries = [
        EventQuery { types: Some(updates), ..pages_of(1)? },
        EventQuery { types: Some(Vec::new()), ..pages_of(1)? },
        EventQuery { types: Some(vec![EventType::CustomerRestored]), ..pages_of(1)? },
        EventQuery { entities: EventEntities::One(first.entity), ..pages_of(2)? },
        EventQuery { entities: EventEntities::One(fourth.entity), ..pages_of(2)? },
        EventQuery { entities: EventEntities::Kind(EventEntityType::Customer), ..pages_of(2)? },
        EventQuery { entities: EventEntities::Kind(EventEntityType::TaxRate), ..pages_of(2)? },
        EventQuery { from: Some(fourth.at), ..pages_of(2)? },
        EventQuery { until: Some(fourth.at), ..pages_of(2)? },
        EventQuery { from: Some(fourth.at), until: Some(fourth.at), ..pages_of(2)? },
    ];
    for query in queries {
        let wanted: Vec<_> = all.iter().filter(|event| query.admits(event)).map(name_of).collect();
        let found = follow(world, &scope, query.clone()).await?;
        same(&format!("the events of {query:?}"), &found.iter().map(name_of).collect(), &wanted)?;
    }
    let end = world.ports.events.end(&SystemScope::patron(), scope.owner).await.or_say("events.end")?;
    let nothing = EventQuery { types: Some(Vec::new()), ..pages_of(1)? };
    let page = world.ports.events.read(&scope, &nothing).await.or_say("events.read")?;
    holds(page.reached.position() >= end.position(), || "a reader without matching events makes no progress".to_owned())
}

async fn concurrent(world: &World<'_>) -> Outcome {
    const WRITERS: usize = 8;
    const EACH: usize = 5;
    let scope = world.environment().await?;
    let write = async |writer: usize| -> Result<Vec<EventId>, String> {
        let created = world.created(&scope, a_customer(&format!("w{writer}"))).await?;
        let mut ids = vec![created.id];
        for turn in 0..EACH {
            let amendment = rename(&format!("w{writer}.{turn}"))?;
            ids.push(world.amended(&scope, created.state.customer.id, amendment).await?.id);
        }
        Ok(ids)
    };
    // Polled first, so that a store that never waits has written everything before it is read.
    let writers = join_all((0..WRITERS).map(write));
    let follower = async {
        let mut query = pages_of(3)?;
        let mut read: Vec<EventRecord> = Vec::new();
        let mut tries = 10_000;
        while tries > 0 && read.len() < WRITERS * (EACH + 1) {
            let page = world.ports.events.read(&scope, &query).await.or_say("events.read")?;
            tries -= 1;
            query.after = page.reached;
            read.extend(page.events);
        }
        Ok::<_, String>((read, query))
    };
    let (written, followed) = join(writers, follower).await;
    let (mut read, rest) = followed?;
    read.extend(follow(world, &scope, rest).await?);
    let mut wanted = Vec::new();
    for ids in written {
        wanted.extend(ids?);
    }
    let mut last = HashMap::new();
    for event in &read {
        let before = last.insert(event.entity, event.sequence);
        let expected = before.map_or(Version::FIRST, Version::next);
        same("the sequence of an entity's next event", &event.sequence, &expected)?;
    }
    let mut found: Vec<_> = read.iter().map(|event| event.id).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    same("the events that were read", &found, &wanted)
}

async fn isolated(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let written = story(world, &neighbours.here).await?;
    let events = &world.ports.events;
    let (first, entity) = (written[0].id, written[0].entity);
    for (which, scope) in neighbours.elsewhere() {
        let page = events.read(&scope, &EventQuery::default()).await.or_say("events.read")?;
        same(&format!("the events that {which} reads"), &page.events.len(), &0)?;
        let found = events.find(&scope, first).await.or_say("events.find")?;
        same(&format!("what {which} finds"), &found.is_some(), &false)?;
        let history = events.history(&scope, entity, PageRequest::default()).await.or_say("events.history")?;
        same(&format!("the history that {which} sees"), &(history.items.len(), history.total), &(0, 0))?;
    }
    let system = SystemScope::patron();
    let each = async |owner: Owner, query: &EventQuery| {
        let mut ids = Vec::new();
        let sink = Box::new(|event: EventRecord| ids.push(event.id));
        let reached = events.read_each(&system, owner, query, sink).await.or_say("read_each")?;
        Ok::<_, String>((ids, reached))
    };
    let here = neighbours.here.owner;
    let all: Vec<_> = written.iter().map(|event| event.id).collect();
    same("the events from read_each", &each(here, &EventQuery::default()).await?.0, &all)?;
    let next_door = each(neighbours.next_door.owner, &EventQuery::default()).await?.0;
    same("the events from read_each next door", &next_door, &vec![])?;
    let beginning = EventQuery { limit: EventLimit::new(2).unwrap_or_default(), ..EventQuery::default() };
    let page = events.read(&neighbours.here, &beginning).await.or_say("events.read")?;
    let reached = Reached { cursor: page.reached, has_more: page.has_more };
    let same_page = (page.events.iter().map(|event| event.id).collect(), reached);
    same("the partial result of read_each", &each(here, &beginning).await?, &same_page)?;
    let after = events.end(&system, here).await.or_say("events.end")?;
    let from_now_on = EventQuery { after, ..EventQuery::default() };
    same("the events after the end", &each(here, &from_now_on).await?.0, &vec![])?;
    let later = world.created(&neighbours.here, a_customer("later")).await?.id;
    same("the event written after the end", &each(here, &from_now_on).await?.0, &vec![later])
}

async fn taken_back(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let all = story(world, &scope).await?;
    let (events, system) = (&world.ports.events, SystemScope::patron());
    let read =
        async |after: EventCursor| events.read(&scope, &EventQuery { after, ..pages_of(1_000)? }).await.or_say("");
    let whole = events.read(&scope, &pages_of(1_000)?).await.or_say("events.read")?;
    let end = events.end(&system, scope.owner).await.or_say("events.end")?;
    same("the end of the log", &Some(end), &whole.events.last().map(EventRecord::cursor))?;
    same("the place that a reader of the whole log reached", &whole.reached, &end)?;
    let later = read(end).await?;
    same("the events read from the end", &(later.events.len(), later.reached), &(0, end))?;
    for event in &whole.events {
        read(event.cursor()).await?;
    }
    let unknown = EventCursor::behind(whole.events[2].position, world.id());
    let far = EventPosition::from_stored(end.position().stored() + 1).unwrap_or_default();
    for cursor in [unknown, EventCursor::behind(far, world.id()), EventCursor::unmarked(far)] {
        let query = EventQuery { after: cursor, ..pages_of(1_000)? };
        let Err(EventLogError::TakenBack(LogTakenBack { resume_from })) = events.read(&scope, &query).await else {
            return Err("a reader whose event is not in the log is not refused".to_owned());
        };
        let doubtful = |event: &&EventRecord| cursor.first_doubtful().is_none_or(|first| event.id >= first);
        let again = read(resume_from).await?;
        let first = whole.events.iter().find(doubtful).map(|event| event.id);
        same("the first event after the refusal", &again.events.first().map(|event| event.id), &first)?;
    }
    same("the events of the story", &whole.events.len(), &all.len())
}

async fn found(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    story(world, &scope).await?;
    // All methods return the same event.
    let all = follow(world, &scope, pages_of(1_000)?).await?;
    let events = &world.ports.events;
    for wanted in &all {
        let found = events.find(&scope, wanted.id).await.or_say("events.find")?.ok_or("events.find found nothing")?;
        holds(found == *wanted, || "events.find returned another event than events.read".to_owned())?;
        let own: Vec<_> = all.iter().filter(|event| event.entity == wanted.entity).cloned().collect();
        let page = PageRequest::new(1, 1).or_say("the literal")?;
        let cut = events.history(&scope, wanted.entity, page).await.or_say("events.history")?;
        let second: Vec<_> = own.iter().skip(1).take(1).cloned().collect();
        holds(cut.items == second, || "the second event of a history differs".to_owned())?;
        let whole = events.history(&scope, wanted.entity, PageRequest::default()).await.or_say("events.history")?;
        same("a history", &whole.items.iter().map(name_of).collect(), &own.iter().map(name_of).collect::<Vec<_>>())?;
        holds(whole.items == own, || "events.history returned other events than events.read".to_owned())?;
        let length = u64::try_from(own.len()).unwrap_or(u64::MAX);
        same("the totals", &(cut.total, whole.total), &(length, length))?;
    }
    let unknown = events.history(&scope, EventEntity::Customer(world.id()), PageRequest::default()).await;
    same("the history of an unknown entity", &unknown.or_say("events.history")?.total, &0)?;
    same("an unknown event", &events.find(&scope, world.id()).await.or_say("events.find")?.is_some(), &false)
}

async fn of_rates(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    holds(world.create_rate(&scope, world.rate(&scope, a_tax_rate("VAT"))).await.is_err(), || "two codes".to_owned())?;
    let change = async |amendment: TaxRateAmendment| {
        let (at, event_id) = (world.now(), world.id());
        let command =
            ChangeTaxRate { id: rate.id, amendment, at, event_id, request_id: None, only_if: Default::default() };
        world.ports.taxes.change_rate(&scope, command, None).await
    };
    let name = Some(TaxRateName::new("another name").or_say("the literal")?);
    let update = TaxRateUpdate { name, description: Patch::Clear, ..TaxRateUpdate::default() };
    change(TaxRateAmendment::Update(Box::new(update))).await.or_say("taxes.change_rate")?;
    change(TaxRateAmendment::Archive).await.or_say("taxes.change_rate")?;
    same("a second archiving", &change(TaxRateAmendment::Archive).await, &Err(ChangeTaxRateError::Unknown))?;
    let history = world.ports.events.history(&scope, EventEntity::TaxRate(rate.id), PageRequest::default()).await;
    let found: Vec<_> = history
        .or_say("events.history")?
        .items
        .iter()
        .map(|event| (event.kind.event_type(), event.sequence.get()))
        .collect();
    let wanted = [EventType::TaxRateCreated, EventType::TaxRateUpdated, EventType::TaxRateDeleted];
    same("the events of a rate", &found, &wanted.into_iter().zip(1..).collect())?;
    let all = follow(world, &scope, EventQuery::default()).await?;
    let changed: Vec<_> = all.iter().flat_map(|event| event.kind.changed()).collect();
    same("the changed fields", &changed.contains(&"name"), &true)
}
