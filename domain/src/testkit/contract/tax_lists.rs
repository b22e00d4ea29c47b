//! Lists of tax rates, filters of associations, and the facts about a customer's taxes.

use std::time::Duration;

use super::{
    Report,
    equal::all_equal,
    world::{CUTS, OrSay, Outcome, World, is_cut, page, same},
};
use crate::{
    customer::query::Direction,
    ids::{TaxAssociationId, TaxRateId},
    lifecycle::{Audit, Status},
    page::PageRequest,
    tax::{
        CurrencyCode, TaxAssociation, TaxAssociationFilter, TaxRate, TaxRateCode, TaxRateFilter, TaxRateScope,
        TaxRateStatus, TaxedEntities, TaxedEntity,
    },
    tenancy::EnvironmentScope,
    testkit::{a_customer, a_scope, a_tax_rate},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report
        .note("taxes.rates: every part of the filter applies, and an empty list matches nothing", filter(world).await);
    report.note(
        "taxes.rates: in the requested order, ids breaking ties, in pages with the exact total",
        order(world).await,
    );
    report.note("taxes.rates: finds no rate of another environment or tenant", foreign(world).await);
    report.note("taxes.associations: every part of the filter applies", associations(world).await);
    report.note("taxes.basis: a customer's associations, the defaults, and their rates", basis(world).await);
}

async fn is_listed(
    world: &World<'_>,
    scope: &EnvironmentScope,
    filter: &TaxRateFilter,
    wanted: &[TaxRateId],
) -> Outcome {
    let found = world.ports.taxes.rates(scope, filter, PageRequest::default()).await.or_say("taxes.rates")?;
    let ids: Vec<TaxRateId> = found.items.iter().map(|rate| rate.id).collect();
    same(&format!("the rates of {filter:?}"), &ids.as_slice(), &wanted)?;
    same("the total", &found.total, &u64::try_from(wanted.len()).unwrap_or(u64::MAX))
}

async fn filter(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let onetime = TaxRate { scope: TaxRateScope::Onetime, ..a_tax_rate("ONCE") };
    let off = TaxRate { rate_status: TaxRateStatus::Inactive, ..a_tax_rate("off") };
    let archived = TaxRate { status: Status::Archived, ..a_tax_rate("OLD") };
    let mut rates = Vec::new();
    for rate in [a_tax_rate("OFF"), onetime, off, archived] {
        rates.push(world.created_rate(&scope, rate).await?);
    }
    let id = |n: usize| rates[n].id;
    let all = TaxRateFilter::default;
    let codes = |codes: &[&str]| -> Result<_, String> {
        let codes = codes.iter().map(|code| TaxRateCode::new(*code)).collect::<Result<_, _>>();
        Ok(TaxRateFilter { codes: Some(codes.or_say("the literal")?), ..all() })
    };
    let at = |n: usize| Some(rates[n].audit.created_at);
    for (filter, wanted) in [
        (all(), vec![2, 1, 0]),
        (TaxRateFilter { status: None, ..all() }, vec![3, 2, 1, 0]),
        (TaxRateFilter { status: Some(Status::Archived), ..all() }, vec![3]),
        (TaxRateFilter { status: Some(Status::Deleted), ..all() }, vec![]),
        (TaxRateFilter { order: Direction::Asc, ..all() }, vec![0, 1, 2]),
        (codes(&["OFF", "OLD", "NONE"])?, vec![0]),
        (codes(&["ONCE", "off"])?, vec![2, 1]),
        (codes(&[])?, vec![]),
        (TaxRateFilter { ids: Some(vec![id(1), world.id(), id(3)]), ..all() }, vec![1]),
        (TaxRateFilter::with_ids(vec![id(0), id(3)]), vec![3, 0]),
        (TaxRateFilter::with_ids(vec![]), vec![]),
        (TaxRateFilter { scope: Some(TaxRateScope::Internal), ..all() }, vec![2, 0]),
        (TaxRateFilter { rate_status: Some(TaxRateStatus::Inactive), ..all() }, vec![2]),
        (TaxRateFilter { created_from: at(1), ..all() }, vec![2, 1]),
        (TaxRateFilter { created_until: at(1), ..all() }, vec![1, 0]),
    ] {
        let wanted: Vec<TaxRateId> = wanted.into_iter().map(id).collect();
        is_listed(world, &scope, &filter, &wanted).await?;
    }
    Ok(())
}

async fn order(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let base = world.now();
    let mut rates = Vec::new();
    for (n, micros) in [300, 100, 200, 200, 0].into_iter().enumerate() {
        let at = Timestamp::from_micros(base.micros() + micros).or_say("the literal")?;
        let rate = world.rate(&scope, a_tax_rate(&format!("VAT {n}")));
        let rate = TaxRate { audit: Audit::created(at, &a_scope().actor), ..rate };
        world.create_rate(&scope, rate.clone()).await.or_say("taxes.create_rate")?;
        rates.push((at, rate.id));
    }
    rates.sort();
    let mut whole: Vec<TaxRateId> = rates.into_iter().map(|(_, id)| id).collect();
    for order in [Direction::Asc, Direction::Desc] {
        for cut in CUTS {
            let filter = TaxRateFilter { order, ..TaxRateFilter::default() };
            let found = world.ports.taxes.rates(&scope, &filter, page(cut.0, cut.1)?).await.or_say("taxes.rates")?;
            is_cut(cut, &found, |rate| rate.id, &whole)?;
        }
        whole.reverse();
    }
    Ok(())
}

async fn foreign(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let rate = world.created_rate(&neighbours.here, a_tax_rate("VAT")).await?;
    let everywhere = [TaxRateFilter::default(), TaxRateFilter::with_ids(vec![rate.id])];
    for filter in &everywhere {
        is_listed(world, &neighbours.here, filter, &[rate.id]).await?;
        for (whose, scope) in neighbours.elsewhere() {
            is_listed(world, &scope, filter, &[]).await.map_err(|what| format!("{whose}: {what}"))?;
        }
    }
    Ok(())
}

async fn associations(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (vat, gst) =
        (world.created_rate(&scope, a_tax_rate("VAT")).await?, world.created_rate(&scope, a_tax_rate("GST")).await?);
    let euro = CurrencyCode::new("EUR").or_say("the literal")?;
    let deleted = TaxAssociation { status: Status::Deleted, ..world.default_of(&vat) };
    let deleted = world.created_default(&scope, deleted).await?.id;
    let default = world.created_default(&scope, world.default_of(&vat)).await?.id;
    let manual = TaxAssociation { auto_apply: false, currency: Some(euro), ..world.default_of(&gst) };
    let manual = world.created_default(&scope, manual).await?.id;
    let state = world.created(&scope, a_customer("acme").taxed("VAT", "eur")).await?.state;
    let entity = TaxedEntity::Customer(state.customer.id);
    let own = state.associations.first().ok_or("the customer has no association")?.id;

    let (long_ago, at_last) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH.later(Duration::MAX));
    let all = TaxAssociationFilter::default;
    let of_rates = |ids: Vec<TaxRateId>| TaxAssociationFilter { tax_rate_ids: Some(ids), ..all() };
    for (filter, wanted) in [
        (all(), vec![own, manual, default]),
        (TaxAssociationFilter { order: Direction::Asc, ..all() }, vec![default, manual, own]),
        (TaxAssociationFilter { entities: TaxedEntities::Customers, ..all() }, vec![own]),
        (TaxAssociationFilter::of(entity), vec![own]),
        (TaxAssociationFilter::of(TaxedEntity::Tenant), vec![manual, default]),
        (TaxAssociationFilter { status: Status::Archived, ..all() }, vec![deleted]),
        (TaxAssociationFilter { status: Status::Archived, ..of_rates(vec![vat.id]) }, vec![deleted]),
        (TaxAssociationFilter { status: Status::Archived, ..of_rates(vec![gst.id]) }, vec![]),
        (TaxAssociationFilter { status: Status::Deleted, ..all() }, vec![]),
        (of_rates(vec![vat.id]), vec![own, default]),
        (of_rates(vec![gst.id, world.id()]), vec![manual]),
        (of_rates(vec![]), vec![]),
        (TaxAssociationFilter { currency: Some(euro), ..all() }, vec![own, manual]),
        (TaxAssociationFilter { auto_apply: Some(false), ..all() }, vec![manual]),
        (TaxAssociationFilter { auto_apply: Some(true), ..of_rates(vec![vat.id, gst.id]) }, vec![own, default]),
        (TaxAssociationFilter { created_from: Some(long_ago), ..all() }, vec![own, manual, default]),
        (TaxAssociationFilter { created_until: Some(long_ago), ..all() }, vec![]),
        (TaxAssociationFilter { created_until: Some(at_last), ..all() }, vec![own, manual, default]),
        (TaxAssociationFilter { created_from: Some(at_last), ..all() }, vec![]),
    ] {
        let found = world.ports.taxes.associations(&scope, &filter, PageRequest::default()).await;
        let found = found.or_say("taxes.associations")?;
        let ids: Vec<TaxAssociationId> = found.items.iter().map(|association| association.id).collect();
        same(&format!("the associations of {filter:?}"), &ids, &wanted)?;
        same("the total", &found.total, &u64::try_from(wanted.len()).unwrap_or(u64::MAX))?;
    }
    Ok(())
}

async fn basis(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut rates = Vec::new();
    // A rate that is not charged is included too, because it explains why it does not apply.
    for (code, rate_status) in
        [("A", TaxRateStatus::Active), ("B", TaxRateStatus::Inactive), ("C", TaxRateStatus::Active)]
    {
        rates.push(world.created_rate(&scope, TaxRate { rate_status, ..a_tax_rate(code) }).await?);
    }
    let default = world.created_default(&scope, world.default_of(&rates[1])).await?;
    let removed = TaxAssociation { status: Status::Deleted, ..world.default_of(&rates[2]) };
    world.created_default(&scope, removed).await?;
    let state = world.created(&scope, a_customer("acme").taxed("A", "EUR").taxed("A", "USD")).await?.state;
    world.created(&scope, a_customer("other").taxed("C", "EUR")).await?;

    let found = world.ports.taxes.basis(&scope, state.customer.id).await.or_say("taxes.basis")?;
    all_equal("the customer's", found.own.as_deref().unwrap_or_default(), &state.associations)?;
    all_equal("the defaults", &found.defaults, &[default])?;
    all_equal("the rates", &found.rates, &rates[..2])?;

    let nobody = world.ports.taxes.basis(&world.environment().await?, state.customer.id).await.or_say("taxes.basis")?;
    same("the facts in another scope", &(nobody.own.map(|own| own.len()), nobody.defaults.len()), &(Some(0), 0))
}
