//! An environment's default taxes.

use futures_util::future::join_all;

use super::{
    Report,
    equal::all_equal,
    world::{OrSay, Outcome, World, same},
};
use crate::{
    lifecycle::Status,
    page::PageRequest,
    tax::{CreateTaxDefaultError, CurrencyCode, Priority, TaxAssociation, TaxAssociationFilter, TaxRate, TaxedEntity},
    tenancy::EnvironmentScope,
    testkit::{a_customer, a_metadata, a_tax_rate},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "taxes.create_default: a default is read back equal, with all optional fields or none",
        round_trip(world).await,
    );
    report.note(
        "taxes.create_default: returns UnknownRate for a rate that is not published in the scope",
        unknown(world).await,
    );
    report.note(
        "taxes.create_default: returns AlreadyAssociated with the other default's id for the same rate and currency",
        repeated(world).await,
    );
    report.note("taxes.create_default: the case of currencies is kept, and ignored in comparisons", case(world).await);
    report.note("taxes.create_default: no currency counts as a currency of its own", no_currency(world).await);
    report.note(
        "taxes.create_default: a customer's association or an unpublished default does not prevent a new default",
        not_in_the_way(world).await,
    );
    report.note(
        "taxes.create_default: of concurrent creates of one rate and currency exactly one succeeds",
        one_winner(world).await,
    );
}

/// The defaults of a scope, in the order of their ids.
async fn defaults(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<TaxAssociation>, String> {
    let page = world
        .ports
        .taxes
        .associations(scope, &TaxAssociationFilter::of(TaxedEntity::Tenant), PageRequest::default())
        .await;
    let mut defaults = page.or_say("taxes.associations")?.items;
    defaults.sort_by_key(|default| default.id);
    Ok(defaults)
}

fn currency(code: &str) -> Result<Option<CurrencyCode>, String> {
    CurrencyCode::new(code).or_say("the literal").map(Some)
}

async fn round_trip(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let time = |text: &str| Timestamp::parse(text).or_say("the literal");
    let full = TaxAssociation {
        priority: Priority::new(i64::from(i32::MAX)).or_say("the literal")?,
        auto_apply: false,
        currency: currency("Usd")?,
        metadata: a_metadata([("why", "§ 12 UStG 🦀"), ("empty", "")]),
        start: time("0001-01-01T00:00:00Z")?,
        end: Some(time("9999-12-31T23:59:59.999999Z")?),
        ..world.default_of(&rate)
    };
    let mut wanted = Vec::new();
    for default in [world.default_of(&rate), full] {
        wanted.push(world.created_default(&scope, default).await?);
    }
    wanted.sort_by_key(|default| default.id);
    all_equal("taxes.associations", &defaults(world, &scope).await?, &wanted)
}

async fn is_refused(
    world: &World<'_>,
    scope: &EnvironmentScope,
    default: TaxAssociation,
    wanted: CreateTaxDefaultError,
) -> Outcome {
    let before = defaults(world, scope).await?;
    same("the result", &world.ports.taxes.create_default(scope, default, None).await, &Err(wanted))?;
    all_equal("the defaults afterwards", &defaults(world, scope).await?, &before)
}

async fn unknown(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    let next_door = world.created_rate(&neighbours.next_door, a_tax_rate("VAT")).await?;
    let abroad = world.created_rate(&neighbours.abroad, a_tax_rate("VAT")).await?;
    let archived = world.created_rate(here, TaxRate { status: Status::Archived, ..a_tax_rate("VAT") }).await?;
    let nowhere = world.rate(here, a_tax_rate("VAT"));
    for (whose, rate) in [("nowhere", nowhere), ("next door", next_door), ("abroad", abroad), ("archived", archived)] {
        let default = TaxAssociation { owner: here.owner, ..world.default_of(&rate) };
        let refused = is_refused(world, here, default, CreateTaxDefaultError::UnknownRate).await;
        refused.map_err(|what| format!("a rate that is {whose}: {what}"))?;
    }
    Ok(())
}

async fn repeated(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let other = world.created_rate(&scope, a_tax_rate("OTHER")).await?;
    let in_euro =
        |rate: &TaxRate| Ok::<_, String>(TaxAssociation { currency: currency("EUR")?, ..world.default_of(rate) });
    let existing = world.created_default(&scope, in_euro(&rate)?).await?.id;
    is_refused(world, &scope, in_euro(&rate)?, CreateTaxDefaultError::AlreadyAssociated { existing }).await?;
    world.created_default(&scope, in_euro(&other)?).await?;
    let in_dollars = TaxAssociation { currency: currency("USD")?, ..world.default_of(&rate) };
    world.created_default(&scope, in_dollars).await.map(drop)
}

async fn case(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let first = TaxAssociation { currency: currency("eUr")?, ..world.default_of(&rate) };
    let first = world.created_default(&scope, first).await?;
    for code in ["EUR", "eur", "eUr"] {
        let again = TaxAssociation { currency: currency(code)?, ..world.default_of(&rate) };
        is_refused(world, &scope, again, CreateTaxDefaultError::AlreadyAssociated { existing: first.id }).await?;
    }
    all_equal("the defaults", &defaults(world, &scope).await?, &[first])
}

async fn no_currency(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let existing = world.created_default(&scope, world.default_of(&rate)).await?.id;
    let again = world.default_of(&rate);
    is_refused(world, &scope, again, CreateTaxDefaultError::AlreadyAssociated { existing }).await?;
    let in_euro = TaxAssociation { currency: currency("EUR")?, ..world.default_of(&rate) };
    world.created_default(&scope, in_euro).await.map(drop)
}

async fn not_in_the_way(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    world.created(&scope, a_customer("acme").taxed("VAT", "EUR")).await?;
    let in_euro = || Ok::<_, String>(TaxAssociation { currency: currency("EUR")?, ..world.default_of(&rate) });
    world.created_default(&scope, TaxAssociation { status: Status::Archived, ..in_euro()? }).await?;
    let published = world.created_default(&scope, in_euro()?).await?;
    all_equal("the defaults", &defaults(world, &scope).await?, &[published])
}

async fn one_winner(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    for code in [None, currency("EUR")?] {
        let sixteen: Vec<_> = (0..16).map(|_| TaxAssociation { currency: code, ..world.default_of(&rate) }).collect();
        let create = |one: &TaxAssociation| world.ports.taxes.create_default(&scope, one.clone(), None);
        let answers = join_all(sixteen.iter().map(create)).await;
        let winners: Vec<_> = sixteen.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
        let [(winner, _)] = winners.as_slice() else { return Err(format!("{} of 16 succeeded", winners.len())) };
        let wanted = CreateTaxDefaultError::AlreadyAssociated { existing: winner.id };
        for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            same("the other results", refusal, &wanted)?;
        }
    }
    same("the defaults", &defaults(world, &scope).await?.len(), &2)
}
