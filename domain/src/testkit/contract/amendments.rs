//! Changes of existing customers: versions, events, and concurrent changes.

use futures_util::future::join_all;

use super::{
    Report,
    changing::{associate, link, note, rename, unlink, update},
    equal::equal,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, Precondition},
    event::CustomerEvent,
    ids::CustomerId,
    lifecycle::Version,
    tax::{Priority, TaxAssociationUpdate},
    tenancy::EnvironmentScope,
    testkit::{a_customer, a_tax_rate},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.change: every change adds one version and one event with the new state",
        one_by_one(world).await,
    );
    report.note("customers.change: a refused change changes nothing", refused(world).await);
    report.note(
        "customers.change: each of several concurrent changes of a customer is decided on the result of the previous one",
        at_once(world).await,
    );
    report.note(
        "customers.change: a precondition is compared with the version, and a refusal returns the version",
        if_match(world).await,
    );
    report.note(
        "customers.change: of concurrent changes that expect one version exactly one succeeds",
        if_match_at_once(world).await,
    );
    report.note("customers.change: cannot change a customer of another environment or tenant", elsewhere(world).await);
}

/// Makes a change and returns its event. The customer must then have the event's state.
async fn step(
    world: &World<'_>,
    scope: &EnvironmentScope,
    events: &mut Vec<CustomerEvent>,
    amendment: Amendment,
) -> Outcome {
    let id = events.first().ok_or("no event yet")?.state.customer.id;
    let event = world.amended(scope, id, amendment).await?;
    let wanted = u64::try_from(events.len() + 1).unwrap_or(u64::MAX);
    same("the sequence", &event.sequence.get(), &wanted)?;
    same("the version", &event.state.customer.version, &event.sequence)?;
    let what = event.kind.event_type().as_str();
    world.is_as(scope, &event).await.map_err(|error| format!("after {what}: {error}"))?;
    events.push(event);
    Ok(())
}

async fn one_by_one(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut events = vec![world.created(&scope, a_customer("acme").linked("crm", "1")).await?];
    step(world, &scope, &mut events, update(note("Acme", "plan")?)).await?;
    for amendment in [link("stripe", "cus_1")?, link("stripe", "cus_2")?, unlink("crm")?] {
        step(world, &scope, &mut events, amendment).await?;
    }
    let mut association = None;
    if world.has_taxes {
        world.created_rate(&scope, a_tax_rate("VAT")).await?;
        step(world, &scope, &mut events, associate("VAT")?).await?;
        let made = events.last().and_then(|event| event.state.associations.first());
        let id = made.ok_or("no association was made")?.id;
        let priority = Some(Priority::new(7).or_say("the literal")?);
        let terms = TaxAssociationUpdate { priority, ..TaxAssociationUpdate::default() };
        step(world, &scope, &mut events, Amendment::UpdateAssociation(id, terms)).await?;
        association = Some(id);
    }
    for amendment in [Amendment::Archive, Amendment::Restore] {
        step(world, &scope, &mut events, amendment).await?;
    }
    if let Some(association) = association {
        step(world, &scope, &mut events, Amendment::Dissociate(association)).await?;
    }
    step(world, &scope, &mut events, rename("acme-2")?).await?;
    // A change without a new value writes nothing.
    let last = events.last().ok_or("no event")?;
    let id = last.state.customer.id;
    let unchanged = world.amended(&scope, id, update(note("Acme", "plan")?)).await?;
    same("the version after a change of nothing", &unchanged.state.customer.version, &last.state.customer.version)?;
    world.is_as(&scope, last).await?;
    let history = world.events(&scope, id).await?;
    same("events", &history.len(), &events.len())?;
    history.iter().zip(&events).try_for_each(|(found, wanted)| equal("an event of the history", found, wanted))
}

async fn refused(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created(&scope, a_customer("other")).await?;
    let event = world.created(&scope, a_customer("acme").named("Acme").linked("crm", "1")).await?;
    let id = event.state.customer.id;
    let none = world.id();
    let terms = TaxAssociationUpdate::default();
    type Wanted = fn(&ChangeCustomerError) -> bool;
    let cases: [(CustomerId, Amendment, Wanted); 8] = [
        (id, rename("other")?, |error| matches!(error, ChangeCustomerError::ExternalIdTaken { .. })),
        (id, unlink("stripe")?, |error| *error == ChangeCustomerError::UnknownMapping),
        (id, associate("NONE")?, |error| matches!(error, ChangeCustomerError::UnknownTaxRates(_))),
        (id, Amendment::UpdateAssociation(world.id(), terms), |error| {
            *error == ChangeCustomerError::UnknownAssociation
        }),
        (id, Amendment::Dissociate(world.id()), |error| *error == ChangeCustomerError::UnknownAssociation),
        (id, Amendment::Restore, |error| matches!(error, ChangeCustomerError::Forbidden(_))),
        (none, Amendment::Archive, |error| *error == ChangeCustomerError::UnknownCustomer),
        (none, link("crm", "2")?, |error| *error == ChangeCustomerError::UnknownCustomer),
    ];
    for (place, (id, amendment, wanted)) in cases.into_iter().enumerate() {
        match world.amend(&scope, id, amendment).await {
            Ok(_) => return Err(format!("change {place} succeeded")),
            Err(refusal) => holds(wanted(&refusal), || format!("change {place} was refused with: {refusal}"))?,
        }
    }
    world.is_as(&scope, &event).await?;
    same("events", &world.events(&scope, id).await?.len(), &1)
}

async fn at_once(world: &World<'_>) -> Outcome {
    const CALLERS: usize = 16;
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    let one = async |n: usize| world.amended(&scope, id, update(note(&format!("caller {n}"), &format!("k{n}"))?)).await;
    let mut events = join_all((0..CALLERS).map(one)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    events.sort_by_key(|event| event.sequence);
    for (place, event) in events.iter().enumerate() {
        same("the sequence", &event.sequence.get(), &u64::try_from(place + 2).unwrap_or(u64::MAX))?;
        same("the notes of all earlier changes", &event.state.customer.profile.metadata.len(), &(place + 1))?;
    }
    let last = events.last().ok_or("nothing was changed")?;
    world.is_as(&scope, last).await?;
    let history = world.events(&scope, id).await?;
    same("events", &history.len(), &(CALLERS + 1))?;
    history.iter().skip(1).zip(&events).try_for_each(|(found, wanted)| equal("an event", found, wanted))
}

/// An update with a precondition.
fn conditional(world: &World<'_>, id: CustomerId, key: &str, only_if: Precondition) -> Result<ChangeCustomer, String> {
    let command = world.command(CustomerChange::Amend(id, update(note("Acme", key)?)));
    Ok(ChangeCustomer { only_if, ..command })
}

async fn if_match(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    let first = || Precondition::OneOf(vec![Version::FIRST]);
    let changed = world.change(&scope, conditional(world, id, "a", first())?).await.or_say("the current version")?;
    let conflict = ChangeCustomerError::VersionConflict { current: Some(Version::FIRST.next()) };
    for wrong in [first(), Precondition::OneOf(Vec::new())] {
        let refused = world.change(&scope, conditional(world, id, "b", wrong)?).await;
        same("an update that expects an old version", &refused.map(drop), &Err(conflict.clone()))?;
    }
    world.is_as(&scope, &changed.event).await?;
    let either = Precondition::OneOf(vec![Version::FIRST, Version::FIRST.next()]);
    for right in [either, Precondition::Exists, Precondition::None] {
        world.change(&scope, conditional(world, id, "c", right)?).await.or_say("a condition that holds")?;
    }
    let new = world.command(CustomerChange::Create(a_customer("new").build()));
    let refused = world.change(&scope, ChangeCustomer { only_if: Precondition::Exists, ..new }).await;
    let wanted = Err(ChangeCustomerError::VersionConflict { current: None });
    same("a create with a precondition", &refused.map(drop), &wanted)?;
    holds(world.find_external(&scope, "new").await?.is_none(), || "the refused create was done".to_owned())
}

async fn if_match_at_once(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    let one = async |n: usize| {
        let only_if = Precondition::OneOf(vec![Version::FIRST]);
        Ok::<_, String>(world.change(&scope, conditional(world, id, &format!("k{n}"), only_if)?).await)
    };
    let answers = join_all((0..16).map(one)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let conflict = ChangeCustomerError::VersionConflict { current: Some(Version::FIRST.next()) };
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    same("successful changes", &made.len(), &1)?;
    for answer in refused {
        same("the other results", &answer.map(drop), &Err(conflict.clone()))?;
    }
    same("events", &world.events(&scope, id).await?.len(), &2)
}

async fn elsewhere(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let event = world.created(&neighbours.here, a_customer("acme").linked("crm", "1")).await?;
    let id = event.state.customer.id;
    for (place, scope) in neighbours.elsewhere() {
        for amendment in [update(note("X", "x")?), Amendment::Archive, link("crm", "2")?, unlink("crm")?] {
            let refused = world.amend(&scope, id, amendment).await.map(drop);
            same(place, &refused, &Err(ChangeCustomerError::UnknownCustomer))?;
        }
    }
    world.is_as(&neighbours.here, &event).await
}
