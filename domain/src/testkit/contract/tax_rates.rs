//! Tax rates.

use futures_util::future::join_all;

use super::{
    Report,
    customers::LOOKALIKES,
    equal::equal,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    ids::TaxRateId,
    lifecycle::Status,
    tax::{CreateTaxRateError, FixedAmount, Percentage, TaxRate, TaxRateScope, TaxRateStatus, TaxValue},
    tenancy::EnvironmentScope,
    testkit::{a_metadata, a_tax_rate, full_tax_rates},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("taxes.create_rate: percentages and amounts are read back exactly, all 28 digits", exact(world).await);
    report.note("taxes.create_rate: every word of scope and status is read back equal", words(world).await);
    report.note("taxes.create_rate: a rate with every field at its limit is read back equal", full(world).await);
    report.note("taxes.find_rate: returns None for an unknown id", unknown(world).await);
    report.note("taxes.find_rate: finds a rate that is not published", archived(world).await);
    report.note("taxes.create_rate: CodeTaken contains the other rate's id, and nothing changes", taken(world).await);
    report.note("taxes.create_rate: codes that differ in any character are different", distinct(world).await);
    report.note(
        "taxes.create_rate: a code can be used again in every other environment and tenant",
        free_elsewhere(world).await,
    );
    report.note("taxes.create_rate: the code of a rate that is not published is free", freed(world).await);
    report.note("taxes.create_rate: of concurrent creates of one code exactly one succeeds", one_winner(world).await);
}

async fn is_read_back(world: &World<'_>, scope: &EnvironmentScope, rate: &TaxRate) -> Outcome {
    let found = world.ports.taxes.find_rate(scope, rate.id).await.or_say("taxes.find_rate")?;
    equal("the rate", &found.ok_or("taxes.find_rate found nothing")?, rate)
}

async fn created_and_read_back(world: &World<'_>, scope: &EnvironmentScope, rate: TaxRate) -> Outcome {
    let rate = world.created_rate(scope, rate).await?;
    is_read_back(world, scope, &rate).await
}

async fn exact(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let small = ["0", "19", "7.5", "0.1", "12.34567890123456789012345678", "0.0000000000000000000000000001", "100"];
    let large = ["1234567890123456.789012345678", "9999999999999999999999999999", "9007199254740993"];
    for (n, text) in small.into_iter().chain(large).enumerate() {
        let fixed = TaxValue::Fixed(FixedAmount::new(text).or_say("the literal")?);
        let rate = TaxRate { value: fixed, ..a_tax_rate(&format!("fixed {n}")) };
        created_and_read_back(world, &scope, rate).await.map_err(|what| format!("{text}: {what}"))?;
        if let Ok(percentage) = Percentage::new(text) {
            let rate = TaxRate { value: TaxValue::Percentage(percentage), ..a_tax_rate(&format!("percentage {n}")) };
            created_and_read_back(world, &scope, rate).await.map_err(|what| format!("{text} percent: {what}"))?;
        }
    }
    Ok(())
}

async fn words(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    for rate_scope in TaxRateScope::ALL {
        for rate_status in TaxRateStatus::ALL {
            let rate = a_tax_rate(&format!("{rate_scope} {rate_status}"));
            let metadata = a_metadata([("scope", rate_scope.as_str()), ("empty", "")]);
            let rate = TaxRate { scope: *rate_scope, rate_status: *rate_status, metadata, ..rate };
            created_and_read_back(world, &scope, rate).await?;
        }
    }
    Ok(())
}

async fn full(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    for rate in full_tax_rates() {
        created_and_read_back(world, &scope, rate).await?;
    }
    Ok(())
}

async fn unknown(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let found = world.ports.taxes.find_rate(&scope, world.id()).await.or_say("taxes.find_rate")?;
    holds(found.is_none(), || "a rate was found".to_owned())
}

async fn archived(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    created_and_read_back(world, &scope, TaxRate { status: Status::Archived, ..a_tax_rate("VAT") }).await
}

fn is_taken_by(answer: Result<(), CreateTaxRateError>, holder: TaxRateId) -> Outcome {
    same("the result", &answer, &Err(CreateTaxRateError::CodeTaken { existing: holder }))
}

async fn taken(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let first = world.created_rate(&scope, a_tax_rate("VAT")).await?;
    let fixed = TaxValue::Fixed(FixedAmount::new("5").or_say("the literal")?);
    let second = world.rate(&scope, TaxRate { value: fixed, ..a_tax_rate("VAT") });
    is_taken_by(world.create_rate(&scope, second.clone()).await, first.id)?;
    is_read_back(world, &scope, &first).await?;
    let found = world.ports.taxes.find_rate(&scope, second.id).await.or_say("taxes.find_rate")?;
    holds(found.is_none(), || "the refused rate is found".to_owned())
}

async fn distinct(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut rates = Vec::new();
    for code in LOOKALIKES {
        rates.push(world.created_rate(&scope, a_tax_rate(code)).await.map_err(|what| format!("{code:?}: {what}"))?);
    }
    for rate in &rates {
        let again = world.rate(&scope, rate.clone());
        is_taken_by(world.create_rate(&scope, again).await, rate.id)?;
    }
    Ok(())
}

async fn free_elsewhere(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    for scope in [&neighbours.here, &neighbours.next_door, &neighbours.abroad] {
        created_and_read_back(world, scope, a_tax_rate("VAT")).await?;
    }
    Ok(())
}

async fn freed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let archived = TaxRate { status: Status::Archived, ..a_tax_rate("VAT") };
    let archived = world.created_rate(&scope, archived).await?;
    created_and_read_back(world, &scope, a_tax_rate("VAT")).await?;
    is_read_back(world, &scope, &archived).await
}

async fn one_winner(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let rates: Vec<_> = (0..16).map(|_| world.rate(&scope, a_tax_rate("VAT"))).collect();
    let answers = join_all(rates.iter().map(|rate| world.create_rate(&scope, rate.clone()))).await;
    let winners: Vec<_> = rates.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
    let [(winner, _)] = winners.as_slice() else { return Err(format!("{} of 16 succeeded", winners.len())) };
    for (rate, answer) in rates.iter().zip(&answers) {
        if rate.id != winner.id {
            is_taken_by(answer.clone(), winner.id)?;
        }
    }
    is_read_back(world, &scope, winner).await
}
