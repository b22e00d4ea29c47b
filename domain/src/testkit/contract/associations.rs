//! Lists of tax associations.

use super::{
    Report,
    world::{CUTS, OrSay, Outcome, World, is_cut, page, same},
};
use crate::{
    ids::TaxAssociationId,
    lifecycle::{Audit, Status},
    page::PageRequest,
    tax::{CurrencyCode, TaxAssociation, TaxAssociationFilter, TaxedEntity},
    tenancy::EnvironmentScope,
    testkit::{a_customer, a_scope, a_tax_rate},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("taxes.associations: an entity's list has only its own associations", of_entity(world).await);
    report.note("taxes.associations: only published associations are listed", published(world).await);
    report.note("taxes.associations: the newest first, ids breaking ties", order(world).await);
    report.note("taxes.associations: pages as asked, with the exact total", pages(world).await);
    report.note("taxes.associations: returns an empty list for an unknown entity", unknown(world).await);
}

async fn listed(
    world: &World<'_>,
    scope: &EnvironmentScope,
    entity: TaxedEntity,
) -> Result<Vec<TaxAssociationId>, String> {
    let page = world
        .ports
        .taxes
        .associations(scope, &TaxAssociationFilter::of(entity), PageRequest::default())
        .await
        .or_say("taxes.associations")?;
    same("the total", &page.total, &u64::try_from(page.items.len()).unwrap_or(u64::MAX))?;
    Ok(page.items.iter().map(|association| association.id).collect())
}

async fn of_entity(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let default = world.created_default(&scope, world.default_of(&rate)).await?;
    same("the defaults", &listed(world, &scope, TaxedEntity::Tenant).await?, &vec![default.id])?;
    for external_id in ["one", "two"] {
        let state = world.created(&scope, a_customer(external_id)).await?.state;
        let wanted: Vec<_> = state.associations.iter().map(|association| association.id).collect();
        let entity = TaxedEntity::Customer(state.customer.id);
        same("the customer's taxes", &listed(world, &scope, entity).await?, &wanted)?;
    }
    same("the defaults afterwards", &listed(world, &scope, TaxedEntity::Tenant).await?, &vec![default.id])
}

async fn published(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    for status in [Status::Archived, Status::Deleted] {
        world.created_default(&scope, TaxAssociation { status, ..world.default_of(&rate) }).await?;
    }
    same("the defaults", &listed(world, &scope, TaxedEntity::Tenant).await?, &Vec::new())
}

/// Five defaults whose times and ids have different orders. Returns their ids, the newest first.
async fn five(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<TaxAssociationId>, String> {
    let rate = world.created_rate(scope, a_tax_rate("VAT")).await?;
    let base = world.now();
    let mut defaults = Vec::new();
    for (code, micros) in [("EUR", 300), ("USD", 100), ("GBP", 200), ("CHF", 200), ("JPY", 0)] {
        let at = Timestamp::from_micros(base.micros() + micros).or_say("the literal")?;
        let currency = Some(CurrencyCode::new(code).or_say("the literal")?);
        let audit = Audit::created(at, &a_scope().actor);
        let default = TaxAssociation { currency, audit, ..world.default_of(&rate) };
        defaults.push((at, world.created_default(scope, default).await?.id));
    }
    defaults.sort();
    Ok(defaults.into_iter().rev().map(|(_, id)| id).collect())
}

async fn order(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let wanted = five(world, &scope).await?;
    same("the defaults", &listed(world, &scope, TaxedEntity::Tenant).await?, &wanted)?;
    let state = world.created(&scope, a_customer("acme")).await?.state;
    let wanted: Vec<_> = state.associations.iter().rev().map(|association| association.id).collect();
    let entity = TaxedEntity::Customer(state.customer.id);
    same("the taxes of one create", &listed(world, &scope, entity).await?, &wanted)
}

async fn pages(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let whole = five(world, &scope).await?;
    for cut in CUTS {
        let found = world
            .ports
            .taxes
            .associations(&scope, &TaxAssociationFilter::of(TaxedEntity::Tenant), page(cut.0, cut.1)?)
            .await;
        is_cut(cut, &found.or_say("taxes.associations")?, |association| association.id, &whole)?;
    }
    Ok(())
}

async fn unknown(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    same(
        "taxes of an unknown customer",
        &listed(world, &scope, TaxedEntity::Customer(world.id())).await?,
        &Vec::new(),
    )?;
    same("defaults of a fresh environment", &listed(world, &scope, TaxedEntity::Tenant).await?, &Vec::new())
}
