//! Looking customers up, and the uniqueness of external ids.

use super::{
    Report,
    equal::is_record,
    world::{OrSay, Outcome, World, holds, page, same},
};
use crate::{
    customer::{Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, MappingFilter},
    ids::CustomerId,
    page::PageRequest,
    tenancy::{EnvironmentScope, Quota, QuotaReached, Quoted},
    testkit::a_customer,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("customers.find: returns None for an unknown id", unknown_id(world).await);
    report
        .note("customers.find_by_external_id: returns None for an unknown external id", unknown_external(world).await);
    report.note(
        "customers.create: ExternalIdTaken contains the id of the customer that has the external id",
        taken(world).await,
    );
    report.note(
        "customers.create: after ExternalIdTaken nothing of the refused create is left",
        taken_leaves_nothing(world).await,
    );
    report.note(
        "customers.create: an external id can be used again in every other environment and tenant",
        free_elsewhere(world).await,
    );
    report.note("customers.create: external ids that differ in any character are different", distinct(world).await);
    report.note("customers.change: a quota limits the published customers", limited(world).await);
    report.note("customers.history: pages as asked, with the exact total", history_pages(world).await);
}

async fn limited(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let within = async |change, quota| {
        let command = ChangeCustomer { quota: Quota::of(quota), ..world.command(change) };
        world.change(&scope, command).await.map(|changed| changed.event.state.customer.id)
    };
    let create = |external_id| CustomerChange::Create(a_customer(external_id).build());
    let reached = |max| Err(QuotaReached { what: Quoted::Customers, max }.into());
    let first = within(create("first"), 1).await.or_say("the first create")?;
    same("a second create within a quota of one", &within(create("second"), 1).await, &reached(1))?;
    let second = within(create("second"), 2).await.or_say("a second create within a quota of two")?;
    let archive = CustomerChange::Amend(first, Amendment::Archive);
    within(archive, 1).await.or_say("archiving beyond the quota")?;
    let restore = || CustomerChange::Amend(first, Amendment::Restore);
    same("restoring within a quota of one", &within(restore(), 1).await, &reached(1))?;
    same("restoring within a quota of two", &within(restore(), 2).await, &Ok(first))?;
    let update = CustomerChange::Amend(second, Amendment::Update(Box::default()));
    same("an update beyond the quota", &within(update, 1).await, &Ok(second))
}

/// External ids that some database might confuse or interpret.
pub(super) const LOOKALIKES: [&str; 22] = [
    "acme",
    "Acme",
    "ACME",
    "acme ",
    " acme",
    "acme\u{a0}",
    "caf\u{e9}",
    "cafe\u{301}",
    "cafe",
    "stra\u{df}e",
    "strasse",
    "\u{131}d",
    "id",
    "1",
    "01",
    "1.0",
    "%",
    "_",
    "a%",
    "' OR '1'='1",
    "gid://app/Customer/1",
    "acm\u{ad}e",
];

async fn unknown_id(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created(&scope, a_customer("acme")).await?;
    holds(world.find(&scope, world.id()).await?.is_none(), || "a customer was found".to_owned())
}

async fn unknown_external(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created(&scope, a_customer("acme")).await?;
    for unknown in ["other", "acm", "acme1", "%", "_cme", "ac%"] {
        let found = world.find_external(&scope, unknown).await?;
        holds(found.is_none(), || format!("`{unknown}` found the customer `acme`"))?;
    }
    Ok(())
}

fn is_taken_by<T>(result: Result<T, ChangeCustomerError>, holder: CustomerId) -> Outcome {
    match result {
        Err(ChangeCustomerError::ExternalIdTaken { existing }) => same("the existing customer", &existing, &holder),
        Err(other) => Err(format!("another error was returned: {other}")),
        Ok(_) => Err("a second customer was created".to_owned()),
    }
}

async fn taken(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created(&scope, a_customer("another")).await?;
    let first = world.created(&scope, a_customer("acme")).await?;
    for _ in 0..2 {
        is_taken_by(world.create(&scope, a_customer("acme")).await, first.state.customer.id)?;
    }
    Ok(())
}

async fn taken_leaves_nothing(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let first = world.created(&scope, a_customer("acme").named("First").linked("crm", "first")).await?;
    let id = first.state.customer.id;
    let second = a_customer("acme").named("Second").linked("crm", "second").linked("stripe", "second");
    is_taken_by(world.create(&scope, second).await, id)?;

    is_record("customers.find", world.find(&scope, id).await?.as_ref(), &first)?;
    is_record("customers.find_by_external_id", world.find_external(&scope, "acme").await?.as_ref(), &first)?;
    same("links of the refused create", &links(world, &scope, "stripe", "second").await?, &0)?;
    same("links of the refused create", &links(world, &scope, "crm", "second").await?, &0)?;
    let history = world.ports.customers.history(&scope, id, PageRequest::default()).await;
    same("events of the first customer", &history.or_say("customers.history")?.total, &1)
}

/// The number of mappings to an entity of another system.
pub(super) async fn links(
    world: &World<'_>,
    scope: &EnvironmentScope,
    provider: &str,
    entity_id: &str,
) -> Result<u64, String> {
    let filter = to(provider, entity_id)?;
    let page = world.ports.customers.mappings(scope, &filter, PageRequest::default()).await;
    Ok(page.or_say("customers.mappings")?.total)
}

pub(super) fn to(provider: &str, entity_id: &str) -> Result<MappingFilter, String> {
    Ok(MappingFilter::Provider {
        provider_type: crate::integration::ProviderType::new(provider).or_say("the literal")?,
        provider_entity_id: crate::integration::ProviderEntityId::new(entity_id).or_say("the literal")?,
    })
}

async fn free_elsewhere(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let mut events = Vec::new();
    for scope in [&neighbours.here, &neighbours.next_door, &neighbours.abroad] {
        let event = world.create(scope, a_customer("acme").linked("stripe", "cus_1")).await;
        events.push((scope, event.or_say("customers.create in another environment")?));
    }
    for (scope, event) in events {
        is_record("customers.find_by_external_id", world.find_external(scope, "acme").await?.as_ref(), &event)?;
        is_taken_by(world.create(scope, a_customer("acme")).await, event.state.customer.id)?;
    }
    Ok(())
}

async fn distinct(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut events = Vec::new();
    for external_id in LOOKALIKES {
        let event = world.create(&scope, a_customer(external_id)).await;
        events.push((external_id, event.or_say(&format!("customers.create of {external_id:?}"))?));
    }
    for (external_id, event) in events {
        let found = world.find_external(&scope, external_id).await?;
        is_record(&format!("the customer {external_id:?}"), found.as_ref(), &event)?;
    }
    Ok(())
}

async fn history_pages(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let event = world.created(&scope, a_customer("acme")).await?;
    for (offset, wanted) in [(0, 1), (1, 0), (PageRequest::MAX_OFFSET, 0)] {
        let id = event.state.customer.id;
        let history = world.ports.customers.history(&scope, id, page(1, offset)?).await.or_say("customers.history")?;
        same(&format!("items and total at {offset}"), &(history.items.len(), history.total), &(wanted, 1))?;
    }
    Ok(())
}
