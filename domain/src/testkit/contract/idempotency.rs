//! Idempotency keys.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::{
    Report,
    changing::{note, update},
    equal::equal,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged},
    idempotency::{Fingerprint, IdempotencyClaim, IdempotencyKey},
    store::StoreError,
    tenancy::{EnvironmentScope, SystemScope},
    testkit::{CustomerBuilder, a_customer},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.change: a request repeated with its key is done once, and returns its event again",
        replayed(world).await,
    );
    report
        .note("customers.change: another request with a used key is refused, and leaves nothing", reused(world).await);
    report.note("customers.change: a refusal leaves the idempotency key free", refused(world).await);
    report.note(
        "customers.change: of concurrent calls with one idempotency key exactly one does the work",
        at_once(world).await,
    );
    report.note(
        "customers.change: an idempotency key can be used again in every other environment",
        elsewhere(world).await,
    );
    report.note("customers.change: an expired record does not count, and is replaced", outlived(world).await);
    report.note("customers.change: amendments with a key are done once too", amendments(world).await);
}

/// Only a store without other users shows how many records are removed.
pub(super) async fn check_empty(world: &World<'_>, report: &mut Report) {
    report.note("retention: removes only old idempotency records, and no more than the limit", purged(world).await);
}

/// A claim of a request with this number. Only records from `since` on count.
pub(super) fn claim(key: &str, request: u8, since: Timestamp) -> Result<IdempotencyClaim, String> {
    let key = IdempotencyKey::new(key).or_say("the literal")?;
    Ok(IdempotencyClaim { key, fingerprint: Fingerprint::from_bytes([request; 32]), since })
}

/// A change under a key; records of any age count.
async fn under(
    world: &World<'_>,
    scope: &EnvironmentScope,
    (key, request): (&str, u8),
    change: CustomerChange,
) -> Result<Result<CustomerChanged, ChangeCustomerError>, String> {
    let claim = Some(claim(key, request, Timestamp::UNIX_EPOCH)?);
    Ok(world.change(scope, ChangeCustomer { claim, ..world.command(change) }).await)
}

async fn create_under(
    world: &World<'_>,
    scope: &EnvironmentScope,
    key: (&str, u8),
    new: CustomerBuilder,
) -> Result<CustomerChanged, String> {
    under(world, scope, key, CustomerChange::Create(new.build())).await?.or_say("customers.change under a key")
}

/// Checks that a result is the first one again.
fn again(found: &CustomerChanged, first: &CustomerChanged) -> Outcome {
    holds(found.replayed, || "the repeated request was done again".to_owned())?;
    equal("the event of the repeated request", &found.event, &first.event)
}

async fn replayed(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let new = || a_customer("acme").linked("crm", "1");
    let first = create_under(world, &scope, ("k", 1), new()).await?;
    holds(!first.replayed, || "the first call is marked as replayed".to_owned())?;
    again(&create_under(world, &scope, ("k", 1), new()).await?, &first)?;
    // Whatever happens to the customer later, the result is the first one.
    let id = first.event.state.customer.id;
    world.amended(&scope, id, update(note("Later", "later")?)).await?;
    world.amended(&scope, id, Amendment::Archive).await?;
    again(&create_under(world, &scope, ("k", 1), new()).await?, &first)?;
    same("events", &world.events(&scope, id).await?.len(), &3)?;
    let found = world.find_external(&scope, "acme").await?;
    holds(found.is_none(), || "the repeated request created a second customer".to_owned())?;
    let other = create_under(world, &scope, ("K", 1), new()).await?;
    holds(!other.replayed, || "keys that differ in case count as one".to_owned())
}

async fn reused(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let first = create_under(world, &scope, ("k", 1), a_customer("acme")).await?;
    let other = under(world, &scope, ("k", 2), CustomerChange::Create(a_customer("other").build())).await?;
    let is_refused = matches!(&other, Err(ChangeCustomerError::KeyReused(reused)) if reused.earlier.is_some());
    holds(is_refused, || "another request with the key was not refused with the time of the first".to_owned())?;
    let found = world.find_external(&scope, "other").await?;
    holds(found.is_none(), || "the refused create was done".to_owned())?;
    again(&create_under(world, &scope, ("k", 1), a_customer("acme")).await?, &first)
}

async fn refused(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.created(&scope, a_customer("taken")).await?;
    for (n, new) in [a_customer("acme").taxed("NONE", "EUR"), a_customer("taken")].into_iter().enumerate() {
        let key = format!("key {n}");
        let refused = under(world, &scope, (&key, 1), CustomerChange::Create(new.build())).await?;
        holds(refused.is_err(), || "the create succeeded".to_owned())?;
        let mended = create_under(world, &scope, (&key, 2), a_customer(&format!("corrected {n}"))).await?;
        holds(!mended.replayed, || "a refusal was recorded with its key".to_owned())?;
    }
    Ok(())
}

async fn at_once(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    // Only the key distinguishes these requests.
    let name = |n: usize| format!("customer {n}");
    let one = async |n: usize| {
        under(world, &scope, ("k", 1), CustomerChange::Create(a_customer(&name(n)).linked("crm", "1").build())).await
    };
    let mut events = Vec::new();
    let mut done = 0;
    for answer in join_all((0..16).map(one)).await {
        match answer? {
            Ok(changed) => {
                done += usize::from(!changed.replayed);
                events.push(changed.event);
            }
            Err(ChangeCustomerError::Store(StoreError::Unavailable { .. })) => {}
            Err(other) => return Err(format!("a repeated request was refused with: {other}")),
        }
    }
    same("calls that did the work", &done, &1)?;
    same("events", &events.iter().map(|event| event.id).collect::<BTreeSet<_>>().len(), &1)?;
    let mut made = 0;
    for n in 0..16 {
        made += usize::from(world.find_external(&scope, &name(n)).await?.is_some());
    }
    same("customers", &made, &1)
}

async fn elsewhere(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    for scope in [&neighbours.here, &neighbours.next_door, &neighbours.abroad] {
        let made = create_under(world, scope, ("k", 1), a_customer("acme")).await?;
        holds(!made.replayed, || "a key of another environment was found".to_owned())?;
        same("the owner", &made.event.state.customer.owner, &scope.owner)?;
    }
    Ok(())
}

async fn outlived(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let first = create_under(world, &scope, ("k", 1), a_customer("first")).await?;
    let since = |at: Timestamp| Timestamp::from_micros(at.micros() + 1).or_say("the literal");
    let later = |request, since: Timestamp, name: &str| {
        let command = world.command(CustomerChange::Create(a_customer(name).build()));
        Ok::<_, String>(ChangeCustomer { claim: Some(claim("k", request, since)?), ..command })
    };
    let kept =
        world.change(&scope, later(1, first.event.at, "kept")?).await.or_say("a record just before its expiry")?;
    again(&kept, &first)?;
    let second = world.change(&scope, later(2, since(first.event.at)?, "second")?).await.or_say("an expired key")?;
    holds(!second.replayed, || "an expired record was used".to_owned())?;
    let third = world.change(&scope, later(2, since(first.event.at)?, "third")?).await.or_say("the new record")?;
    again(&third, &second)
}

async fn amendments(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let id = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    for (n, amendment) in [update(note("Acme", "plan")?), Amendment::Archive].into_iter().enumerate() {
        let key = format!("key {n}");
        let change = || CustomerChange::Amend(id, amendment.clone());
        let first = under(world, &scope, (&key, 1), change()).await?.or_say("customers.change under a key")?;
        let second = under(world, &scope, (&key, 1), change()).await?.or_say("its repetition")?;
        again(&second, &first)?;
        same("events", &world.events(&scope, id).await?.len(), &(n + 2))?;
    }
    Ok(())
}

async fn purged(world: &World<'_>) -> Outcome {
    let scopes = [world.environment().await?, world.environment().await?];
    let mut made = Vec::new();
    for n in 0..5 {
        let (scope, key) = (&scopes[n % 2], format!("key {n}"));
        made.push(create_under(world, scope, (&key, 1), a_customer(&key)).await?);
    }
    let before = made[3].event.at;
    for wanted in [2, 1, 0] {
        let removed = world.ports.retention.remove_kept_answers(&SystemScope::patron(), before, 2).await;
        same("records removed", &removed.or_say("retention")?, &wanted)?;
    }
    for (n, first) in made.iter().enumerate() {
        let (scope, key) = (&scopes[n % 2], format!("key {n}"));
        if n < 3 {
            let free = create_under(world, scope, (&key, 2), a_customer(&format!("new {n}"))).await?;
            holds(!free.replayed, || format!("the record of `{key}` is still there"))?;
        } else {
            again(&create_under(world, scope, (&key, 1), a_customer(&key)).await?, first)?;
        }
    }
    Ok(())
}
