//! Lists of integration mappings.

use super::{
    Report,
    customers::to,
    world::{CUTS, OrSay, Outcome, World, is_cut, page, same},
};
use crate::{
    customer::MappingFilter,
    ids::{CustomerId, IdGenerator, MappingId},
    page::PageRequest,
    tenancy::EnvironmentScope,
    testkit::a_customer,
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("customers.mappings: a customer's list has only its own mappings", of_customer(world).await);
    report.note("customers.mappings: a reverse look-up finds exactly the linked customers", reverse(world).await);
    report.note("customers.mappings: provider and id must match in every character", exact(world).await);
    report.note("customers.mappings: the newest first, ids breaking ties", order(world).await);
    report.note("customers.mappings: pages as asked, with the exact total", pages(world).await);
    report.note("customers.mappings: returns an empty list for unknown ids", unknown(world).await);
}

async fn customers_of(
    world: &World<'_>,
    scope: &EnvironmentScope,
    filter: &MappingFilter,
) -> Result<Vec<CustomerId>, String> {
    let page =
        world.ports.customers.mappings(scope, filter, PageRequest::default()).await.or_say("customers.mappings")?;
    let total = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
    same("the total", &page.total, &total)?;
    Ok(page.items.iter().map(|mapping| mapping.customer_id).collect())
}

async fn of_customer(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut ids = Vec::new();
    for external_id in ["one", "two"] {
        let new = a_customer(external_id).linked("stripe", "cus_1").linked("crm", external_id);
        ids.push(world.created(&scope, new).await?.state.customer.id);
    }
    for id in ids {
        same("the customers", &customers_of(world, &scope, &MappingFilter::Customer(id)).await?, &vec![id, id])?;
    }
    Ok(())
}

async fn reverse(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut linked = Vec::new();
    for external_id in ["parent", "subsidiary", "another subsidiary"] {
        let new = a_customer(external_id).linked("stripe", "cus_1").linked("crm", external_id);
        linked.push(world.created(&scope, new).await?.state.customer.id);
    }
    world.created(&scope, a_customer("unrelated").linked("stripe", "cus_2").linked("crm", "cus_1")).await?;
    linked.reverse();
    same("the customers, the newest first", &customers_of(world, &scope, &to("stripe", "cus_1")?).await?, &linked)
}

async fn exact(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let links = [
        ("stripe", "cus_1"),
        ("Stripe", "cus_1"),
        ("stripe", "CUS_1"),
        ("stripe", "cus_1 "),
        ("stripe", "cusX1"),
        ("stripe", "caf\u{e9}"),
        ("stripe", "cafe\u{301}"),
        ("stripe", "%"),
        ("strip_", "cus_1"),
        ("%", "%"),
    ];
    let mut ids = Vec::new();
    for (n, (provider, entity_id)) in links.into_iter().enumerate() {
        let new = a_customer(&format!("customer {n}")).linked(provider, entity_id);
        ids.push(world.created(&scope, new).await?.state.customer.id);
    }
    for ((provider, entity_id), id) in links.into_iter().zip(ids) {
        let found = customers_of(world, &scope, &to(provider, entity_id)?).await?;
        same(&format!("the customers of {provider:?} {entity_id:?}"), &found, &vec![id])?;
    }
    Ok(())
}

/// Five mappings to one entity whose times and ids have different orders. Returns their ids, the newest first.
async fn five(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<MappingId>, String> {
    let base = world.now();
    let mut mappings = Vec::new();
    // Within one millisecond the order of ids is random, that of times is not; two have the same time.
    for (n, micros) in [300, 100, 200, 200, 0].into_iter().enumerate() {
        let at = Timestamp::from_micros(base.micros() + micros).or_say("the literal")?;
        let command =
            a_customer(&format!("customer {n}")).linked("stripe", "cus_1").command(world.ids().start(base), at);
        let event = world.ports.customers.change(scope, command).await.or_say("customers.change")?.event;
        let mapping = event.state.mappings.first().ok_or("the create made no mapping")?;
        mappings.push((at, mapping.id));
    }
    mappings.sort();
    Ok(mappings.into_iter().rev().map(|(_, id)| id).collect())
}

async fn order(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let wanted = five(world, &scope).await?;
    let found = world.ports.customers.mappings(&scope, &to("stripe", "cus_1")?, PageRequest::default()).await;
    let found: Vec<_> = found.or_say("customers.mappings")?.items.iter().map(|mapping| mapping.id).collect();
    same("the mappings", &found, &wanted)?;

    let event = world.created(&scope, a_customer("acme").linked("b", "1").linked("a", "1").linked("c", "1")).await?;
    let wanted: Vec<_> = event.state.mappings.iter().rev().map(|mapping| mapping.id).collect();
    let filter = MappingFilter::Customer(event.state.customer.id);
    let found = world.ports.customers.mappings(&scope, &filter, PageRequest::default()).await;
    let found: Vec<_> = found.or_say("customers.mappings")?.items.iter().map(|mapping| mapping.id).collect();
    same("the mappings of one create", &found, &wanted)
}

async fn pages(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let whole = five(world, &scope).await?;
    for cut in CUTS {
        let request = page(cut.0, cut.1)?;
        let found = world.ports.customers.mappings(&scope, &to("stripe", "cus_1")?, request).await;
        is_cut(cut, &found.or_say("customers.mappings")?, |mapping| mapping.id, &whole)?;
    }
    let event = world.created(&scope, a_customer("acme").linked("b", "1").linked("a", "1").linked("c", "1")).await?;
    let whole: Vec<_> = event.state.mappings.iter().rev().map(|mapping| mapping.id).collect();
    let filter = MappingFilter::Customer(event.state.customer.id);
    for cut in CUTS {
        let found = world.ports.customers.mappings(&scope, &filter, page(cut.0, cut.1)?).await;
        is_cut(cut, &found.or_say("customers.mappings")?, |mapping| mapping.id, &whole)?;
    }
    Ok(())
}

async fn unknown(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created(&scope, a_customer("acme").linked("stripe", "cus_1")).await?;
    let filters =
        [MappingFilter::Customer(world.id()), to("stripe", "cus_2")?, to("crm", "cus_1")?, to("cus_1", "stripe")?];
    for filter in filters {
        same("the mappings", &customers_of(world, &scope, &filter).await?, &Vec::new())?;
    }
    Ok(())
}
