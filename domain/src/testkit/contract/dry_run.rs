//! Dry runs: they say what a write then does, and leave nothing behind.

use super::{
    Report,
    changing::{note, rename, update},
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    customer::{
        Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerUpdate, ExternalId,
        MetadataUpdate,
        query::{CustomerQuery, CustomerQueryParts},
    },
    event::{EventCursor, EventKind, TaxRateEvent},
    ids::{CustomerId, IdGenerator},
    integration::{NewLink, ProviderEntityId, ProviderType},
    lifecycle::{Precondition, Version},
    metadata::JsonObject,
    patch::Patch,
    report::{ObjectState, WriteReport},
    tax::{ChangeTaxRate, TaxRateAmendment},
    tenancy::{EnvironmentScope, SystemScope},
    testkit::{a_customer, a_tax_rate},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.change: a dry run says what the same change then does, and leaves nothing",
        customers(world).await,
    );
}

/// The same for the other ports, and the log.
pub(super) async fn check_others(world: &World<'_>, report: &mut Report) {
    report.note("events: a dry run leaves no event", log(world).await);
    report.note("taxes: a dry run says what the same write then does, and leaves nothing", taxes(world).await);
    report.note("keys: a dry run says what the same write then does, and leaves nothing", keys(world).await);
    report.note("tenancy: a dry run of a new environment leaves nothing", environments(world).await);
}

/// The same scope, for a dry run.
fn dry(scope: &EnvironmentScope) -> (EnvironmentScope, WriteReport) {
    let report = WriteReport::of_dry_run();
    let scope = EnvironmentScope { origin: scope.origin.clone().reporting(report.clone()), ..scope.clone() };
    (scope, report)
}

/// Makes a change twice: first as a dry run.
async fn twice(
    world: &World<'_>,
    scope: &EnvironmentScope,
    command: ChangeCustomer,
) -> Result<Result<CustomerChanged, ChangeCustomerError>, String> {
    let (rehearsal, report) = dry(scope);
    let before = all(world, scope).await?;
    let said = world.change(&rehearsal, command.clone()).await;
    holds(all(world, scope).await? == before, || "a dry run has changed a customer".to_owned())?;
    let written = report.written();
    let done = world.change(scope, command).await;
    holds(said == done, || {
        let kind = |one: &Result<CustomerChanged, ChangeCustomerError>| match one {
            Ok(changed) => format!("version {}", changed.event.sequence.get()),
            Err(error) => error.to_string(),
        };
        format!("a dry run returned {}, but the change returned {}", kind(&said), kind(&done))
    })?;
    // A store may leave the report empty.
    if let (Ok(done), [change]) = (&done, &written.objects[..]) {
        let after = Some(ObjectState::Customer(Box::new(done.event.state.clone())));
        holds(change.after == after, || "the report of a dry run has another state".to_owned())?;
        let kinds = vec![EventKind::Customer(done.event.kind.clone())];
        holds(written.events == kinds, || "the report of a dry run has another event".to_owned())?;
        let first = done.event.sequence == Version::FIRST;
        holds(change.before.is_none() == first, || "the report of a dry run has another state before".to_owned())?;
    }
    Ok(done)
}

/// Everything that a list shows, in any order.
async fn all(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<crate::customer::CustomerRecord>, String> {
    let parts = CustomerQueryParts { with_mappings: true, ..CustomerQueryParts::default() };
    let query = CustomerQuery::new(parts).or_say("the literal")?;
    Ok(world.ports.customers.list(scope, &query).await.or_say("customers.list")?.items)
}

/// Numbers that look random, the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        // Constants of Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

async fn customers(world: &World<'_>) -> Outcome {
    for seed in 0..2 {
        let scope = world.environment().await?;
        let (mut chance, mut known) = (Chance(seed), vec![world.id::<crate::ids::CustomerKind>()]);
        for _ in 0..30 {
            let command = random(world, &mut chance, &known)?;
            let amends = matches!(command.change, CustomerChange::Amend(..));
            if let Ok(done) = twice(world, &scope, command).await?
                && !amends
            {
                known.push(done.event.state.customer.id);
            }
        }
    }
    Ok(())
}

/// A change that may be refused: of a customer that exists, existed or never did.
fn random(world: &World<'_>, chance: &mut Chance, known: &[CustomerId]) -> Result<ChangeCustomer, String> {
    let external_id = format!("external {}", chance.below(4));
    let place = usize::try_from(chance.below(known.len() as u64)).unwrap_or_default();
    let id = known[place];
    let at = world.now();
    let provider_type = ProviderType::new(format!("crm {}", chance.below(2))).or_say("the literal")?;
    let amendment = match chance.below(9) {
        0 | 1 => return Ok(a_customer(&external_id).command(world.ids().start(at), at)),
        2 => {
            let create = a_customer(&external_id).command(world.ids().start(at), at);
            let CustomerChange::Create(new) = create.change else { return Err("no create".to_owned()) };
            let update = Box::new(note(&format!("name {}", chance.below(3)), "noted")?);
            let change = CustomerChange::CreateOrUpdate { new: Box::new(new), update };
            return Ok(ChangeCustomer { change, ..create });
        }
        3 => rename(&external_id)?,
        4 => Amendment::Archive,
        5 => Amendment::Restore,
        6 => Amendment::Link(NewLink {
            provider_type,
            provider_entity_id: ProviderEntityId::new(format!("{}", chance.below(2))).or_say("the literal")?,
            metadata: JsonObject::default(),
        }),
        7 => Amendment::Unlink { provider_type, provider_entity_id: None },
        _ => update(CustomerUpdate {
            metadata: MetadataUpdate::Merge([("a".to_owned(), Some(chance.below(2).to_string()))].into()),
            email: Patch::Clear,
            external_id: Some(ExternalId::new(external_id).or_say("the literal")?),
            ..CustomerUpdate::default()
        }),
    };
    let command = world.command(CustomerChange::Amend(id, amendment));
    let only_if = if chance.below(5) == 0 { Precondition::OneOf(vec![Version::FIRST]) } else { Precondition::None };
    Ok(ChangeCustomer { only_if, ..command })
}

async fn log(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let (rehearsal, _) = dry(&scope);
    let end = async || world.ports.events.end(&SystemScope::patron(), scope.owner).await.or_say("events.end");
    // In an environment without a log, too.
    let said = world.create(&rehearsal, a_customer("a")).await;
    said.or_say("a dry run")?;
    same("the end of an empty log", &end().await?, &EventCursor::START)?;
    world.created(&scope, a_customer("b")).await?;
    let before = end().await?;
    world.create(&rehearsal, a_customer("c")).await.or_say("a dry run")?;
    same("the end of the log", &end().await?, &before)?;
    let next = world.created(&scope, a_customer("d")).await?;
    same("the position after a dry run", &end().await?.position().stored(), &2)?;
    same("the next event's sequence", &next.sequence, &Version::FIRST)
}

async fn taxes(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let taxes = &world.ports.taxes;
    let (rehearsal, _) = dry(&scope);
    let rate = world.rate(&scope, a_tax_rate("VAT"));
    let created = TaxRateEvent::created(world.id(), None, rate.clone());
    let said = taxes.create_rate(&rehearsal, created.clone(), None).await;
    let found = taxes.find_rate(&scope, rate.id).await.or_say("taxes.find_rate")?;
    holds(found.is_none(), || "a dry run has created a rate".to_owned())?;
    holds(said == taxes.create_rate(&scope, created, None).await, || "a dry run returned something else".to_owned())?;
    let again = TaxRateEvent::created(world.id(), None, world.rate(&scope, a_tax_rate("VAT")));
    let said = taxes.create_rate(&rehearsal, again.clone(), None).await;
    holds(said.is_err() && said == taxes.create_rate(&scope, again, None).await, || {
        "a dry run of a taken code returned something else".to_owned()
    })?;
    let default = world.default_of(&rate);
    let said = taxes.create_default(&rehearsal, default.clone(), None).await;
    let found = taxes.find_association(&scope, default.id).await.or_say("taxes.find_association")?;
    holds(found.is_none(), || "a dry run has created a default".to_owned())?;
    holds(said == taxes.create_default(&scope, default, None).await, || {
        "a dry run returned something else".to_owned()
    })?;
    let unused = world.created_rate(&scope, a_tax_rate("UNUSED")).await?;
    let (at, event_id) = (world.now(), world.id());
    for id in [unused.id, rate.id] {
        let amendment = TaxRateAmendment::Archive;
        let command = ChangeTaxRate { id, amendment, at, event_id, request_id: None, only_if: Precondition::None };
        let before = taxes.find_rate(&scope, id).await;
        let said = taxes.change_rate(&rehearsal, command.clone(), None).await;
        holds(taxes.find_rate(&scope, id).await == before, || "a dry run has changed a rate".to_owned())?;
        holds(said == taxes.change_rate(&scope, command, None).await, || {
            "a dry run returned something else".to_owned()
        })?;
    }
    Ok(())
}

async fn keys(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let keys = &world.ports.keys;
    let (rehearsal, report) = dry(&scope);
    let secret = world.secret()?;
    let key = world.key(&scope, &secret);
    let said = keys.create(&rehearsal, key.clone(), secret.clone(), None).await;
    let found = keys.find_by_secret(&SystemScope::patron(), &secret).await.or_say("keys.find_by_secret")?;
    holds(found.is_none(), || "a dry run has created a key".to_owned())?;
    holds(report.written().objects.len() <= 1, || "a dry run of one key reports more".to_owned())?;
    holds(said == keys.create(&scope, key.clone(), secret.clone(), None).await, || {
        "a dry run returned something else".to_owned()
    })?;
    let at = world.now();
    let said = keys.revoke(&rehearsal, key.id, at, None).await;
    let found = keys.find_by_secret(&SystemScope::patron(), &secret).await.or_say("keys.find_by_secret")?;
    holds(found.is_some_and(|key| key.is_valid_at(at)), || "a dry run has revoked a key".to_owned())?;
    holds(said == keys.revoke(&scope, key.id, at, None).await, || "a dry run returned something else".to_owned())
}

async fn environments(world: &World<'_>) -> Outcome {
    let tenant = world.tenant().await?;
    let environment = world.new_environment(tenant.id);
    let report = WriteReport::of_dry_run();
    let mut scope = crate::tenancy::TenantScope::new(tenant.id, crate::testkit::a_scope().actor);
    scope.origin = scope.origin.reporting(report);
    let said = world.ports.tenancy.create_environment(&scope, environment.clone(), None).await;
    same("the result of a dry run", &said.or_say("tenancy.create_environment")?.value.id, &environment.id)?;
    let found = world.ports.tenancy.find_environment(&SystemScope::patron(), environment.id).await;
    holds(found.or_say("tenancy.find_environment")?.is_none(), || "a dry run has created an environment".to_owned())
}
