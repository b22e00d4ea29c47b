//! Every field of a customer, after every kind of change, from every method.

use serde_json::Value;

use super::{
    Report,
    equal::{all_equal, equal, is_record},
    world::{OrSay, Outcome, World, holds, same},
};
use crate::{
    custom_field::{
        CustomFieldDefinition, CustomFieldFacts, CustomFieldType, CustomFieldsChange, GivenFields, GivenValue,
    },
    customer::{
        AddressLine, Amendment, ChangeCustomer, City, Contact, CountryCode, CustomerChange, CustomerFacts,
        CustomerName, CustomerRecord, CustomerUpdate, Email, ExternalId, MappingFilter, MetadataUpdate, PostalCode,
        Stamp, State, TimeZone,
        query::{CustomerQuery, CustomerQueryParts},
    },
    event::CustomerEvent,
    ids::IdGenerator,
    integration::{NewLink, ProviderEntityId, ProviderType},
    lifecycle::Status,
    metadata::JsonObject,
    page::PageRequest,
    patch::Patch,
    tenancy::{Actor, EnvironmentScope, RequestId},
    testkit::{CustomerBuilder, a_custom_field, a_customer},
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note(
        "customers.change: after every kind of change, every method returns every field",
        through_all_changes(world).await,
    );
}

/// A customer whose fields all have different values.
fn new(external_id: &str, tag: &str, fields: &[CustomFieldDefinition]) -> CustomerBuilder {
    let note = |name: &str| format!("{name} {tag}");
    let builder = a_customer(external_id).in_berlin().named(&note("name")).reached_at(&format!("{tag}@example.com"));
    let builder = builder.called_at(&note("call")).noted("plan", &note("gold")).noted("stays", &note("here"));
    let link = |provider: &str, builder: CustomerBuilder| builder.linked(provider, &note(provider));
    let builder = link("stripe", link("crm", builder)).untaxed();
    fields.iter().fold(builder, |builder, field| builder.with_custom(field.key.as_str(), value(field, tag)))
}

/// The definitions of an environment: one of each type.
async fn definitions(world: &World<'_>, scope: &EnvironmentScope) -> Result<Vec<CustomFieldDefinition>, String> {
    let mut definitions = Vec::new();
    for kind in CustomFieldType::ALL.iter().filter(|_| world.has_custom_fields) {
        definitions.push(world.defined(scope, a_custom_field(kind.as_str(), *kind)).await?);
    }
    Ok(definitions)
}

/// A value that differs between tags.
fn value(field: &CustomFieldDefinition, tag: &str) -> Value {
    let number = tag.bytes().map(i64::from).sum::<i64>();
    let option = field.options.as_slice().get(tag.len() % 2 + usize::from(tag == "b")).map(|option| option.as_str());
    match field.kind {
        CustomFieldType::String => format!("text {tag}").into(),
        CustomFieldType::Integer => number.into(),
        CustomFieldType::Decimal => format!("{number}.5").into(),
        CustomFieldType::Boolean => (tag == "b").into(),
        CustomFieldType::Date => format!("2026-01-{:02}", number % 28 + 1).into(),
        CustomFieldType::Select => option.unwrap_or_default().into(),
        CustomFieldType::MultiSelect => option.into_iter().collect::<Vec<_>>().into(),
    }
}

fn given(fields: &[CustomFieldDefinition], tag: &str) -> GivenFields {
    fields.iter().map(|field| (field.key.to_string(), GivenValue::from(value(field, tag)))).collect()
}

/// An update of every field, to different values.
fn every_field_changed(tag: &str, fields: &[CustomFieldDefinition]) -> Result<CustomerUpdate, String> {
    let note = |name: &str| format!("{name} {tag}");
    let line = |name: &str| AddressLine::new(note(name)).or_say("an address line");
    Ok(CustomerUpdate {
        external_id: Some(ExternalId::new(note("acme")).or_say("an external id")?),
        name: Patch::Set(CustomerName::new(note("other name")).or_say("a name")?),
        email: Patch::Set(Email::new(format!("other.{tag}@example.com")).or_say("an e-mail address")?),
        contact: Patch::Set(Contact::new(note("fax")).or_say("a contact")?),
        address_line1: Patch::Set(line("first line")?),
        address_line2: Patch::Set(line("second line")?),
        address_city: Patch::Set(City::new(note("city")).or_say("a city")?),
        address_state: Patch::Set(State::new(note("state")).or_say("a state")?),
        address_postal_code: Patch::Set(PostalCode::new(note("code")).or_say("a postal code")?),
        address_country: Patch::Set(CountryCode::new("FR").or_say("a country")?),
        timezone: Patch::Set(TimeZone::new("Europe/Paris").or_say("a time zone")?),
        metadata: MetadataUpdate::Merge([("plan".to_owned(), Some(note("silver")))].into()),
        custom_fields: match fields {
            [] => CustomFieldsChange::Keep,
            fields => CustomFieldsChange::Merge(given(fields, tag)),
        },
        ..CustomerUpdate::default()
    })
}

fn link(provider: &str, entity_id: &str, json: &str) -> Result<Amendment, String> {
    let object = JsonObject::new(serde_json::from_str(json).or_say("the literal")?).or_say("the literal")?;
    Ok(Amendment::Link(NewLink {
        provider_type: ProviderType::new(provider).or_say("the literal")?,
        provider_entity_id: ProviderEntityId::new(entity_id).or_say("the literal")?,
        metadata: object,
    }))
}

/// The changes after the create, in order.
fn amendments(fields: &[CustomFieldDefinition]) -> Result<Vec<Amendment>, String> {
    let update = |update: CustomerUpdate| Amendment::Update(Box::new(update));
    let cleared = CustomerUpdate { contact: Patch::Clear, address_line2: Patch::Clear, ..CustomerUpdate::default() };
    let unlink = ProviderType::new("crm").or_say("the literal")?;
    Ok(vec![
        update(every_field_changed("b", fields)?),
        link("razorpay", "ray-1", r#"{"tier":1}"#)?,
        link("stripe", "other stripe", r#"{"tier":2}"#)?,
        Amendment::Unlink { provider_type: unlink, provider_entity_id: None },
        update(cleared),
        Amendment::Archive,
        Amendment::Restore,
        update(every_field_changed("c", fields)?),
    ])
}

async fn through_all_changes(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    // Another customer, whose values must not be returned.
    let fields = definitions(world, &scope).await?;
    let other = world.created(&scope, new("other", "z", &fields)).await?;
    let create = new("acme", "a", &fields).onboarded_by("welcome").skipping_onboarding().build();
    let mut events: Vec<CustomerEvent> = Vec::new();
    let mut changes = vec![CustomerChange::Create(create)];
    let mut rest = amendments(&fields)?.into_iter();
    while let Some(change) = changes.pop() {
        let number = events.len();
        // Each change has its own actor and request.
        let actor = Actor::new(format!("actor {number}")).or_say("an actor")?;
        let scope = EnvironmentScope { actor, ..scope.clone() };
        let at = world.now();
        let request_id = Some(RequestId::new(format!("request-{number}")).or_say("a request id")?);
        let command = ChangeCustomer::new(change, Stamp { ids: world.ids().start(at), at, request_id });
        let current = events.last().map(|event| event.state.clone());
        let custom_fields = CustomFieldFacts::new(fields.clone());
        let facts = CustomerFacts { current, custom_fields, ..CustomerFacts::default() };
        let wanted = command.clone().decide(&scope, &facts).or_say("the decision")?.event;
        let what = wanted.kind.event_type().as_str();
        let found = world.change(&scope, command).await.or_say("customers.change")?;
        holds(!found.replayed, || "a change without a key is marked as replayed".to_owned())?;
        equal(&format!("the event of {what}"), &found.event, &wanted)?;
        events.push(wanted);
        is_everywhere(world, &scope, &events)
            .await
            .map_err(|error| format!("after change {number}, {what}: {error}"))?;
        let id = events.first().map(|event| event.state.customer.id).ok_or("no event")?;
        changes.extend(rest.next().map(|amendment| CustomerChange::Amend(id, amendment)));
    }
    is_record("the other customer", world.find(&scope, other.state.customer.id).await?.as_ref(), &other)
}

/// Checks that every method returns the customer as these events left it. There are no other events of it.
async fn is_everywhere(world: &World<'_>, scope: &EnvironmentScope, events: &[CustomerEvent]) -> Outcome {
    let last = events.last().ok_or("no event")?;
    let (customer, id) = (&last.state.customer, last.state.customer.id);
    world.is_as(scope, last).await?;
    let customers = &world.ports.customers;
    let history = customers.history(scope, id, PageRequest::whole()).await.or_say("customers.history")?;
    all_equal("customers.history", &history.items, events)?;
    same("the total of customers.history", &history.total, &(events.len() as u64))?;

    let shown = last.state.record();
    let published = customer.status == Status::Published;
    let mut mappings = customers
        .mappings(scope, &MappingFilter::Customer(id), PageRequest::whole())
        .await
        .or_say("customers.mappings")?
        .items;
    mappings.sort_by_key(|mapping| mapping.id);
    all_equal("customers.mappings", &mappings, &shown.mappings)?;
    for mapping in &shown.mappings {
        let (provider_type, provider_entity_id) = (mapping.provider_type.clone(), mapping.provider_entity_id.clone());
        let filter = MappingFilter::Provider { provider_type, provider_entity_id };
        let found = customers.mappings(scope, &filter, PageRequest::whole()).await.or_say("customers.mappings")?;
        all_equal("customers.mappings by provider", &found.items, std::slice::from_ref(mapping))?;
    }

    let mut external_ids: Vec<&ExternalId> = events.iter().map(|event| &event.state.customer.external_id).collect();
    external_ids.dedup();
    for external_id in external_ids {
        let found = customers.find_by_external_id(scope, external_id).await.or_say("customers.find_by_external_id")?;
        is_shown("customers.find_by_external_id", found.as_ref(), published.then_some(&shown))?;
    }

    let parts = CustomerQueryParts {
        customer_ids: Some(vec![id.to_string()]),
        status: Some(customer.status),
        with_mappings: true,
        ..CustomerQueryParts::default()
    };
    let query = CustomerQuery::new(parts).or_say("making a query")?;
    let page = customers.list(scope, &query).await.or_say("customers.list")?;
    same("the customers listed, and the total", &(page.items.len(), page.total), &(1, Some(1)))?;
    holds(page.next.is_none(), || "the list continues after its end".to_owned())?;
    is_shown("customers.list", page.items.first(), Some(&shown))
}

fn is_shown(what: &str, found: Option<&CustomerRecord>, wanted: Option<&CustomerRecord>) -> Outcome {
    match (found, wanted) {
        (Some(found), Some(wanted)) => {
            equal(what, &found.customer, &wanted.customer)?;
            all_equal(&format!("{what}: the mappings"), &found.mappings, &wanted.mappings)
        }
        (found, wanted) => same(&format!("{what} finds a customer"), &found.is_some(), &wanted.is_some()),
    }
}
