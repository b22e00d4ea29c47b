//! The source of a new customer's taxes: overrides, the environment's defaults, or none.

use super::{
    Report,
    equal::all_equal,
    world::{OrSay, Outcome, World, same},
};
use crate::{
    customer::{CustomerFacts, TaxFacts},
    event::CustomerEvent,
    ids::IdGenerator,
    lifecycle::Status,
    page::PageRequest,
    tax::{CurrencyCode, Priority, TaxAssociation, TaxAssociationFilter, TaxRateOverride, TaxRateStatus, TaxedEntity},
    tenancy::EnvironmentScope,
    testkit::{CustomerBuilder, a_customer, a_metadata, a_tax_rate},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.create: overrides become associations, with their terms and in their order",
        overrides(world).await,
    );
    report.note(
        "customers.create: without overrides the environment's defaults are copied as decided",
        defaults(world).await,
    );
    report.note(
        "customers.create: a default created before is copied, one created after is not",
        before_and_after(world).await,
    );
    report.note("customers.create: with an empty list of overrides no default is copied", none(world).await);
    report.note(
        "customers.create: defaults of other environments and tenants are not copied",
        others_defaults(world).await,
    );
    report.note("customers.create: defaults that are not published are not copied", archived_defaults(world).await);
}

/// The stored associations of a new customer, in the order of their ids, checked against the event.
async fn kept(
    world: &World<'_>,
    scope: &EnvironmentScope,
    event: &CustomerEvent,
) -> Result<Vec<TaxAssociation>, String> {
    let entity = TaxedEntity::Customer(event.state.customer.id);
    let page = world.ports.taxes.associations(scope, &TaxAssociationFilter::of(entity), PageRequest::default()).await;
    let mut kept = page.or_say("taxes.associations")?.items;
    kept.sort_by_key(|association| association.id);
    all_equal("taxes.associations", &kept, &event.state.associations)?;
    Ok(kept)
}

async fn count_kept(world: &World<'_>, scope: &EnvironmentScope, new: CustomerBuilder) -> Result<usize, String> {
    let event = world.created(scope, new).await?;
    Ok(kept(world, scope, &event).await?.len())
}

async fn overrides(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut rates = Vec::new();
    for code in ["Z", "A", "M"] {
        rates.push(world.created_rate(&scope, a_tax_rate(code)).await?);
    }
    let an_override = |index: usize, currency: &str, priority: i64, auto_apply: bool| {
        Ok::<_, String>(TaxRateOverride {
            behavior: None,
            code: rates.get(index).map(|rate| rate.code.clone()).ok_or("no such rate")?,
            currency: CurrencyCode::new(currency).or_say("the literal")?,
            priority: Priority::new(priority).or_say("the literal")?,
            auto_apply,
            metadata: a_metadata([("currency", currency)]),
        })
    };
    let terms = [(0, "eur", 7, false), (2, "USD", 0, true), (1, "EUR", i64::from(i32::MAX), true), (0, "Usd", 7, true)];
    let mut new = a_customer("acme");
    for (index, currency, priority, auto_apply) in terms {
        new = new.taxed_by(an_override(index, currency, priority, auto_apply)?);
    }
    let event = world.created(&scope, new).await?;
    let found = kept(world, &scope, &event).await?;
    let found: Vec<_> = found
        .iter()
        .map(|one| {
            (one.tax_rate_id, one.currency.map(|code| code.as_str().to_owned()), one.priority.get(), one.auto_apply)
        })
        .collect();
    let wanted: Vec<_> = terms
        .iter()
        .filter_map(|(index, currency, priority, auto_apply)| {
            let rate = rates.get(*index)?;
            Some((rate.id, Some((*currency).to_owned()), i32::try_from(*priority).ok()?, *auto_apply))
        })
        .collect();
    same("the terms", &found, &wanted)
}

async fn defaults(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let off = crate::tax::TaxRate { rate_status: TaxRateStatus::Inactive, ..a_tax_rate("OFF") };
    let off = world.created_rate(&scope, off).await?;
    let now = world.now();
    let time = |micros: i64| Timestamp::from_micros(now.micros() + micros).or_say("the literal");
    let currency = |code: &str| CurrencyCode::new(code).or_say("the literal").map(Some);
    let (early, late) = (time(-3_600_000_000)?, time(3_600_000_000)?);
    let plain = || world.default_of(&rate);
    let mut created = Vec::new();
    for default in [
        TaxAssociation { start: early, priority: Priority::new(9).or_say("the literal")?, ..plain() },
        TaxAssociation { start: late, currency: currency("eur")?, metadata: a_metadata([("why", "law")]), ..plain() },
        TaxAssociation { start: early, end: Some(late), currency: currency("USD")?, ..plain() },
        TaxAssociation { start: early, end: Some(now), currency: currency("GBP")?, ..plain() },
        TaxAssociation { auto_apply: false, currency: currency("CHF")?, ..plain() },
        world.default_of(&off),
    ] {
        created.push(world.created_default(&scope, default).await?);
    }

    let at = world.now();
    let command = a_customer("acme").command(world.ids().start(at), at);
    let taxes = TaxFacts { rates: Vec::new(), defaults: created };
    let facts = CustomerFacts { taxes, ..CustomerFacts::default() };
    let wanted = command.clone().decide(&scope, &facts).or_say("the decision")?.event;
    let event = world.ports.customers.change(&scope, command).await.or_say("customers.change")?.event;
    same("the defaults copied", &terms(&kept(world, &scope, &event).await?), &terms(&wanted.state.associations))
}

/// The contents of associations without their ids, sorted by content: the order of the facts is not specified.
fn terms(associations: &[TaxAssociation]) -> Vec<String> {
    let mut terms: Vec<_> = associations
        .iter()
        .map(|one| {
            let currency = one.currency.map(|code| code.as_str().to_owned());
            let metadata: Vec<_> = one.metadata.iter().collect();
            let rank = (one.priority.get(), one.auto_apply);
            format!("{} {currency:?} {rank:?} {} {:?} {metadata:?}", one.tax_rate_id, one.start, one.end)
        })
        .collect();
    terms.sort();
    terms
}

async fn before_and_after(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    same("taxes without any default", &count_kept(world, &scope, a_customer("one")).await?, &0)?;
    for (index, external_id) in ["two", "three"].into_iter().enumerate() {
        let rate = world.created_rate(&scope, a_tax_rate(external_id)).await?;
        world.created_default(&scope, world.default_of(&rate)).await?;
        same("taxes", &count_kept(world, &scope, a_customer(external_id)).await?, &(index + 1))?;
    }
    let first = world.find_external(&scope, "one").await?.ok_or("the first customer does not exist")?;
    let entity = TaxedEntity::Customer(first.customer.id);
    let page = world.ports.taxes.associations(&scope, &TaxAssociationFilter::of(entity), PageRequest::default()).await;
    same("taxes of the first customer later", &page.or_say("taxes.associations")?.total, &0)
}

async fn none(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    world.created_default(&scope, world.default_of(&rate)).await?;
    same("taxes", &count_kept(world, &scope, a_customer("acme").untaxed()).await?, &0)
}

async fn others_defaults(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    for scope in [&neighbours.next_door, &neighbours.abroad] {
        let rate = world.created_rate(scope, a_tax_rate("VAT")).await?;
        world.created_default(scope, world.default_of(&rate)).await?;
    }
    same("taxes", &count_kept(world, &neighbours.here, a_customer("acme")).await?, &0)
}

async fn archived_defaults(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let archived = TaxAssociation { status: Status::Archived, ..world.default_of(&rate) };
    world.created_default(&scope, archived).await?;
    same("taxes", &count_kept(world, &scope, a_customer("acme")).await?, &0)
}
