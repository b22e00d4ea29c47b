//! Data outside a scope looks like data that does not exist.

use super::{
    Report,
    customers::to,
    equal::is_record,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::MappingFilter,
    page::PageRequest,
    tax::{TaxAssociationFilter, TaxRate, TaxedEntity},
    tenancy::{ApiKey, SystemScope},
    testkit::{a_customer, a_tax_rate},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.create: an environment's id under another tenant does not reach the environment",
        repeated_environment(world).await,
    );
    report.note("customers.find: finds no customer of another environment or tenant", find(world).await);
    report.note(
        "customers.find_by_external_id: finds no customer of another environment or tenant",
        by_external_id(world).await,
    );
    report.note("customers.mappings: finds no mapping of another environment or tenant", mappings(world).await);
    report.note("customers.history: finds no event of another environment or tenant", history(world).await);
    report.note("taxes.find_rate: finds no rate of another environment or tenant", rates(world).await);
    report.note("taxes.associations: finds no association of another environment or tenant", associations(world).await);
    report.note("taxes.create_rate: writes into its scope, whatever owner the value has", foreign_rate(world).await);
    report.note(
        "taxes.create_default: writes into its scope, whatever owner the value has",
        foreign_default(world).await,
    );
    report.note("keys.list: finds no key of another environment or tenant", keys(world).await);
    report.note("keys.create: writes into its scope, whatever owner the value has", foreign_key(world).await);
}

/// A store may refuse such an environment or keep it apart.
async fn repeated_environment(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    world.created(&neighbours.here, a_customer("known")).await?;
    for (whose, scope) in neighbours.elsewhere() {
        let Ok(event) = world.create(&scope, a_customer("acme")).await else { continue };
        let found = world.find(&neighbours.here, event.state.customer.id).await?;
        holds(found.is_none(), || format!("a customer of {whose} was found by its id"))?;
        let found = world.find_external(&neighbours.here, "acme").await?;
        holds(found.is_none(), || format!("a customer of {whose} was found by its external id"))?;
    }
    Ok(())
}

async fn find(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let event = world.created(&neighbours.here, a_customer("acme").linked("stripe", "cus_1")).await?;
    let id = event.state.customer.id;
    is_record("customers.find in its own scope", world.find(&neighbours.here, id).await?.as_ref(), &event)?;
    for (whose, scope) in neighbours.elsewhere() {
        holds(world.find(&scope, id).await?.is_none(), || format!("{whose} found the customer"))?;
    }
    Ok(())
}

async fn by_external_id(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let event = world.created(&neighbours.here, a_customer("acme")).await?;
    let found = world.find_external(&neighbours.here, "acme").await?;
    is_record("customers.find_by_external_id in its own scope", found.as_ref(), &event)?;
    for (whose, scope) in neighbours.elsewhere() {
        holds(world.find_external(&scope, "acme").await?.is_none(), || format!("{whose} found the customer"))?;
    }
    Ok(())
}

async fn mappings(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let event = world.created(&neighbours.here, a_customer("acme").linked("stripe", "cus_1")).await?;
    for filter in [MappingFilter::Customer(event.state.customer.id), to("stripe", "cus_1")?] {
        let customers = &world.ports.customers;
        let own = customers.mappings(&neighbours.here, &filter, PageRequest::default()).await;
        same("mappings in their own scope", &own.or_say("customers.mappings")?.total, &1)?;
        for (whose, scope) in neighbours.elsewhere() {
            let found =
                customers.mappings(&scope, &filter, PageRequest::default()).await.or_say("customers.mappings")?;
            same(&format!("mappings seen by {whose}"), &(found.items.len(), found.total), &(0, 0))?;
        }
    }
    Ok(())
}

async fn history(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let id = world.created(&neighbours.here, a_customer("acme")).await?.state.customer.id;
    for (whose, scope) in neighbours.elsewhere() {
        let found = world.ports.customers.history(&scope, id, PageRequest::default()).await;
        let found = found.or_say("customers.history")?;
        same(&format!("events seen by {whose}"), &(found.items.len(), found.total), &(0, 0))?;
    }
    Ok(())
}

async fn rates(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let rate = world.created_rate(&neighbours.here, a_tax_rate("VAT")).await?;
    for (whose, scope) in neighbours.elsewhere() {
        let found = world.ports.taxes.find_rate(&scope, rate.id).await.or_say("taxes.find_rate")?;
        holds(found.is_none(), || format!("{whose} found the rate"))?;
    }
    Ok(())
}

async fn associations(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let rate = world.created_rate(&neighbours.here, a_tax_rate("VAT")).await?;
    world.created_default(&neighbours.here, world.default_of(&rate)).await?;
    let customer = world.created(&neighbours.here, a_customer("acme")).await?.state.customer.id;
    for entity in [TaxedEntity::Customer(customer), TaxedEntity::Tenant] {
        let taxes = &world.ports.taxes;
        let own = taxes.associations(&neighbours.here, &TaxAssociationFilter::of(entity), PageRequest::default()).await;
        same("associations in their own scope", &own.or_say("taxes.associations")?.total, &1)?;
        for (whose, scope) in neighbours.elsewhere() {
            let found = taxes
                .associations(&scope, &TaxAssociationFilter::of(entity), PageRequest::default())
                .await
                .or_say("taxes.associations")?;
            same(&format!("associations seen by {whose}"), &(found.items.len(), found.total), &(0, 0))?;
        }
    }
    Ok(())
}

async fn foreign_rate(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let rate = TaxRate { owner: neighbours.abroad.owner, ..world.rate(&neighbours.here, a_tax_rate("VAT")) };
    let taxes = &world.ports.taxes;
    world.create_rate(&neighbours.here, rate.clone()).await.or_say("taxes.create_rate")?;
    let abroad = taxes.find_rate(&neighbours.abroad, rate.id).await.or_say("taxes.find_rate")?;
    holds(abroad.is_none(), || "the rate was written into the other tenant".to_owned())?;
    let here = taxes.find_rate(&neighbours.here, rate.id).await.or_say("taxes.find_rate")?;
    same("the owner of the rate", &here.map(|rate| rate.owner), &Some(neighbours.here.owner))
}

async fn foreign_default(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let rate = world.created_rate(&neighbours.here, a_tax_rate("VAT")).await?;
    let mut default = world.default_of(&rate);
    default.owner = neighbours.abroad.owner;
    let taxes = &world.ports.taxes;
    taxes.create_default(&neighbours.here, default, None).await.or_say("taxes.create_default")?;
    let owners = async |scope| {
        let page =
            taxes.associations(scope, &TaxAssociationFilter::of(TaxedEntity::Tenant), PageRequest::default()).await;
        let page = page.or_say("taxes.associations")?;
        Ok::<_, String>(page.items.iter().map(|default| default.owner).collect::<Vec<_>>())
    };
    same("owners of the other tenant's defaults", &owners(&neighbours.abroad).await?, &Vec::new())?;
    same("owners of the defaults", &owners(&neighbours.here).await?, &vec![neighbours.here.owner])
}

async fn keys(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let (key, _) = world.created_key(&neighbours.here).await?;
    let own = world.ports.keys.list(&neighbours.here, None, PageRequest::default()).await.or_say("keys.list")?;
    same("keys in their own scope", &(own.items, own.total), &(vec![key], 1))?;
    for (whose, scope) in neighbours.elsewhere() {
        let found = world.ports.keys.list(&scope, None, PageRequest::default()).await.or_say("keys.list")?;
        same(&format!("keys seen by {whose}"), &(found.items.len(), found.total), &(0, 0))?;
    }
    Ok(())
}

async fn foreign_key(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let secret = world.secret()?;
    let key = ApiKey { owner: neighbours.abroad.owner, ..world.key(&neighbours.here, &secret) };
    let keys = &world.ports.keys;
    keys.create(&neighbours.here, key, secret.clone(), None).await.or_say("keys.create")?;
    let found = keys.find_by_secret(&SystemScope::patron(), &secret).await.or_say("keys.find_by_secret")?;
    same("the owner of the key", &found.map(|key| key.owner), &Some(neighbours.here.owner))?;
    let abroad = keys.list(&neighbours.abroad, None, PageRequest::default()).await.or_say("keys.list")?;
    same("keys of the other tenant", &abroad.total, &0)
}
