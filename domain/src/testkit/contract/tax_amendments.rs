//! Changing tax rates and an environment's defaults, and changes that a rate in use forbids.

use std::time::Duration;

use futures_util::future::{join, join_all};

use super::{
    Report,
    equal::equal,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, Stamp},
    ids::{CustomerId, IdGenerator, TaxAssociationId, TaxRateId},
    lifecycle::Status,
    patch::Patch,
    tax::{
        ChangeTaxDefault, ChangeTaxDefaultError, ChangeTaxRate, ChangeTaxRateError, Percentage, Priority,
        TaxAssociation, TaxAssociationUpdate, TaxBehavior, TaxDefaultAmendment, TaxRate, TaxRateAmendment, TaxRateCode,
        TaxRateStatus, TaxRateUpdate, TaxValueParts,
    },
    tenancy::EnvironmentScope,
    testkit::{a_customer, a_metadata, a_tax_rate},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("taxes.change_rate: writes the decided state and returns it", written(world).await);
    report
        .note("taxes.change_rate: returns Unknown for an unknown rate, or one of another scope", unknown(world).await);
    report.note(
        "taxes.change_rate: an archived rate can be found by its id, and its code is free",
        archived(world).await,
    );
    report.note(
        "taxes.change_rate: a taken code is refused with the other rate's id, and nothing changes",
        taken(world).await,
    );
    report.note("taxes.change_rate: of concurrent changes to one code exactly one succeeds", one_code(world).await);
    report.note("taxes.change_rate: each change is decided on the result of the previous one", in_turn(world).await);
    report.note(
        "taxes.change_rate: the value of a rate in use cannot change, and the rate cannot be archived",
        in_use(world).await,
    );
    report.note("taxes.change_rate: taxes of archived customers count as uses, removed ones do not", uses(world).await);
    report.note(
        "taxes.change_rate: of archiving a rate and a concurrent new use at most one succeeds",
        race(world).await,
    );
    report.note("taxes.change_default: writes the decided state and returns it", defaults(world).await);
    report.note(
        "taxes.change_default: changes neither a customer's association nor another scope's default",
        foreign(world).await,
    );
}

fn update(update: TaxRateUpdate) -> TaxRateAmendment {
    TaxRateAmendment::Update(Box::new(update))
}

fn new_value() -> Result<TaxRateAmendment, String> {
    let percentage = Some(Percentage::new("7").or_say("the literal")?);
    Ok(update(TaxRateUpdate { value: TaxValueParts { percentage, ..Default::default() }, ..Default::default() }))
}

fn new_code(code: &str) -> Result<TaxRateAmendment, String> {
    let code = Some(TaxRateCode::new(code).or_say("the literal")?);
    Ok(update(TaxRateUpdate { code, ..Default::default() }))
}

async fn change(
    world: &World<'_>,
    scope: &EnvironmentScope,
    id: TaxRateId,
    amendment: TaxRateAmendment,
) -> Result<TaxRate, ChangeTaxRateError> {
    let (at, event_id) = (world.now(), world.id());
    let command = ChangeTaxRate { id, amendment, at, event_id, request_id: None, only_if: Default::default() };
    world.ports.taxes.change_rate(scope, command, None).await.map(|changed| changed.value)
}

async fn is_found(world: &World<'_>, scope: &EnvironmentScope, rate: &TaxRate) -> Outcome {
    let found = world.ports.taxes.find_rate(scope, rate.id).await.or_say("taxes.find_rate")?;
    equal("taxes.find_rate", &found.ok_or("taxes.find_rate found nothing")?, rate)
}

/// Checks that a change is refused and leaves the rate as it was.
async fn is_refused(
    world: &World<'_>,
    scope: &EnvironmentScope,
    rate: &TaxRate,
    amendment: TaxRateAmendment,
    wanted: ChangeTaxRateError,
) -> Outcome {
    same("the result", &change(world, scope, rate.id, amendment).await, &Err(wanted))?;
    is_found(world, scope, rate).await
}

async fn amend(
    world: &World<'_>,
    scope: &EnvironmentScope,
    id: CustomerId,
    amendment: Amendment,
) -> Result<(), ChangeCustomerError> {
    let at = world.now();
    let stamp = Stamp { ids: world.ids().start(at), at, request_id: None };
    let command = ChangeCustomer::new(CustomerChange::Amend(id, amendment), stamp);
    world.ports.customers.change(scope, command).await.map(drop)
}

async fn written(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let everything = TaxRateUpdate {
        rate_status: Some(TaxRateStatus::Inactive),
        metadata: Some(a_metadata([("why", "§ 12 UStG")])),
        ..Default::default()
    };
    for amendment in [update(everything), new_value()?, new_code("MWST")?] {
        let before = world.ports.taxes.find_rate(&scope, rate.id).await.or_say("taxes.find_rate")?;
        let same_again = amendment.clone();
        let changed = change(world, &scope, rate.id, amendment).await.or_say("taxes.change_rate")?;
        same("the version", &Some(changed.version), &before.map(|rate| rate.version.next()))?;
        is_found(world, &scope, &changed).await?;
        // The same again changes nothing.
        let again = change(world, &scope, rate.id, same_again).await.or_say("taxes.change_rate")?;
        equal("the rate after a change of nothing", &again, &changed)?;
        is_found(world, &scope, &changed).await?;
    }
    world.created_rate(&scope, a_tax_rate("VAT")).await.map(drop)
}

async fn unknown(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let rate = world.created_rate(&neighbours.here, a_tax_rate("VAT")).await?;
    for (_, scope) in neighbours.elsewhere() {
        for amendment in [new_value()?, TaxRateAmendment::Archive] {
            let answer = change(world, &scope, rate.id, amendment).await;
            same("the result elsewhere", &answer, &Err(ChangeTaxRateError::Unknown))?;
        }
    }
    is_found(world, &neighbours.here, &rate).await?;
    let answer = change(world, &neighbours.here, world.id(), new_value()?).await;
    same("the result for an unknown rate", &answer, &Err(ChangeTaxRateError::Unknown))
}

async fn archived(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let archived = change(world, &scope, rate.id, TaxRateAmendment::Archive).await.or_say("taxes.change_rate")?;
    same("the status", &archived.status, &Status::Archived)?;
    is_refused(world, &scope, &archived, TaxRateAmendment::Archive, ChangeTaxRateError::Unknown).await?;
    is_refused(world, &scope, &archived, new_value()?, ChangeTaxRateError::Archived).await?;
    world.created_rate(&scope, a_tax_rate("VAT")).await.map(drop)
}

async fn taken(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let holder = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let rate = world.created_rate(&scope, a_tax_rate("vat")).await?;
    let refusal = ChangeTaxRateError::CodeTaken { existing: holder.id };
    is_refused(world, &scope, &rate, new_code("VAT")?, refusal).await?;
    change(world, &scope, rate.id, new_code("vat")?).await.or_say("keeping the own code")?;
    Ok(())
}

async fn one_code(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut rates = Vec::new();
    for n in 0..8 {
        rates.push(world.created_rate(&scope, a_tax_rate(&format!("VAT {n}"))).await?);
    }
    let amendment = new_code("VAT")?;
    let answers = join_all(rates.iter().map(|rate| change(world, &scope, rate.id, amendment.clone()))).await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    let [winner] = winners.as_slice() else { return Err(format!("{} of 8 succeeded", winners.len())) };
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        same("the other results", refusal, &ChangeTaxRateError::CodeTaken { existing: winner.id })?;
    }
    Ok(())
}

async fn in_turn(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let amendments = (0..8).map(|n| new_code(&format!("VAT {n}"))).collect::<Result<Vec<_>, _>>()?;
    let answers = join_all(amendments.into_iter().map(|one| change(world, &scope, rate.id, one))).await;
    let mut versions: Vec<u64> = answers.iter().flatten().map(|rate| rate.version.get()).collect();
    versions.sort_unstable();
    same("the versions", &versions, &(2..=9).collect())
}

async fn in_use(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let own = world.created_rate(&scope, a_tax_rate("OWN")).await?;
    world.created(&scope, a_customer("acme").taxed("OWN", "EUR")).await?;
    let default = world.created_rate(&scope, a_tax_rate("DEFAULT")).await?;
    world.created_default(&scope, world.default_of(&default)).await?;
    for rate in [own, default] {
        is_refused(world, &scope, &rate, TaxRateAmendment::Archive, ChangeTaxRateError::InUse).await?;
        is_refused(world, &scope, &rate, new_value()?, ChangeTaxRateError::InUse).await?;
        change(world, &scope, rate.id, new_code(&format!("{} 2", rate.code))?).await.or_say("changing the code")?;
    }
    Ok(())
}

/// A customer with one tax association for a rate.
async fn taxed(
    world: &World<'_>,
    scope: &EnvironmentScope,
    name: &str,
    code: &str,
) -> Result<(CustomerId, TaxAssociationId), String> {
    let state = world.created(scope, a_customer(name).taxed(code, "EUR")).await?.state;
    let association = state.associations.first().ok_or("the customer has no association")?;
    Ok((state.customer.id, association.id))
}

async fn uses(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let kept = world.created_rate(&scope, a_tax_rate("KEPT")).await?;
    let (customer, _) = taxed(world, &scope, "archived", "KEPT").await?;
    amend(world, &scope, customer, Amendment::Archive).await.or_say("archiving the customer")?;
    is_refused(world, &scope, &kept, TaxRateAmendment::Archive, ChangeTaxRateError::InUse).await?;

    let free = world.created_rate(&scope, a_tax_rate("FREE")).await?;
    let (customer, association) = taxed(world, &scope, "dissociated", "FREE").await?;
    amend(world, &scope, customer, Amendment::Dissociate(association)).await.or_say("removing the tax")?;
    let default = world.created_default(&scope, world.default_of(&free)).await?;
    let remove = ChangeTaxDefault {
        id: default.id,
        amendment: TaxDefaultAmendment::Remove,
        at: world.now(),
        only_if: Default::default(),
    };
    world.ports.taxes.change_default(&scope, remove, None).await.or_say("taxes.change_default")?;
    change(world, &scope, free.id, TaxRateAmendment::Archive).await.or_say("archiving a free rate").map(drop)
}

async fn race(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    for n in 0..12 {
        let code = format!("VAT {n}");
        let rate = world.created_rate(&scope, a_tax_rate(&code)).await?;
        let archiving = change(world, &scope, rate.id, TaxRateAmendment::Archive);
        let (archived, used) = if n % 2 == 0 {
            let using = world.create(&scope, a_customer(&code).taxed(&code, "EUR"));
            let (archived, used) = join(archiving, using).await;
            (archived, used.is_ok())
        } else {
            let (used, archived) =
                join(world.ports.taxes.create_default(&scope, world.default_of(&rate), None), archiving).await;
            (archived, used.is_ok())
        };
        holds(archived.is_ok() != used, || format!("archived: {}, used: {used}", archived.is_ok()))?;
    }
    Ok(())
}

async fn defaults(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rate = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let default = world.created_default(&scope, world.default_of(&rate)).await?;
    let terms = TaxAssociationUpdate {
        priority: Some(Priority::new(7).or_say("the literal")?),
        auto_apply: Some(false),
        behavior: Patch::Set(TaxBehavior::Exclusive),
        start: Some(default.start.later(Duration::from_secs(60))),
        end: Patch::Set(default.start.later(Duration::from_secs(120))),
        metadata: Some(a_metadata([("a", "b")])),
    };
    let command =
        |amendment| ChangeTaxDefault { id: default.id, amendment, at: world.now(), only_if: Default::default() };
    let taxes = &world.ports.taxes;
    for amendment in [TaxDefaultAmendment::Update(terms), TaxDefaultAmendment::Remove] {
        let changed = taxes.change_default(&scope, command(amendment), None).await.or_say("taxes.change_default")?;
        is_kept(world, &scope, &changed.value).await?;
    }
    let again = taxes.change_default(&scope, command(TaxDefaultAmendment::Remove), None).await;
    same("removing twice", &again, &Err(ChangeTaxDefaultError::Unknown))?;
    let late = TaxDefaultAmendment::Update(TaxAssociationUpdate::default());
    let late = taxes.change_default(&scope, command(late), None).await;
    same("changing a removed default", &late, &Err(ChangeTaxDefaultError::Archived))?;
    world.created_default(&scope, world.default_of(&rate)).await.map(drop)
}

async fn is_kept(world: &World<'_>, scope: &EnvironmentScope, association: &TaxAssociation) -> Outcome {
    let found = world.ports.taxes.find_association(scope, association.id).await.or_say("taxes.find_association")?;
    equal("taxes.find_association", &found.ok_or("taxes.find_association found nothing")?, association)
}

async fn foreign(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = &neighbours.here;
    let rate = world.created_rate(here, a_tax_rate("VAT")).await?;
    let default = world.created_default(here, world.default_of(&rate)).await?;
    let state = world.created(here, a_customer("acme").taxed("VAT", "EUR")).await?.state;
    let own = state.associations.first().ok_or("the customer has no association")?;
    let remove = |id| ChangeTaxDefault {
        id,
        amendment: TaxDefaultAmendment::Remove,
        at: world.now(),
        only_if: Default::default(),
    };
    let taxes = &world.ports.taxes;
    let refused = Err(ChangeTaxDefaultError::Unknown);
    same("a customer's association", &taxes.change_default(here, remove(own.id), None).await, &refused)?;
    is_kept(world, here, own).await?;
    for (whose, scope) in neighbours.elsewhere() {
        same(whose, &taxes.change_default(&scope, remove(default.id), None).await, &refused)?;
        let found = taxes.find_association(&scope, default.id).await.or_say("taxes.find_association")?;
        holds(found.is_none(), || format!("{whose} found the default"))?;
    }
    is_kept(world, here, &default).await
}
