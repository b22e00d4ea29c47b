//! Tests of the check of values, of decisions, and of the service with mocks.

use std::sync::Arc;

use futures::executor::block_on;
use serde_json::{Value, json};

use super::*;
use crate::{
    MockClock,
    customer::{
        Amendment, ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChange, CustomerFacts,
        CustomerUpdate, DEFAULT_IDEMPOTENCY_TTL, Stamp,
    },
    event::{CustomerEventKind, CustomerField},
    idempotency::Done,
    ids::{CustomerId, IdSequence, MockIdGenerator},
    lifecycle::Precondition,
    page::PageRequest,
    store::StoreError,
    tenancy::Quotas,
    testkit::{a_caller, a_custom_field, a_customer, a_reader, a_scope, a_time, an_id},
};

fn given(fields: &[(&str, Value)]) -> GivenFields {
    fields.iter().map(|(key, value)| ((*key).to_owned(), GivenValue::from(value.clone()))).collect()
}

fn replaced(fields: &[(&str, Value)]) -> CustomFieldsChange {
    CustomFieldsChange::Replace(given(fields))
}

fn merged(fields: &[(&str, Value)]) -> CustomFieldsChange {
    CustomFieldsChange::Merge(given(fields))
}

fn required(key: &str) -> CustomFieldDefinition {
    CustomFieldDefinition { required: true, ..a_custom_field(key, CustomFieldType::Integer) }
}

fn shown(fields: &CustomFields) -> Value {
    let mut json = serde_json::Map::new();
    for (key, value) in fields.iter() {
        let mut text = Vec::new();
        value.write(&mut serde_json::Serializer::new(&mut text)).unwrap();
        json.insert(key.to_string(), serde_json::from_slice(&text).unwrap());
    }
    Value::Object(json)
}

fn broken(checked: Result<CustomFields, crate::violation::Violations>) -> Vec<(String, &'static str)> {
    checked.unwrap_err().into_iter().map(|violation| (violation.path, violation.rule)).collect()
}

#[test]
fn a_value_has_the_type_of_its_field() {
    let values = [
        json!("a"),
        json!("5"),
        json!("2024-02-29"),
        json!("one"),
        json!(5),
        json!(-5.5),
        json!(true),
        json!(["one", "two"]),
    ];
    let taken = |kind| {
        let definitions = [a_custom_field("field", kind)];
        let is_taken = |value: &Value| {
            apply(&definitions, &CustomFields::default(), &replaced(&[("field", value.clone())])).is_ok()
        };
        values.iter().map(is_taken).collect::<Vec<_>>()
    };
    let t = true;
    let f = false;
    assert_eq!(taken(CustomFieldType::String), [t, t, t, t, f, f, f, f]);
    assert_eq!(taken(CustomFieldType::Integer), [f, f, f, f, t, f, f, f]);
    assert_eq!(taken(CustomFieldType::Decimal), [f, t, f, f, t, t, f, f]);
    assert_eq!(taken(CustomFieldType::Boolean), [f, f, f, f, f, f, t, f]);
    assert_eq!(taken(CustomFieldType::Date), [f, f, t, f, f, f, f, f]);
    assert_eq!(taken(CustomFieldType::Select), [f, f, f, t, f, f, f, f]);
    assert_eq!(taken(CustomFieldType::MultiSelect), [f, f, f, f, f, f, f, t]);
}

#[test]
fn put_replaces_and_patch_merges() {
    let definitions = ["a", "b", "c"].map(|key| a_custom_field(key, CustomFieldType::Integer));
    let both = apply(&definitions, &CustomFields::default(), &replaced(&[("a", json!(1)), ("b", json!(2))])).unwrap();
    let merge = merged(&[("a", Value::Null), ("c", json!(3)), ("unknown", Value::Null)]);
    assert_eq!(shown(&apply(&definitions, &both, &merge).unwrap()), json!({ "b": 2, "c": 3 }));
    let replace = replaced(&[("a", Value::Null), ("c", json!(3))]);
    assert_eq!(shown(&apply(&definitions, &both, &replace).unwrap()), json!({ "c": 3 }));
    assert_eq!(apply(&definitions, &both, &CustomFieldsChange::Keep), Ok(both));
}

#[test]
fn required_fields_bind_writes_that_send_custom_fields_only() {
    let definitions = [required("seats"), a_custom_field("note", CustomFieldType::String)];
    let missing = vec![("custom_fields.seats".to_owned(), "required")];
    let empty = CustomFields::default();
    assert_eq!(broken(apply(&definitions, &empty, &replaced(&[]))), missing);
    assert_eq!(broken(apply(&definitions, &empty, &merged(&[("note", json!("x"))]))), missing);
    assert_eq!(
        broken(apply(&definitions, &empty, &merged(&[("seats", json!("5"))]))),
        [("custom_fields.seats".to_owned(), "type")]
    );
    assert_eq!(apply(&definitions, &empty, &CustomFieldsChange::Keep), Ok(empty.clone()));
    assert!(checked_new(&definitions, &given(&[("seats", json!(1))])).is_ok());
    assert!(checked_new(&definitions, &GivenFields::default()).is_err());
    let purging = [CustomFieldDefinition { purging: true, ..required("seats") }];
    assert!(checked_new(&purging, &GivenFields::default()).is_ok());
}

#[test]
fn a_value_that_the_customer_has_stays_valid() {
    let mut tier = a_custom_field("tier", CustomFieldType::Select);
    let one = replaced(&[("tier", json!("one"))]);
    let fields = apply(std::slice::from_ref(&tier), &CustomFields::default(), &one).unwrap();
    tier.options = CustomFieldOptions::new(vec![CustomFieldOption::new("two").unwrap()]).unwrap();
    let definitions = [tier.clone(), a_custom_field("note", CustomFieldType::String)];
    assert_eq!(apply(&definitions, &fields, &one), Ok(fields.clone()));
    assert!(apply(&definitions, &fields, &merged(&[("note", json!("x"))])).is_ok());
    assert!(apply(&definitions, &CustomFields::default(), &one).is_err());
    let purging = [CustomFieldDefinition { purging: true, ..tier }];
    assert_eq!(apply(&purging, &fields, &one), Ok(fields));
}

#[test]
fn nothing_of_a_value_is_shown() {
    let field = a_custom_field("code", CustomFieldType::String);
    let fields = checked_new(&[field], &given(&[("code", json!("geheim"))])).unwrap();
    let value = UniqueValue { key: CustomFieldKey::new("code").unwrap(), look_up: "tgeheim".to_owned() };
    let all = format!("{fields:?} {:?} {:?} {value:?}", fields.iter().next(), given(&[("code", json!("geheim"))]));
    assert!(!all.contains("geheim"), "{all}");
}

fn command(change: CustomerChange) -> ChangeCustomer {
    let stamp = Stamp { ids: IdSequence::start(a_time(), [9; 10]), at: a_time(), request_id: None };
    ChangeCustomer::new(change, stamp)
}

fn update(fields: CustomFieldsChange) -> Amendment {
    Amendment::Update(Box::new(CustomerUpdate { custom_fields: fields, ..CustomerUpdate::default() }))
}

fn unique_code() -> CustomFieldDefinition {
    CustomFieldDefinition { unique: true, ..a_custom_field("code", CustomFieldType::String) }
}

/// A customer with a value of [`unique_code`].
fn coded(code: &str) -> CustomerAggregate {
    let create = a_customer("acme").with_custom("code", code).build();
    let facts = CustomerFacts::default().with_custom_fields(CustomFieldFacts::new(vec![unique_code()]));
    command(CustomerChange::Create(create)).decide(&a_scope(), &facts).unwrap().event.state
}

/// The facts about a customer, and the holder of the value `x`.
fn held(current: &CustomerAggregate, holder: Option<CustomerId>) -> CustomerFacts {
    let value = UniqueValue { key: unique_code().key, look_up: "tx".to_owned() };
    let holders = holder.map(|holder| (value, holder)).into_iter().collect();
    let fields = CustomFieldFacts::new(vec![unique_code()]).with_holders(holders);
    CustomerFacts::new(Some(current.clone()), None).with_custom_fields(fields)
}

#[test]
fn a_unique_value_belongs_to_one_published_customer() {
    let acme = coded("y");
    let id = acme.customer.id;
    let change = || command(CustomerChange::Amend(id, update(merged(&[("code", json!("x"))]))));
    let taken = Err(ChangeCustomerError::CustomFieldTaken { key: unique_code().key, existing: an_id(77) });
    assert_eq!(change().decide(&a_scope(), &held(&acme, Some(an_id(77)))).map(drop), taken);
    assert!(change().decide(&a_scope(), &held(&acme, Some(id))).is_ok(), "it has the value itself");
    assert!(change().decide(&a_scope(), &held(&acme, None)).is_ok());
    let wanted = change().wanted_unique_values(Some(&acme), &[unique_code()]);
    assert_eq!(wanted.iter().map(|value| value.look_up.as_str()).collect::<Vec<_>>(), ["tx"]);

    let archive = command(CustomerChange::Amend(id, Amendment::Archive));
    assert_eq!(archive.wanted_unique_values(Some(&acme), &[unique_code()]), []);
    let archived = archive.decide(&a_scope(), &held(&acme, None)).unwrap().event.state;
    assert!(UniqueValue::all_of(&archived, &[unique_code()]).is_empty());
    let mut of_x = coded("x");
    of_x.customer.status = archived.customer.status;
    let restore = command(CustomerChange::Amend(id, Amendment::Restore));
    assert_eq!(restore.clone().decide(&a_scope(), &held(&of_x, Some(an_id(77)))).map(drop), taken);
    assert!(restore.decide(&a_scope(), &held(&of_x, None)).is_ok());
}

#[test]
fn only_changes_that_touch_custom_fields_need_definitions() {
    let needed = |change| command(change).custom_fields_needed();
    let amend = |amendment| CustomerChange::Amend(an_id(1), amendment);
    assert_eq!(needed(CustomerChange::Create(a_customer("a").build())), CustomFieldsNeeded::Read);
    let with_code = a_customer("a").with_custom("code", "x").build();
    assert_eq!(needed(CustomerChange::Create(with_code)), CustomFieldsNeeded::Locked);
    assert_eq!(needed(amend(update(CustomFieldsChange::Keep))), CustomFieldsNeeded::None);
    assert_eq!(needed(amend(update(replaced(&[])))), CustomFieldsNeeded::Locked);
    for amendment in [Amendment::Archive, Amendment::Restore, Amendment::RemoveCustomField(unique_code().key)] {
        assert_eq!(needed(amend(amendment)), CustomFieldsNeeded::Locked);
    }
    assert_eq!(needed(amend(Amendment::EndOnboarding { succeeded: true })), CustomFieldsNeeded::None);
}

#[test]
fn a_purge_changes_every_customer_with_a_value_once() {
    let mut acme = coded("x");
    acme.customer.status = crate::lifecycle::Status::Archived;
    let purge = PurgeCustomField {
        key: unique_code().key,
        at: a_time(),
        ids: IdSequence::start(a_time(), [1; 10]),
        request_id: None,
        limit: 9,
    };
    let commands = purge.commands([acme.customer.id, an_id(2)]);
    let decide = |current: &CustomerAggregate| commands[0].clone().decide(&a_scope(), &held(current, None)).unwrap();
    let purged = decide(&acme).event;
    assert_eq!(purged.kind, CustomerEventKind::Updated { changed: vec![CustomerField::CustomFields] });
    assert!(purged.state.customer.profile.custom_fields.is_empty());
    let facts = held(&purged.state, None);
    assert!(!decide(&purged.state).is_change(&facts));
    assert_ne!(commands[0].stamp.ids, commands[1].stamp.ids);
}

/// A service over this store.
fn service(fields: MockCustomFieldRepository) -> CustomFieldService {
    CustomFieldService {
        fields: Arc::new(fields),
        clock: Arc::new(MockClock::at(a_time())),
        ids: Arc::new(MockIdGenerator::from_time()),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        quotas: Quotas::default(),
    }
}

fn seats() -> CustomFieldDefinition {
    a_custom_field("seats", CustomFieldType::Integer)
}

#[test]
fn a_reader_cannot_see_or_change_definitions_and_the_store_is_not_called() {
    // A mock without expectations panics when it is called.
    let service = || service(MockCustomFieldRepository::new());
    let (reader, key, none) = (a_reader(), seats().key, Precondition::None);
    let new = NewCustomField::new(key, CustomFieldType::Integer);
    let denied = |error| assert!(matches!(error, CustomFieldError::Denied(_)), "{error}");
    denied(block_on(service().create(&reader, new, None)).unwrap_err());
    denied(block_on(service().list(&reader, PageRequest::default())).unwrap_err());
    denied(block_on(service().find(&reader, key)).unwrap_err());
    let change = CustomFieldUpdate::default();
    denied(block_on(service().update(&reader, key, change, none.clone(), None)).unwrap_err());
    denied(block_on(service().delete(&reader, key, true, none, None)).unwrap_err());
    assert_eq!(block_on(service().unknown(&reader, Vec::new())), Ok(Vec::new()));
}

#[test]
fn an_unavailable_store_is_reported_by_every_operation() {
    let service = service(MockCustomFieldRepository::always_unavailable());
    let (caller, key) = (a_caller(), seats().key);
    let down = |error| assert!(matches!(error, CustomFieldError::Store(StoreError::Unavailable { .. })), "{error}");
    let new = NewCustomField::new(key, CustomFieldType::Integer);
    down(block_on(service.create(&caller, new, None)).unwrap_err());
    down(block_on(service.list(&caller, PageRequest::default())).unwrap_err());
    down(block_on(service.find(&caller, key)).unwrap_err());
    down(block_on(service.unknown(&caller, vec![key])).unwrap_err());
    let change = CustomFieldUpdate::default();
    down(block_on(service.update(&caller, key, change, Precondition::None, None)).unwrap_err());
    down(block_on(service.delete(&caller, key, false, Precondition::None, None)).unwrap_err());
}

#[test]
fn unknown_keys_are_those_without_a_definition() {
    let service = service(MockCustomFieldRepository::with(vec![seats()]));
    let other = CustomFieldKey::new("other").unwrap();
    assert_eq!(block_on(service.unknown(&a_reader(), vec![seats().key, other])), Ok(vec![other]));
    assert_eq!(block_on(service.find(&a_caller(), other)), Err(CustomFieldError::Unknown));
    assert_eq!(block_on(service.list(&a_caller(), PageRequest::default())).unwrap().items, [seats()]);
}

#[test]
fn a_deletion_with_purge_repeats_until_no_customer_has_a_value() {
    let mut fields = MockCustomFieldRepository::new();
    let mut order = mockall::Sequence::new();
    let mut deletes = |fields: &mut MockCustomFieldRepository, answer| {
        let delete = fields.expect_delete_custom_field().once().in_sequence(&mut order);
        delete.withf(|_, delete, _| delete.purge).return_once(move |_, _, _| Ok(Done::now(answer)));
    };
    deletes(&mut fields, CustomFieldDeletion::AfterPurge);
    deletes(&mut fields, CustomFieldDeletion::Now);
    let mut left = vec![0, 20, 100];
    fields.expect_purge_custom_field().times(3).returning(move |_, purge| {
        assert_eq!(purge.key, seats().key);
        Ok(left.pop().unwrap())
    });
    let deleted = block_on(service(fields).delete(&a_caller(), seats().key, true, Precondition::None, None));
    assert_eq!(deleted, Ok(Done::now(())));
}

#[test]
fn a_definition_keeps_its_key_and_type_and_changes_only_if_it_is_another() {
    let change = |update| ChangeCustomField { key: seats().key, update, at: a_time(), only_if: Precondition::None };
    let decide = |update, current: &CustomFieldDefinition| change(update).decide(&a_scope(), current);
    let same = CustomFieldUpdate {
        key: Some(seats().key),
        kind: Some(CustomFieldType::Integer),
        required: Some(false),
        ..CustomFieldUpdate::default()
    };
    assert_eq!(decide(same, &seats()), Ok(seats()));
    let fixed = CustomFieldUpdate { kind: Some(CustomFieldType::Date), ..CustomFieldUpdate::default() };
    let Err(CustomFieldError::Invalid(found)) = decide(fixed, &seats()) else { panic!("changed") };
    assert_eq!(found.iter().map(|one| (one.path.as_str(), one.rule)).collect::<Vec<_>>(), [("type", "fixed")]);
    let on = || CustomFieldUpdate { unique: Some(true), ..CustomFieldUpdate::default() };
    let unique = decide(on(), &seats()).unwrap();
    assert!(unique.unique && unique.audit.version() > seats().audit.version());
    let several = a_custom_field("tiers", CustomFieldType::MultiSelect);
    assert!(matches!(decide(on(), &several), Err(CustomFieldError::Invalid(_))));
    let purging = CustomFieldDefinition { purging: true, ..seats() };
    assert_eq!(decide(on(), &purging), Err(CustomFieldError::Purging));
}
