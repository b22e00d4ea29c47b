//! Changes of external ids.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{
    Report,
    changing::{create_or_note, rename},
    equal::equal,
    world::{Outcome, World, same},
};
use crate::{
    customer::{Amendment, ChangeCustomerError},
    event::CustomerEventKind,
    ids::CustomerId,
    tenancy::EnvironmentScope,
    testkit::a_customer,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.find_by_external_id: a former external id finds the last customer that had it",
        former(world).await,
    );
    report.note(
        "customers.find_by_external_id: a former external id does not find an archived customer",
        former_archived(world).await,
    );
    report.note(
        "customers.change: of concurrent changes to one external id exactly one succeeds",
        renamed_at_once(world).await,
    );
    report.note(
        "customers.change: concurrent calls that create or update create exactly one customer and lose no update",
        created_or_updated(world).await,
    );
}

/// Checks which customer each external id finds.
async fn lead(world: &World<'_>, scope: &EnvironmentScope, wanted: &[(&str, Option<CustomerId>)]) -> Outcome {
    for (external_id, id) in wanted {
        let found = world.find_external(scope, external_id).await?.map(|record| record.customer.id);
        same(&format!("the customer found by `{external_id}`"), &found, id)?;
    }
    Ok(())
}

async fn former(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let one = world.created(&scope, a_customer("a")).await?.state.customer.id;
    world.amended(&scope, one, rename("b")?).await?;
    world.amended(&scope, one, rename("c")?).await?;
    lead(world, &scope, &[("a", Some(one)), ("b", Some(one)), ("c", Some(one)), ("d", None)]).await?;
    // Another customer takes the first external id and gives it up again: it had it last.
    let two = world.created(&scope, a_customer("a")).await?.state.customer.id;
    lead(world, &scope, &[("a", Some(two)), ("b", Some(one)), ("c", Some(one))]).await?;
    world.amended(&scope, two, rename("d")?).await?;
    lead(world, &scope, &[("a", Some(two)), ("b", Some(one)), ("d", Some(two))]).await?;
    // The first customer takes one of its former external ids again.
    world.amended(&scope, one, rename("b")?).await?;
    lead(world, &scope, &[("a", Some(two)), ("b", Some(one)), ("c", Some(one))]).await?;
    let neighbour = world.environment_of(scope.owner.tenant_id).await?;
    lead(world, &neighbour, &[("a", None), ("b", None), ("c", None)]).await
}

async fn former_archived(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("a")).await?.state.customer.id;
    world.amended(&scope, id, rename("b")?).await?;
    world.amended(&scope, id, Amendment::Archive).await?;
    lead(world, &scope, &[("a", None), ("b", None)]).await?;
    world.amended(&scope, id, Amendment::Restore).await?;
    lead(world, &scope, &[("a", Some(id)), ("b", Some(id))]).await
}

async fn renamed_at_once(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut ids = Vec::new();
    for n in 0..8 {
        ids.push(world.created(&scope, a_customer(&format!("customer {n}"))).await?.state.customer.id);
    }
    let one = async |id: CustomerId| Ok::<_, String>(world.amend(&scope, id, rename("wanted")?).await);
    let answers = join_all(ids.into_iter().map(one)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let winners: Vec<_> = answers.iter().flatten().collect();
    let [winner] = winners.as_slice() else { return Err(format!("{} of 8 succeeded", winners.len())) };
    let existing = winner.state.customer.id;
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        same("the other results", refusal, &ChangeCustomerError::ExternalIdTaken { existing })?;
    }
    for n in 0..8 {
        let external_id = format!("customer {n}");
        let found = world.find_external(&scope, &external_id).await?.ok_or("a customer is lost")?;
        let now = if found.customer.id == existing { "wanted" } else { &external_id };
        same("the external id", &found.customer.external_id.as_str(), &now)?;
    }
    Ok(())
}

async fn created_or_updated(world: &World<'_>) -> Outcome {
    const CALLERS: usize = 12;
    let scope = world.environment().await?;
    let one = async |n: usize| {
        let new = a_customer("acme").noted("made by", &n.to_string()).build();
        let change = create_or_note(new, &format!("caller {n}"), &format!("k{n}"))?;
        world.change(&scope, world.command(change)).await.map_err(|error| format!("caller {n} got: {error}"))
    };
    let changed = join_all((0..CALLERS).map(one)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut events: Vec<_> = changed.into_iter().map(|changed| changed.event).collect();
    events.sort_by_key(|event| event.sequence);
    let ids: BTreeSet<CustomerId> = events.iter().map(|event| event.state.customer.id).collect();
    same("customers", &ids.len(), &1)?;
    let created = events.iter().filter(|event| matches!(event.kind, CustomerEventKind::Created { .. })).count();
    same("creates", &created, &1)?;
    let last = events.last().ok_or("no event was written")?;
    same("the notes of all callers", &last.state.customer.profile.metadata.len(), &CALLERS)?;
    world.is_as(&scope, last).await?;
    let history = world.events(&scope, last.state.customer.id).await?;
    same("events", &history.len(), &CALLERS)?;
    history.iter().zip(&events).try_for_each(|(found, wanted)| equal("an event", found, wanted))
}
