//! A create that the decision refuses: the refusal is returned unchanged and leaves nothing.

use super::{
    Report,
    customers::links,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{ChangeCustomerError, CustomerFacts, TaxFacts},
    ids::{CustomerId, IdGenerator},
    lifecycle::Status,
    page::PageRequest,
    tax::{TaxAssociationFilter, TaxRate, TaxRateStatus, TaxedEntity},
    tenancy::EnvironmentScope,
    testkit::{CustomerBuilder, a_customer, a_tax_rate},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.create: an unknown tax code is refused as decided, and the refusal leaves nothing",
        unknown_code(world).await,
    );
    report.note(
        "customers.create: an inactive tax rate is refused as decided, and the refusal leaves nothing",
        inactive_rate(world).await,
    );
    report.note(
        "customers.create: tax codes of other environments and tenants, archived ones and those in another case are unknown",
        other_codes(world).await,
    );
    report.note(
        "customers.create: the decision's refusal is returned before a taken external id",
        refusal_before_taken(world).await,
    );
}

/// A create with as much as possible that could be left over.
fn a_refused(code: &str) -> CustomerBuilder {
    a_customer("acme").named("Acme").taxed("GOOD", "EUR").taxed(code, "EUR").linked("stripe", "cus_1")
}

/// Checks that a create is refused exactly as the decision on the same facts refuses it, and that it leaves nothing.
async fn is_refused(world: &World<'_>, scope: &EnvironmentScope, new: CustomerBuilder, rates: Vec<TaxRate>) -> Outcome {
    let at = world.now();
    let mut ids = world.ids().start(at);
    let command = new.clone().command(ids, at);
    let taxes = TaxFacts { rates, defaults: Vec::new() };
    let facts = CustomerFacts { taxes, ..CustomerFacts::default() };
    let Err(wanted) = command.clone().decide(scope, &facts) else {
        return Err("the decision does not refuse this".to_owned());
    };
    match world.ports.customers.change(scope, command).await {
        Ok(_) => return Err("the create succeeded".to_owned()),
        Err(found) => same("the refusal", &found, &wanted)?,
    }

    let id: CustomerId = ids.next_id();
    holds(world.find(scope, id).await?.is_none(), || "the customer is found by its id".to_owned())?;
    holds(world.find_external(scope, "acme").await?.is_none(), || "the customer is found".to_owned())?;
    same("remaining mappings", &links(world, scope, "stripe", "cus_1").await?, &0)?;
    let events = world.ports.customers.history(scope, id, PageRequest::default()).await;
    same("remaining events", &events.or_say("customers.history")?.total, &0)?;
    let entity = TaxedEntity::Customer(id);
    let associations =
        world.ports.taxes.associations(scope, &TaxAssociationFilter::of(entity), PageRequest::default()).await;
    same("remaining associations", &associations.or_say("taxes.associations")?.total, &0)?;

    let again = a_customer("acme").linked("stripe", "cus_1");
    world.create(scope, again).await.or_say("a later create of the same external id").map(drop)
}

async fn unknown_code(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let good = world.created_rate(&scope, a_tax_rate("GOOD")).await?;
    is_refused(world, &scope, a_refused("NONE"), vec![good]).await
}

async fn inactive_rate(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let good = world.created_rate(&scope, a_tax_rate("GOOD")).await?;
    let inactive = TaxRate { rate_status: TaxRateStatus::Inactive, ..a_tax_rate("OLD") };
    let inactive = world.created_rate(&scope, inactive).await?;
    is_refused(world, &scope, a_refused("OLD"), vec![good, inactive]).await
}

async fn other_codes(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    world.created_rate(&neighbours.next_door, a_tax_rate("NEXT DOOR")).await?;
    world.created_rate(&neighbours.abroad, a_tax_rate("ABROAD")).await?;
    for code in ["NEXT DOOR", "ABROAD", "ARCHIVED", "good", "GOOD ", "GOO_", "%"] {
        let scope = world.environment_of(neighbours.here.owner.tenant_id).await?;
        let good = world.created_rate(&scope, a_tax_rate("GOOD")).await?;
        world.created_rate(&scope, TaxRate { status: Status::Archived, ..a_tax_rate("ARCHIVED") }).await?;
        let refused = is_refused(world, &scope, a_refused(code), vec![good]).await;
        refused.map_err(|what| format!("with the code `{code}`: {what}"))?;
    }
    Ok(())
}

async fn refusal_before_taken(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created(&scope, a_customer("acme")).await?;
    match world.create(&scope, a_customer("acme").taxed("NONE", "EUR")).await {
        Err(ChangeCustomerError::UnknownTaxRates(_)) => Ok(()),
        Err(other) => Err(format!("another error was returned: {other}")),
        Ok(_) => Err("the create succeeded".to_owned()),
    }
}
