//! Searching changed customers: they are found by their current values only.

use super::{
    Report,
    changing::update,
    world::{OrSay, Outcome, World, same},
};
use crate::{
    customer::{
        Amendment, CustomerUpdate, Email, MetadataUpdate,
        query::{CustomerQuery, CustomerQueryParts},
    },
    ids::CustomerId,
    metadata::Metadata,
    patch::Patch,
    tenancy::EnvironmentScope,
    testkit::a_customer,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.list: a changed customer is found by its new metadata and no longer by the old",
        metadata(world).await,
    );
    report.note(
        "customers.list: a changed customer is found by its new e-mail address and no longer by the old",
        email(world).await,
    );
}

async fn found(
    world: &World<'_>,
    scope: &EnvironmentScope,
    parts: CustomerQueryParts,
) -> Result<Vec<CustomerId>, String> {
    let query = CustomerQuery::new(parts).or_say("making a query")?;
    let page = world.ports.customers.list(scope, &query).await.or_say("customers.list")?;
    let ids: Vec<_> = page.items.iter().map(|record| record.customer.id).collect();
    same("the total", &page.total, &Some(ids.len() as u64))?;
    Ok(ids)
}

/// Checks which customers each metadata pair finds.
async fn pairs_find(world: &World<'_>, scope: &EnvironmentScope, wanted: &[(&str, &str, &[CustomerId])]) -> Outcome {
    for (key, value, wanted) in wanted {
        let metadata = [((*key).to_owned(), (*value).to_owned())].into();
        let ids = found(world, scope, CustomerQueryParts { metadata, ..Default::default() }).await?;
        same(&format!("the customers found by {key}={value}"), &ids.as_slice(), wanted)?;
    }
    Ok(())
}

fn merge(pairs: &[(&str, Option<&str>)]) -> Amendment {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)));
    update(CustomerUpdate { metadata: MetadataUpdate::Merge(pairs.collect()), ..CustomerUpdate::default() })
}

async fn metadata(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let other = world.created(&scope, a_customer("other").noted("plan", "gold")).await?.state.customer.id;
    let new = a_customer("acme").noted("plan", "gold").noted("stays", "1");
    let own = world.created(&scope, new).await?.state.customer.id;
    pairs_find(world, &scope, &[("plan", "gold", &[own, other]), ("stays", "1", &[own])]).await?;

    world.amended(&scope, own, merge(&[("plan", Some("silver"))])).await?;
    let merged: [(_, _, &[_]); 3] = [("plan", "gold", &[other]), ("plan", "silver", &[own]), ("stays", "1", &[own])];
    pairs_find(world, &scope, &merged).await?;
    // A change of something else does not affect it.
    world.amended(&scope, own, merge(&[])).await?;
    pairs_find(world, &scope, &merged).await?;

    let pairs = [("fresh".to_owned(), "2".to_owned())].into();
    let replaced = MetadataUpdate::Replace(Metadata::new(pairs, "metadata").or_say("the literal")?);
    let replaced = update(CustomerUpdate { metadata: replaced, ..CustomerUpdate::default() });
    world.amended(&scope, own, replaced).await?;
    pairs_find(world, &scope, &[("plan", "silver", &[]), ("stays", "1", &[]), ("fresh", "2", &[own])]).await?;

    world.amended(&scope, own, Amendment::Archive).await?;
    pairs_find(world, &scope, &[("fresh", "2", &[])]).await?;
    world.amended(&scope, own, Amendment::Restore).await?;
    pairs_find(world, &scope, &[("fresh", "2", &[own])]).await?;

    world.amended(&scope, own, merge(&[("fresh", None)])).await?;
    pairs_find(world, &scope, &[("fresh", "2", &[]), ("plan", "gold", &[other])]).await
}

async fn email(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let own = world.created(&scope, a_customer("acme").reached_at("old@example.com")).await?.state.customer.id;
    let email = Patch::Set(Email::new("new@example.com").or_say("the literal")?);
    world.amended(&scope, own, update(CustomerUpdate { email, ..CustomerUpdate::default() })).await?;
    for (email, wanted) in [("old@example.com", vec![]), ("new@example.com", vec![own])] {
        let parts = CustomerQueryParts { email: Some(email.to_owned()), ..Default::default() };
        same(&format!("the customers found by {email}"), &found(world, &scope, parts).await?, &wanted)?;
    }
    Ok(())
}
