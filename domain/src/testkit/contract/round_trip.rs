//! A created customer is read back equal.

use super::{
    Report,
    equal::{all_equal, equal, is_record},
    world::{OrSay, Outcome, World, holds, page, same},
};
use crate::{
    customer::{CustomerFacts, MappingFilter},
    event::CustomerEvent,
    ids::{IdGenerator, IdSequence},
    lifecycle::Version,
    metadata::JsonObject,
    page::PageRequest,
    tax::{TaxAssociationFilter, TaxedEntity},
    tenancy::EnvironmentScope,
    testkit::{CustomerBuilder, a_customer, a_full_customer, full_tax_rates},
    time::Timestamp,
};

pub(super) async fn check(world: &World<'_>, report: &mut Report) {
    report.note("customers.create: returns the decided event", as_decided(world).await);
    report.note("customers.create: a customer with only an external id is read back equal", bare(world).await);
    report.note("customers.create: a customer with every field at its limit is read back equal", full(world).await);
    report.note("customers.create: metadata is read back equal, whatever its keys and values", metadata(world).await);
    report.note("customers.create: a mapping's JSON object is read back equal", json(world).await);
    report.note("customers.create: times in the years 1 to 9999 keep their microseconds", times(world).await);
    report.note("customers.create: mappings are read back in the order of their ids", mapping_order(world).await);
    report.note("customers.history: contains the event that create returned, with sequence 1", history(world).await);
}

/// Checks that everything that can be read about a new customer has the state of its event.
async fn is_read_back(world: &World<'_>, scope: &EnvironmentScope, event: &CustomerEvent) -> Outcome {
    let customer = &event.state.customer;
    is_record("customers.find", world.find(scope, customer.id).await?.as_ref(), event)?;
    let found = world.find_external(scope, customer.external_id.as_str()).await?;
    is_record("customers.find_by_external_id", found.as_ref(), event)?;

    let customers = &world.ports.customers;
    let all = page(1_000, 0)?;
    let filter = MappingFilter::Customer(customer.id);
    let mut mappings = customers.mappings(scope, &filter, all).await.or_say("customers.mappings")?.items;
    mappings.sort_by_key(|mapping| mapping.id);
    all_equal("customers.mappings", &mappings, &event.state.mappings)?;

    if world.has_taxes {
        let entity = TaxedEntity::Customer(customer.id);
        let associations = world.ports.taxes.associations(scope, &TaxAssociationFilter::of(entity), all).await;
        let mut associations = associations.or_say("taxes.associations")?.items;
        associations.sort_by_key(|association| association.id);
        all_equal("taxes.associations", &associations, &event.state.associations)?;
    }

    let events = customers.history(scope, customer.id, all).await.or_say("customers.history")?.items;
    all_equal("customers.history", &events, std::slice::from_ref(event))
}

async fn created_and_read_back(world: &World<'_>, new: CustomerBuilder) -> Outcome {
    let scope = world.environment().await?;
    let event = world.created(&scope, new).await?;
    is_read_back(world, &scope, &event).await
}

async fn as_decided(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let at = world.now();
    let new = a_customer("acme").named("Acme").in_berlin().linked("stripe", "cus_1").requested_as("request-1");
    let command = new.command(world.ids().start(at), at);
    let wanted = command.clone().decide(&scope, &CustomerFacts::default()).or_say("the decision")?.event;
    let event = world.ports.customers.change(&scope, command).await.or_say("customers.change")?.event;
    equal("the event", &event, &wanted)
}

async fn bare(world: &World<'_>) -> Outcome {
    created_and_read_back(world, a_customer("a")).await
}

async fn full(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    if !world.has_taxes {
        let event = world.created(&scope, a_full_customer().untaxed()).await?;
        return is_read_back(world, &scope, &event).await;
    }
    for rate in full_tax_rates() {
        world.created_rate(&scope, rate).await?;
    }
    let event = world.created(&scope, a_full_customer()).await?;
    same("the overrides that became associations", &event.state.associations.len(), &100)?;
    is_read_back(world, &scope, &event).await
}

async fn metadata(world: &World<'_>) -> Outcome {
    let pairs = [
        ("empty", ""),
        ("case", "lower"),
        ("CASE", "upper"),
        ("a.b[\"c\"]", "{\"looks\":\"like JSON\"}"),
        ("quotes ' \" \\ %_;--", "\\u0041\\\\ \\"),
        ("controls", "tab\tline\r\nend\u{1}\u{7f}"),
        ("caf\u{e9}", "one letter"),
        ("cafe\u{301}", "letter and accent"),
        ("🦀", "\u{feff}\u{2028}\u{202e}\u{ffff}\u{10ffff}"),
        (" padded ", "  spaces  "),
        ("null", "null"),
        ("1", "1.0"),
    ];
    let new = pairs.into_iter().fold(a_customer("acme"), |new, (key, value)| new.noted(key, value));
    created_and_read_back(world, new).await
}

async fn json(world: &World<'_>) -> Outcome {
    let text = r#"{
        "none": {"": {"nested": [{"deep": [[], {}, [null, true, false]]}]}}, "a": 1, "A": 1.0, "text": "1",
        "integers": [0, -1, -9223372036854775808, 9223372036854775807, 18446744073709551615],
        "doubles": [0.1, -2.5, 1.7976931348623157e308, 5e-324, 3.0, 1e21, 0.30000000000000004],
        "caf\u00e9": "\u007f\ud83e\udd80\u2028\\ \" \/ \n", "cafe\u0301": "%_';--"
    }"#;
    let object = JsonObject::new(serde_json::from_str(text).or_say("the literal")?).or_say("the literal")?;
    let new = a_customer("acme").linked_with("crm", "1", object.clone()).linked("stripe", "cus_1");
    let scope = world.environment().await?;
    let event = world.created(&scope, new).await?;
    holds(event.state.mappings.first().is_some_and(|mapping| mapping.metadata == object), || {
        "create returned a different object".to_owned()
    })?;
    is_read_back(world, &scope, &event).await
}

async fn times(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    for (index, text) in ["0001-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"]
        .into_iter()
        .enumerate()
    {
        let at = Timestamp::parse(text).or_say("the literal")?;
        // The ids have another time: to a store the time of a create and that of its ids are independent.
        let command = a_customer(text).linked("stripe", "cus_1").command(world.ids().start(world.now()), at);
        let event = world.ports.customers.change(&scope, command).await.or_say("customers.change")?.event;
        is_read_back(world, &scope, &event).await.map_err(|what| format!("time {index}: {what}"))?;
    }
    Ok(())
}

async fn mapping_order(world: &World<'_>) -> Outcome {
    let names = ["zoho", "Äpfel", "stripe", "Stripe", "1", "razorpay", "a b", "🦀"];
    let new = names.into_iter().fold(a_customer("acme"), |new, name| new.linked(name, "same"));
    let scope = world.environment().await?;
    let event = world.created(&scope, new).await?;
    let found = world.find(&scope, event.state.customer.id).await?.ok_or("customers.find found nothing")?;
    let found: Vec<_> = found.mappings.iter().map(|mapping| mapping.provider_type.as_str()).collect();
    same("the providers", &found, &names.to_vec())
}

async fn history(world: &World<'_>) -> Outcome {
    let scope = world.environment().await?;
    let customers = &world.ports.customers;
    let plain = a_customer("plain");
    let named = a_customer("named").requested_as("req.1_2-3").onboarded_by("welcome").skipping_onboarding();
    let mut named = named.linked("crm", "1").in_berlin().noted("plan", "gold");
    if world.has_taxes {
        world.created_rate(&scope, crate::testkit::a_tax_rate("VAT")).await?;
        named = named.taxed("VAT", "eur");
    }
    for new in [plain, named] {
        let event = world.created(&scope, new).await?;
        same("the sequence", &event.sequence, &Version::FIRST)?;
        let id = event.state.customer.id;
        let page = customers.history(&scope, id, PageRequest::default()).await.or_say("customers.history")?;
        all_equal("customers.history", &page.items, &[event])?;
        same("the total", &page.total, &1)?;
    }
    let unknown = IdSequence::start(world.now(), [9; 10]).next_id();
    let page = customers.history(&scope, unknown, PageRequest::default()).await.or_say("customers.history")?;
    same("the events of an unknown customer", &(page.items.len(), page.total), &(0, 0))
}
