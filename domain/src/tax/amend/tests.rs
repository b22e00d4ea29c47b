use super::*;
use crate::{
    ids::{Id, Kind},
    lifecycle::{Audit, Owner, Version},
    tax::{FixedAmount, Percentage, TaxRateType, TaxValue},
    tenancy::Actor,
    testkit::a_tax_rate,
};

fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn id<K: Kind>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn scope() -> EnvironmentScope {
    EnvironmentScope::new(Owner { tenant_id: id(1), environment_id: id(1) }, Actor::new("tester").unwrap())
}

fn nineteen() -> TaxValue {
    TaxValue::Percentage(Percentage::new("19").unwrap())
}

fn rate(status: Status) -> TaxRate {
    let (name, description) = (TaxRateName::new("VAT").unwrap(), TaxRateDescription::new("why").ok());
    let audit = Audit::created(time(0), &Actor::system());
    TaxRate { id: id(9), owner: scope().owner, name, description, status, audit, ..a_tax_rate("VAT") }
}

fn facts(in_use: bool) -> TaxRateFacts {
    TaxRateFacts::new(Some(rate(Status::Published)), in_use, None)
}

fn decide(amendment: TaxRateAmendment, facts: &TaxRateFacts) -> Result<TaxRate, ChangeTaxRateError> {
    let command = ChangeTaxRate {
        id: id(9),
        amendment,
        at: time(5),
        event_id: id(7),
        request_id: None,
        only_if: Default::default(),
    };
    command.decide(&scope(), facts).map(|event| {
        assert_eq!((event.id, event.sequence, event.at), (id(7), event.state.version, event.state.audit.updated_at));
        event.state
    })
}

fn update(update: TaxRateUpdate, facts: &TaxRateFacts) -> Result<TaxRate, ChangeTaxRateError> {
    let amendment = TaxRateAmendment::Update(Box::new(update));
    decide(amendment, facts)
}

fn archive(facts: &TaxRateFacts) -> Result<TaxRate, ChangeTaxRateError> {
    decide(TaxRateAmendment::Archive, facts)
}

fn value(kind: Option<TaxRateType>, percentage: Option<&str>, fixed: Option<&str>) -> TaxRateUpdate {
    let value = TaxValueParts {
        kind,
        percentage: percentage.map(|text| Percentage::new(text).unwrap()),
        fixed: fixed.map(|text| FixedAmount::new(text).unwrap()),
    };
    TaxRateUpdate { value, ..TaxRateUpdate::default() }
}

#[test]
fn absent_fields_keep_their_values_and_each_change_is_counted() {
    let unchanged = update(TaxRateUpdate::default(), &facts(true)).unwrap();
    assert_eq!(unchanged, rate(Status::Published), "a change of nothing is no change");
    let name = TaxRateName::new("Other").unwrap();
    let changed = update(TaxRateUpdate { name: Some(name.clone()), ..Default::default() }, &facts(true)).unwrap();
    let audit = Audit { updated_at: time(5), updated_by: scope().actor, ..rate(Status::Published).audit };
    assert_eq!(changed, TaxRate { name, version: Version::FIRST.next(), audit, ..rate(Status::Published) });
    let cleared = TaxRateUpdate { description: Patch::Clear, ..TaxRateUpdate::default() };
    assert_eq!(update(cleared, &facts(true)).unwrap().description, None);
    let off = TaxRateUpdate { rate_status: Some(TaxRateStatus::Inactive), ..TaxRateUpdate::default() };
    assert_eq!(update(off, &facts(true)).unwrap().rate_status, TaxRateStatus::Inactive);
}

#[test]
fn a_rate_in_use_keeps_its_value_and_is_not_archived() {
    use TaxRateType::{Fixed, Percentage as Percent};
    let five = TaxValue::Fixed(FixedAmount::new("5").unwrap());
    for (parts, wanted) in [
        (value(None, Some("19.0"), None), Ok(nineteen())),
        (value(Some(Percent), None, None), Ok(nineteen())),
        (value(None, Some("7"), None), Err(())),
        (value(Some(Fixed), None, Some("5")), Err(())),
        (value(None, None, Some("5")), Err(())),
    ] {
        let changed = update(parts.clone(), &facts(true));
        assert_eq!(changed.clone().map(|rate| rate.value).map_err(drop), wanted);
        assert!(matches!(changed, Ok(_) | Err(ChangeTaxRateError::InUse)));
        assert!(update(parts, &facts(false)).is_ok());
    }
    assert_eq!(update(value(None, None, Some("5")), &facts(false)).unwrap().value, five);
    assert_eq!(archive(&facts(true)), Err(ChangeTaxRateError::InUse));
    assert_eq!(archive(&facts(false)).unwrap().status, Status::Archived);
}

#[test]
fn a_contradictory_value_is_reported_before_the_use() {
    for (parts, path) in [
        (value(Some(TaxRateType::Fixed), None, None), "fixed_value"),
        (value(Some(TaxRateType::Percentage), None, Some("1")), "fixed_value"),
        (value(None, Some("1"), Some("1")), "fixed_value"),
    ] {
        let refused = update(parts, &facts(true)).unwrap_err();
        let ChangeTaxRateError::Invalid(broken) = refused else { panic!("{refused:?}") };
        assert_eq!(broken.iter().next().unwrap().path, path);
    }
}

#[test]
fn another_rate_s_code_is_refused_and_the_rate_s_own_code_is_not() {
    let code = || TaxRateUpdate { code: Some(TaxRateCode::new("GST").unwrap()), ..TaxRateUpdate::default() };
    let held = |holder| TaxRateFacts { holder: Some(id(holder)), ..facts(false) };
    assert_eq!(update(code(), &held(8)), Err(ChangeTaxRateError::CodeTaken { existing: id(8) }));
    assert_eq!(update(code(), &held(9)).unwrap().code.as_str(), "GST");
}

#[test]
fn an_archived_rate_cannot_be_changed_or_archived_again() {
    for status in [Status::Archived, Status::Deleted] {
        let facts = TaxRateFacts { current: Some(rate(status)), ..TaxRateFacts::default() };
        assert_eq!(update(TaxRateUpdate::default(), &facts), Err(ChangeTaxRateError::Archived));
        assert_eq!(archive(&facts), Err(ChangeTaxRateError::Unknown));
    }
    assert_eq!(archive(&TaxRateFacts::default()), Err(ChangeTaxRateError::Unknown));
}

#[test]
fn a_value_that_was_used_is_kept_for_answers_about_the_past() {
    let eighteen = || value(None, Some("18"), None);
    assert!(update(eighteen(), &facts(false)).unwrap().history.replaced.is_empty());
    let changed = update(eighteen(), &facts(false).used_before()).unwrap();
    assert_eq!((changed.value_at(time(4)), changed.value_at(time(5))), (nineteen(), changed.value));
    let off = TaxRateUpdate { rate_status: Some(TaxRateStatus::Inactive), ..TaxRateUpdate::default() };
    let switched = update(off, &facts(true)).unwrap();
    assert_eq!((switched.is_charged_at(time(4)), switched.is_charged_at(time(5))), (true, false));
}

#[test]
fn the_event_names_the_fields_whose_values_changed() {
    let change = TaxRateUpdate {
        name: Some(TaxRateName::new("VAT").unwrap()),
        rate_status: Some(TaxRateStatus::Inactive),
        ..value(None, None, Some("5"))
    };
    let command = |amendment| ChangeTaxRate {
        id: id(9),
        amendment,
        at: time(5),
        event_id: id(7),
        request_id: None,
        only_if: Default::default(),
    };
    let event = command(TaxRateAmendment::Update(Box::new(change))).decide(&scope(), &facts(false)).unwrap();
    use TaxRateField::{FixedValue, PercentageValue, TaxRateStatus as Activity, TaxRateType as Type};
    assert_eq!(event.kind, TaxRateEventKind::Updated { changed: vec![Type, PercentageValue, FixedValue, Activity] });
    let event = command(TaxRateAmendment::Archive).decide(&scope(), &facts(false)).unwrap();
    assert_eq!(event.kind, TaxRateEventKind::Deleted);
}
