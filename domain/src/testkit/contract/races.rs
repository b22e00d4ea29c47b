//! Concurrent creates.

use std::collections::BTreeSet;

use futures_util::{
    FutureExt,
    future::{join_all, select},
};

use super::{
    Report,
    customers::links,
    equal::is_record,
    world::{Outcome, World, holds, same},
};
use crate::{
    customer::ChangeCustomerError,
    ids::CustomerId,
    tenancy::EnvironmentScope,
    testkit::{CustomerBuilder, a_customer},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.create: of concurrent creates of one external id exactly one succeeds",
        one_winner(world).await,
    );
    report.note("customers.create: concurrent creates of different external ids all succeed", all_win(world).await);
    report.note("customers.create: a refused create does not affect concurrent creates", mixed(world).await);
    report.note("customers.create: a dropped call leaves the whole customer or nothing", dropped(world).await);
}

async fn one_winner(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let one =
        |n: usize| world.create(&scope, a_customer("acme").linked("stripe", "cus_1").named(&format!("Caller {n}")));
    let answers = join_all((0..16).map(one)).await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    let [winner] = winners.as_slice() else { return Err(format!("{} of 16 succeeded", winners.len())) };
    let id = winner.state.customer.id;
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        same("the other results", refusal, &ChangeCustomerError::ExternalIdTaken { existing: id })?;
    }
    is_record("customers.find_by_external_id", world.find_external(&scope, "acme").await?.as_ref(), winner)?;
    same("the mappings left", &links(world, &scope, "stripe", "cus_1").await?, &1)
}

async fn all_win(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let one =
        |n: usize| world.created(&scope, a_customer(&format!("customer {n}")).linked("stripe", &format!("cus_{n}")));
    let events = join_all((0..32).map(one)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<CustomerId> = events.iter().map(|event| event.state.customer.id).collect();
    same("different customers", &ids.len(), &32)?;
    for (n, event) in events.iter().enumerate() {
        let found = world.find_external(&scope, &format!("customer {n}")).await?;
        is_record(&format!("customer {n}"), found.as_ref(), event)?;
    }
    Ok(())
}

/// Of every four callers one requests a taken external id, one uses an unknown tax code, and two are valid.
async fn mixed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let first = world.created(&scope, a_customer("taken")).await?;
    let new = |n: usize| -> CustomerBuilder {
        match n % 4 {
            1 => a_customer("taken"),
            2 => a_customer(&format!("customer {n}")).taxed("NONE", "EUR"),
            _ => a_customer(&format!("customer {n}")).linked("stripe", &format!("cus_{n}")),
        }
    };
    let answers = join_all((0..32).map(|n| world.create(&scope, new(n)))).await;
    for (n, answer) in answers.iter().enumerate() {
        let as_it_should = match (n % 4, answer) {
            (1, Err(ChangeCustomerError::ExternalIdTaken { existing })) => *existing == first.state.customer.id,
            (2, Err(ChangeCustomerError::UnknownTaxRates(_))) => true,
            (0 | 3, Ok(event)) => {
                let found = world.find_external(&scope, &format!("customer {n}")).await?;
                is_record(&format!("customer {n}"), found.as_ref(), event)?;
                true
            }
            _ => false,
        };
        let seen = answer.as_ref().map(|_| "success");
        holds(as_it_should, || format!("caller {n} got {seen:?}"))?;
    }
    Ok(())
}

async fn dropped(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    for n in 0..8 {
        let external_id = format!("customer {n}");
        let entity_id = format!("cus_{n}");
        let new = || a_customer(&external_id).linked("stripe", &entity_id).linked("crm", &entity_id);
        if n % 2 == 0 {
            // Dropped as soon as it has begun.
            world.create(&scope, new()).now_or_never();
        } else {
            // Dropped when something else is done.
            let meanwhile = world.find_external(&scope, "somebody else");
            select(Box::pin(world.create(&scope, new())), Box::pin(meanwhile)).await;
        }
        // A second create finds the first one done, or ensures that it never will be.
        let id = match world.create(&scope, new()).await {
            Ok(event) => event.state.customer.id,
            Err(ChangeCustomerError::ExternalIdTaken { existing }) => existing,
            Err(other) => return Err(format!("the create after a dropped one failed: {other}")),
        };
        is_whole(world, &scope, id, &entity_id).await.map_err(|what| format!("{external_id}: {what}"))?;
    }
    Ok(())
}

async fn is_whole(world: &World<'_>, scope: &EnvironmentScope, id: CustomerId, entity_id: &str) -> Outcome {
    let found = world.find(scope, id).await?.ok_or("the customer is not found by its id")?;
    same("mappings", &found.mappings.len(), &2)?;
    same("customers linked", &links(world, scope, "stripe", entity_id).await?, &1)?;
    let history = world.ports.customers.history(scope, id, crate::page::PageRequest::default()).await;
    same("events", &history.map(|page| page.total), &Ok(1))
}
