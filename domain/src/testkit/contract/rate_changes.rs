//! Scheduled changes of tax rates that begin.

use futures_util::future::join_all;

use super::{
    Report,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    event::{EventEntity, EventKind, TaxRateEventKind},
    ids::IdGenerator,
    page::PageRequest,
    tax::{ChangeTaxRate, NewTaxRateChange, Percentage, TaxRateAmendment, TaxValueParts},
    tenancy::SystemScope,
    testkit::a_tax_rate,
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("taxes.begin_changes: each change that begins is one event, in order", reported(world).await);
}

async fn reported(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    // Times of the world pass in small steps, so other environments have no change that begins before.
    let now = world.now();
    let from = [world.now(), world.now(), world.now().later(std::time::Duration::from_secs(3_600))];
    let mut changes = Vec::new();
    for (number, effective_from) in from.into_iter().enumerate() {
        let value = TaxValueParts { percentage: Percentage::new(format!("{number}")).ok(), ..TaxValueParts::default() };
        let new = NewTaxRateChange { id: world.id(), effective_from, value, correction: false };
        changes.push(new.id);
        let amendment = TaxRateAmendment::Schedule(new);
        let event_id = world.id();
        let command =
            ChangeTaxRate { id: rate.id, amendment, at: now, event_id, request_id: None, only_if: Default::default() };
        world.ports.taxes.change_rate(&scope, command, None).await.or_say("taxes.change_rate")?;
    }
    let begin = |at: Timestamp| async move {
        let ids = world.ids().start(world.now());
        world.ports.taxes.begin_changes(&SystemScope::patron(), at, ids, 100).await.or_say("taxes.begin_changes")
    };
    begin(now).await?;
    let kinds = async || {
        let entity = EventEntity::TaxRate(rate.id);
        let history =
            world.ports.events.history(&scope, entity, PageRequest::whole()).await.or_say("events.history")?;
        let kinds = history.items.iter().map(|event| match event.kind {
            EventKind::TaxRate(TaxRateEventKind::ValueChanged { change_id }) => Some(change_id),
            _ => None,
        });
        Ok::<_, String>(kinds.collect::<Vec<_>>())
    };
    same("the number of events before a change begins", &kinds().await?.len(), &4)?;
    let last = from.get(1).copied().ok_or("no time")?;
    for answer in join_all((0..4).map(|_| begin(last))).await {
        answer?;
    }
    let reported: Vec<_> = kinds().await?.into_iter().flatten().collect();
    holds(changes.get(..2) == Some(reported.as_slice()), || format!("{} changes are reported", reported.len()))?;
    let found = world.ports.taxes.find_rate(&scope, rate.id).await.or_say("taxes.find_rate")?.ok_or("no rate")?;
    same("the version after the events", &found.version.get(), &6)?;
    same("the next change", &found.next_change().map(|change| change.id), &changes.get(2).copied())
}
