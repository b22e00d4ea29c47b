//! Archiving and restoring customers.

use futures_util::future::join_all;

use super::{
    Report,
    changing::{associate, note, unlink, update},
    customers::links,
    equal::all_equal,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{Amendment, ChangeCustomerError, InvalidOperation},
    lifecycle::Status,
    testkit::{a_customer, a_tax_rate},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.change: archiving archives mappings and associations too, and frees the external id",
        archive(world).await,
    );
    report.note(
        "customers.change: a restore brings back what was archived with the customer, and nothing that was removed before",
        restore(world).await,
    );
    report.note(
        "customers.change: restoring is refused while another customer has the external id",
        restore_taken(world).await,
    );
    report.note(
        "customers.change: of concurrent creates and restores of one external id exactly one succeeds",
        at_once(world).await,
    );
}

async fn archive(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut new = a_customer("acme").linked("crm", "1");
    if world.has_taxes {
        world.created_rate(&scope, a_tax_rate("VAT")).await?;
        new = new.taxed("VAT", "EUR");
    }
    let id = world.created(&scope, new).await?.state.customer.id;
    let archived = world.amended(&scope, id, Amendment::Archive).await?;
    same("the status", &archived.state.customer.status, &Status::Archived)?;
    world.is_as(&scope, &archived).await?;
    same("the reverse look-up", &links(world, &scope, "crm", "1").await?, &0)?;
    let found = world.find_external(&scope, "acme").await?;
    holds(found.is_none(), || "it is found by its external id".to_owned())?;
    let again = world.amend(&scope, id, Amendment::Archive).await.map(drop);
    same("archiving again", &again, &Err(ChangeCustomerError::UnknownCustomer))?;
    let changed = world.amend(&scope, id, update(note("X", "x")?)).await.map(drop);
    same("an update", &changed, &Err(InvalidOperation::Archived.into()))?;
    world.create(&scope, a_customer("acme")).await.or_say("a create of the freed external id")?;
    world.is_as(&scope, &archived).await
}

async fn restore(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut new = a_customer("acme").linked("crm", "1").linked("stripe", "1");
    if world.has_taxes {
        world.created_rate(&scope, a_tax_rate("VAT")).await?;
        world.created_rate(&scope, a_tax_rate("CITY")).await?;
        new = new.taxed("VAT", "EUR").taxed("CITY", "EUR");
    }
    let created = world.created(&scope, new).await?;
    let id = created.state.customer.id;
    let given_up = created.state.associations.first().map(|association| association.id);
    let mut before = world.amended(&scope, id, unlink("stripe")?).await?;
    if let Some(given_up) = given_up {
        before = world.amended(&scope, id, Amendment::Dissociate(given_up)).await?;
    }
    world.amended(&scope, id, Amendment::Archive).await?;
    let restored = world.amended(&scope, id, Amendment::Restore).await?;
    world.is_as(&scope, &restored).await?;
    let mut wanted = before.state.clone();
    // They were changed twice in between.
    let audit = &restored.state.customer.audit;
    wanted.mappings.iter_mut().for_each(|mapping| mapping.audit.touch(audit.updated_at, &audit.updated_by));
    wanted.associations.iter_mut().for_each(|one| one.audit.touch(audit.updated_at, &audit.updated_by));
    all_equal("the mappings", &restored.state.mappings, &wanted.mappings)?;
    all_equal("the associations", &restored.state.associations, &wanted.associations)?;
    same("the reverse look-up of the removed link", &links(world, &scope, "stripe", "1").await?, &0)?;
    let again = world.amend(&scope, id, Amendment::Restore).await.map(drop);
    same("restoring again", &again, &Err(InvalidOperation::NotArchived.into()))?;
    // Removed links and associations can be created again, as new objects.
    let Some(given_up) = given_up else { return Ok(()) };
    let city = world.amended(&scope, id, associate("CITY")?).await?;
    holds(city.state.associations.iter().all(|one| one.id != given_up), || "it has its old id".to_owned())?;
    world.is_as(&scope, &city).await
}

async fn restore_taken(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme").linked("crm", "1")).await?.state.customer.id;
    let archived = world.amended(&scope, id, Amendment::Archive).await?;
    let holder = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    let refused = world.amend(&scope, id, Amendment::Restore).await.map(drop);
    same("restoring", &refused, &Err(ChangeCustomerError::ExternalIdTaken { existing: holder }))?;
    world.is_as(&scope, &archived).await?;
    world.amended(&scope, holder, Amendment::Archive).await?;
    let restored = world.amended(&scope, id, Amendment::Restore).await?;
    world.is_as(&scope, &restored).await
}

async fn at_once(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let mut archived = Vec::new();
    for _ in 0..4 {
        let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
        world.amended(&scope, id, Amendment::Archive).await?;
        archived.push(id);
    }
    let one = async |n: usize| match archived.get(n) {
        Some(id) => world.amend(&scope, *id, Amendment::Restore).await,
        None => world.create(&scope, a_customer("acme")).await,
    };
    let answers = join_all((0..8).map(one)).await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    let [winner] = winners.as_slice() else { return Err(format!("{} of 8 succeeded", winners.len())) };
    let existing = winner.state.customer.id;
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        same("the other results", refusal, &ChangeCustomerError::ExternalIdTaken { existing })?;
    }
    world.is_as(&scope, winner).await
}
