//! Custom fields: definitions, unique and required values, deletion, and queries.

mod queries;

use futures_util::future::{join, join_all};

use super::{
    Report,
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    audit::{AuditAction, AuditQuery},
    custom_field::{
        ChangeCustomField, CustomFieldDefinition, CustomFieldDeletion, CustomFieldError, CustomFieldKey,
        CustomFieldOption, CustomFieldOptions, CustomFieldType, CustomFieldUpdate, CustomFieldsChange,
        DeleteCustomField, GivenValue, MAX_CUSTOM_FIELDS, MAX_NAMED_CLASHES, PurgeCustomField,
    },
    customer::{Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerUpdate, Stamp},
    event::CustomerEvent,
    idempotency::{CallersClaim, Done, Fingerprint, IdempotencyClaim, IdempotencyKey},
    ids::{CustomerId, IdGenerator},
    page::PageRequest,
    patch::Patch,
    tenancy::{EnvironmentScope, Quota, QuotaReached, Quoted},
    testkit::{CustomerBuilder, a_custom_field, a_customer},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "custom_fields: a definition is read back as written and changed, until it is deleted",
        kept(world).await,
    );
    report.note("custom_fields: every change is recorded in the audit log", audited(world).await);
    report.note("custom_fields: other scopes neither see nor change a definition", isolated(world).await);
    report.note(
        "custom_fields.create_custom_field: of one key there is one definition, and not more than the maximum",
        bounded(world).await,
    );
    report.note("custom_fields: with a claim, everything is done once", once(world).await);
    report.note("custom_fields: customers are checked against the definitions", bound(world).await);
    report.note("custom_fields: of published customers one has a unique value", unique(world).await);
    report.note(
        "custom_fields.change_custom_field: a field whose values clash does not become unique",
        clashing(world).await,
    );
    report.note(
        "custom_fields.change_custom_field: a field that becomes unique sees the values of changes at the same time",
        becoming(world).await,
    );
    report.note(
        "custom_fields.delete_custom_field: a field in use is deleted after its values, each with an event",
        purged(world).await,
    );
    report.note("custom_fields: customers are found and sorted by their values", queries::found(world).await);
}

fn key(text: &str) -> Result<CustomFieldKey, String> {
    CustomFieldKey::new(text).or_say("the literal")
}

async fn all(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<CustomFieldDefinition>, String> {
    world.ports.custom_fields.custom_fields(scope).await.or_say("custom_fields.custom_fields")
}

fn change(world: &World<'_>, key: CustomFieldKey, update: CustomFieldUpdate) -> ChangeCustomField {
    ChangeCustomField { key, update, at: world.now(), only_if: Default::default() }
}

fn unique_now() -> CustomFieldUpdate {
    CustomFieldUpdate { unique: Some(true), ..CustomFieldUpdate::default() }
}

fn delete(world: &World<'_>, key: CustomFieldKey, purge: bool) -> DeleteCustomField {
    DeleteCustomField { key, purge, at: world.now(), only_if: Default::default() }
}

fn unique_field(name: &str) -> CustomFieldDefinition {
    CustomFieldDefinition { unique: true, ..a_custom_field(name, CustomFieldType::String) }
}

fn coded(external_id: &str, code: &str) -> CustomerBuilder {
    a_customer(external_id).with_custom("code", code)
}

async fn amended(
    world: &World<'_>,
    scope: &EnvironmentScope,
    id: CustomerId,
    amendment: Amendment,
) -> Result<CustomerEvent, ChangeCustomerError> {
    let at = world.now();
    let stamp = Stamp { ids: world.ids().start(at), at, request_id: None };
    let command = ChangeCustomer::new(CustomerChange::Amend(id, amendment), stamp);
    world.ports.customers.change(scope, command).await.map(|changed| changed.event)
}

fn set(name: &str, value: impl Into<serde_json::Value>) -> Amendment {
    let given = [(name.to_owned(), GivenValue::from(value.into()))].into_iter().collect();
    let custom_fields = CustomFieldsChange::Merge(given);
    Amendment::Update(Box::new(CustomerUpdate { custom_fields, ..CustomerUpdate::default() }))
}

async fn kept(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let fields = &world.ports.custom_fields;
    let mut wanted = Vec::new();
    for kind in CustomFieldType::ALL {
        wanted.push(world.defined(&scope, a_custom_field(kind.as_str(), *kind)).await?);
    }
    wanted.sort_by_key(|definition| definition.key);
    same("the definitions in the order of their keys", &all(world, &scope).await?, &wanted)?;
    let tier = key("select")?;
    let options = CustomFieldOptions::new(vec![CustomFieldOption::new("four").or_say("the literal")?]);
    let update = CustomFieldUpdate {
        options: Some(options.or_say("the literal")?),
        required: Some(true),
        unique: Some(true),
        personal: Some(true),
        description: Patch::Set(crate::custom_field::CustomFieldDescription::new("why").or_say("the literal")?),
        ..CustomFieldUpdate::default()
    };
    let before = fields.custom_field(&scope, tier).await.or_say("custom_field")?.ok_or("the field does not exist")?;
    let changing = change(world, tier, update);
    let changed = changing.clone().decide(&scope, &before).or_say("the decision")?;
    let answer = fields.change_custom_field(&scope, changing, None).await.or_say("change_custom_field")?;
    same("the changed definition", &answer, &Done::now(changed.clone()))?;
    let found = fields.custom_field(&scope, tier).await.or_say("custom_field")?;
    same("the definition read back", &found, &Some(changed))?;
    let deleted = fields.delete_custom_field(&scope, delete(world, tier, false), None).await.or_say("delete")?;
    same("deleting", &deleted, &Done::now(CustomFieldDeletion::Now))?;
    same("the deleted definition", &fields.custom_field(&scope, tier).await.or_say("custom_field")?, &None)?;
    same("the definitions left", &all(world, &scope).await?.len(), &(wanted.len() - 1))?;
    let again = fields.delete_custom_field(&scope, delete(world, tier, false), None).await;
    same("deleting twice", &again, &Err(CustomFieldError::Unknown))
}

async fn audited(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let fields = &world.ports.custom_fields;
    let code = world.defined(&scope, a_custom_field("code", CustomFieldType::String)).await?.key;
    let answer = fields.change_custom_field(&scope, change(world, code, unique_now()), None).await;
    answer.or_say("change_custom_field")?;
    // The same again changes nothing.
    let answer = fields.change_custom_field(&scope, change(world, code, unique_now()), None).await;
    answer.or_say("change_custom_field")?;
    fields.delete_custom_field(&scope, delete(world, code, false), None).await.or_say("delete_custom_field")?;
    let entries = world.ports.audit.entries(&scope, AuditQuery { before: None, limit: 3 }).await.or_say("audit")?;
    let actions: Vec<_> = entries.iter().map(|entry| entry.act.action).collect();
    let wanted = [AuditAction::CustomFieldDeleted, AuditAction::CustomFieldUpdated, AuditAction::CustomFieldCreated];
    same("the latest entries", &actions.as_slice(), &wanted.as_slice())
}

async fn isolated(world: &World<'_>) -> Outcome {
    let neighbours = world.neighbours().await?;
    let here = world.defined(&neighbours.here, a_custom_field("code", CustomFieldType::String)).await?;
    let fields = &world.ports.custom_fields;
    for (whose, scope) in neighbours.elsewhere() {
        same(whose, &fields.custom_field(&scope, here.key).await.or_say("custom_field")?, &None)?;
        same(whose, &all(world, &scope).await?, &Vec::new())?;
        let changed = fields.change_custom_field(&scope, change(world, here.key, unique_now()), None).await;
        same(whose, &changed, &Err(CustomFieldError::Unknown))?;
        let deleted = fields.delete_custom_field(&scope, delete(world, here.key, true), None).await;
        same(whose, &deleted, &Err(CustomFieldError::Unknown))?;
    }
    same("the definition after all of that", &all(world, &neighbours.here).await?, &vec![here.clone()])?;
    // The same key is free next door, and its values too.
    world.defined(&neighbours.next_door, unique_field("code")).await?;
    world.created(&neighbours.here, coded("acme", "x")).await?;
    world.created(&neighbours.next_door, coded("acme", "x")).await.map(drop)
}

async fn bounded(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let fields = &world.ports.custom_fields;
    let create = |definition: CustomFieldDefinition, quota| {
        let definition = CustomFieldDefinition { id: world.id(), ..definition };
        fields.create_custom_field(&scope, definition, quota, None)
    };
    let same_key = join_all((0..8).map(|_| create(a_custom_field("code", CustomFieldType::Date), Quota::of(8)))).await;
    let won: Vec<_> = same_key.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    same("the number of eight concurrent creates that succeed", &won.len(), &1)?;
    let existing = won.first().map(|done| done.value.id).ok_or("none")?;
    for lost in same_key.iter().filter_map(|answer| answer.as_ref().err()) {
        same("the other answers", lost, &CustomFieldError::KeyTaken { existing })?;
    }
    let quota = create(a_custom_field("more", CustomFieldType::Date), Quota::of(1)).await.map(drop);
    let reached = CustomFieldError::Quota(QuotaReached { what: Quoted::CustomFields, max: 1 });
    same("beyond a quota of one", &quota, &Err(reached))?;
    for number in 1..MAX_CUSTOM_FIELDS {
        world.defined(&scope, a_custom_field(&format!("field_{number}"), CustomFieldType::Boolean)).await?;
    }
    let more = create(a_custom_field("more", CustomFieldType::Date), Quota::UNLIMITED).await.map(drop);
    same("one more than the maximum", &more, &Err(CustomFieldError::TooMany))
}

async fn once(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let fields = &world.ports.custom_fields;
    let claim = |name: &str, request: u8| {
        let claim = IdempotencyClaim {
            key: IdempotencyKey::new(name).or_say("the literal")?,
            fingerprint: Fingerprint::from_bytes([request; 32]),
            since: Timestamp::UNIX_EPOCH,
        };
        Ok::<_, String>(CallersClaim::within(&scope, Some(claim)))
    };
    let definition = || CustomFieldDefinition {
        id: world.id(),
        owner: scope.owner,
        ..a_custom_field("code", CustomFieldType::String)
    };
    let first = fields.create_custom_field(&scope, definition(), Quota::UNLIMITED, claim("create", 1)?).await;
    let first = first.or_say("create_custom_field")?;
    let again = fields.create_custom_field(&scope, definition(), Quota::UNLIMITED, claim("create", 1)?).await;
    same("creating again", &again, &Ok(Done::before(first.value)))?;
    let other = fields.create_custom_field(&scope, definition(), Quota::UNLIMITED, claim("create", 2)?).await;
    holds(matches!(other, Err(CustomFieldError::KeyReused(_))), || "the key served another request".to_owned())?;

    let code = key("code")?;
    let changing = change(world, code, unique_now());
    let changed = fields.change_custom_field(&scope, changing.clone(), claim("change", 1)?).await;
    let changed = changed.or_say("change_custom_field")?;
    let again = fields.change_custom_field(&scope, changing, claim("change", 1)?).await;
    same("changing again", &again, &Ok(Done::before(changed.value)))?;

    world.created(&scope, coded("acme", "x")).await?;
    let refused = fields.delete_custom_field(&scope, delete(world, code, false), claim("delete", 1)?).await;
    same("deleting a field in use", &refused, &Err(CustomFieldError::InUse))?;
    let begun = fields.delete_custom_field(&scope, delete(world, code, true), claim("delete", 1)?).await;
    same("deleting with purge", &begun, &Ok(Done::now(CustomFieldDeletion::AfterPurge)))?;
    same("the number of purged customers", &purge(world, &scope, code, 10).await?, &1)?;
    let deleted = fields.delete_custom_field(&scope, delete(world, code, true), claim("delete", 1)?).await;
    same("deleting after the purge", &deleted, &Ok(Done::now(CustomFieldDeletion::Now)))?;
    let again = fields.delete_custom_field(&scope, delete(world, code, true), claim("delete", 1)?).await;
    same("deleting again", &again, &Ok(Done::before(CustomFieldDeletion::Now)))
}

async fn purge(world: &World<'_>, scope: &EnvironmentScope, key: CustomFieldKey, limit: u16) -> Result<u64, String> {
    let at = world.now();
    let purge = PurgeCustomField { key, at, ids: world.ids().start(at), request_id: None, limit };
    world.ports.custom_fields.purge_custom_field(scope, purge).await.or_say("custom_fields.purge_custom_field")
}

async fn bound(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let refused = |answer: Result<CustomerEvent, ChangeCustomerError>| match answer {
        Err(ChangeCustomerError::Invalid(broken)) => broken.into_iter().map(|one| (one.path, one.rule)).collect(),
        other => vec![(format!("{:?}", other.map(drop)), "")],
    };
    let wants = |rule| vec![("custom_fields.code".to_owned(), rule)];
    same("an unknown field", &refused(world.create(&scope, coded("acme", "x")).await), &wants("known_field"))?;
    let required = CustomFieldDefinition { required: true, ..a_custom_field("code", CustomFieldType::String) };
    let acme = world.created(&scope, a_customer("acme")).await?.state.customer.id;
    world.defined(&scope, required).await?;
    same("a create without a value", &refused(world.create(&scope, a_customer("b")).await), &wants("required"))?;
    let number = a_customer("b").with_custom("code", 5);
    same("a create with a number", &refused(world.create(&scope, number).await), &wants("type"))?;
    let other = refused(amended(world, &scope, acme, set("code", serde_json::Value::Null)).await);
    same("a change without a value", &other, &wants("required"))?;
    let event = amended(world, &scope, acme, set("code", "x")).await.or_say("customers.change")?;
    let read = world.find(&scope, acme).await?.ok_or("the customer does not exist")?;
    same("the fields read back", &read.customer.profile.custom_fields, &event.state.customer.profile.custom_fields)
}

async fn unique(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    world.defined(&scope, unique_field("code")).await?;
    let names: Vec<_> = (0..8).map(|number| format!("c {number}")).collect();
    let answers = join_all(names.iter().map(|name| world.create(&scope, coded(name, "x")))).await;
    let won: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    same("the number of eight concurrent creates that succeed", &won.len(), &1)?;
    let winner = won.first().map(|event| event.state.customer.id).ok_or("none")?;
    let code = key("code")?;
    let taken = |existing| ChangeCustomerError::CustomFieldTaken { key: code, existing };
    for lost in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        same("the other answers", lost, &taken(winner))?;
    }
    let second = world.created(&scope, coded("second", "y")).await?.state.customer.id;
    let change = |id, amendment| amended(world, &scope, id, amendment);
    same("taking the value", &change(second, set("code", "x")).await.map(drop), &Err(taken(winner)))?;
    change(winner, Amendment::Archive).await.or_say("archiving")?;
    change(second, set("code", "x")).await.or_say("taking the value of an archived customer")?;
    same("restoring", &change(winner, Amendment::Restore).await.map(drop), &Err(taken(second)))?;
    change(second, set("code", "z")).await.or_say("giving the value up")?;
    change(winner, Amendment::Restore).await.or_say("restoring")?;
    same("taking it once more", &change(second, set("code", "x")).await.map(drop), &Err(taken(winner)))
}

async fn clashing(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let fields = &world.ports.custom_fields;
    let code = world.defined(&scope, a_custom_field("code", CustomFieldType::String)).await?.key;
    let mut same_value = Vec::new();
    for number in 0..=MAX_NAMED_CLASHES {
        same_value.push(world.created(&scope, coded(&format!("c {number}"), "x")).await?.state.customer.id);
    }
    world.created(&scope, coded("other", "X")).await?;
    let turn_on = || fields.change_custom_field(&scope, change(world, code, unique_now()), None);
    same_value.sort_unstable();
    let customers = same_value.iter().copied().take(MAX_NAMED_CLASHES.into()).collect();
    same("with clashing values", &turn_on().await.map(drop), &Err(CustomFieldError::Clash { customers }))?;
    same("the field", &all(world, &scope).await?.iter().any(|field| field.unique), &false)?;
    let (kept, others) = same_value.split_first().ok_or("none")?;
    for id in others {
        amended(world, &scope, *id, Amendment::Archive).await.or_say("archiving")?;
    }
    turn_on().await.or_say("change_custom_field without clashes")?;
    let taken = ChangeCustomerError::CustomFieldTaken { key: code, existing: *kept };
    same("a create with the value", &world.create(&scope, coded("late", "x")).await.map(drop), &Err(taken))
}

async fn becoming(world: &World<'_>) -> Outcome {
    let fields = &world.ports.custom_fields;
    for _ in 0..4 {
        let scope = world.environment().await?;
        let code = world.defined(&scope, a_custom_field("code", CustomFieldType::String)).await?.key;
        let create = |number| {
            let scope = &scope;
            async move { world.create(scope, coded(&format!("c {number}"), "x")).await.is_ok() }
        };
        let changes = fields.change_custom_field(&scope, change(world, code, unique_now()), None);
        let (made, changed) = join(join_all((0..4).map(create)), changes).await;
        let made = made.into_iter().filter(|made| *made).count();
        match changed {
            Ok(_) => same("customers with the value of a unique field", &made, &1)?,
            Err(CustomFieldError::Clash { .. }) => same("customers with the value", &made, &4)?,
            Err(other) => return Err(format!("custom_fields.change_custom_field failed: {other}")),
        }
    }
    Ok(())
}

async fn purged(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let fields = &world.ports.custom_fields;
    let code = world.defined(&scope, unique_field("code")).await?.key;
    world.defined(&scope, a_custom_field("stays", CustomFieldType::Boolean)).await?;
    let mut ids = Vec::new();
    for number in 0..5 {
        let new = coded(&format!("c {number}"), &format!("x {number}")).with_custom("stays", true);
        ids.push(world.created(&scope, new).await?.state.customer.id);
    }
    let archived = *ids.first().ok_or("none")?;
    amended(world, &scope, archived, Amendment::Archive).await.or_say("archiving")?;
    same("purging a field that is not being deleted", &purge(world, &scope, code, 10).await?, &0)?;
    let without = fields.delete_custom_field(&scope, delete(world, code, false), None).await;
    same("deleting without purge", &without, &Err(CustomFieldError::InUse))?;
    let begun = || fields.delete_custom_field(&scope, delete(world, code, true), None);
    same("deleting with purge", &begun().await, &Ok(Done::now(CustomFieldDeletion::AfterPurge)))?;
    let late = world.create(&scope, coded("late", "x")).await;
    holds(matches!(late, Err(ChangeCustomerError::Invalid(_))), || "a new value is accepted".to_owned())?;
    let mut left = Vec::new();
    for _ in 0..3 {
        left.push(purge(world, &scope, code, 3).await?);
    }
    same("the numbers of purged customers", &left, &vec![3, 2, 0])?;
    for id in ids {
        let read = world.find(&scope, id).await?.ok_or("the customer does not exist")?.customer;
        let names: Vec<_> = read.profile.custom_fields.iter().map(|(key, _)| key.to_string()).collect();
        same("the fields left", &names, &vec!["stays".to_owned()])?;
        let history = world.ports.customers.history(&scope, id, PageRequest::whole()).await.or_say("history")?;
        let events = if id == archived { 3 } else { 2 };
        same("the number of its events", &history.total, &events)?;
    }
    same("deleting after the purge", &begun().await, &Ok(Done::now(CustomFieldDeletion::Now)))?;
    same("the definitions left", &all(world, &scope).await?.len(), &1)
}
