use super::*;
use crate::{
    customer::{ChangeCustomer, CustomerChange, CustomerFacts, Stamp, TaxFacts},
    ids::{EnvironmentId, TenantId},
    integration::{NewLink, ProviderEntityId, ProviderType},
    lifecycle::Owner,
    metadata::Metadata,
    tax::{
        CurrencyCode, Priority, TaxAssociation, TaxRate, TaxRateCode, TaxRateOverride, TaxRateOverrides, TaxRateStatus,
        TaxedEntity,
    },
    tenancy::{Actor, EnvironmentScope},
    testkit::{a_tax_default, a_tax_rate},
};

fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn id<K: crate::ids::Kind>(number: u128) -> crate::ids::Id<K> {
    crate::ids::Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn scope() -> EnvironmentScope {
    let owner = Owner {
        tenant_id: TenantId::from_uuid(uuid::Uuid::nil()),
        environment_id: EnvironmentId::from_uuid(uuid::Uuid::nil()),
    };
    EnvironmentScope::new(owner, Actor::new("tester").unwrap())
}

fn rate(number: u128, code: &str, rate_status: TaxRateStatus) -> TaxRate {
    TaxRate { id: id(number), rate_status, ..a_tax_rate(code) }
}

fn default_tax(number: u128, auto_apply: bool, start: i64, end: Option<i64>) -> TaxAssociation {
    let (currency, start, end) = (CurrencyCode::new("eur").ok(), time(start), end.map(time));
    let rate = rate(number, "VAT", TaxRateStatus::Active);
    TaxAssociation { id: id(number), auto_apply, currency, start, end, ..a_tax_default(&rate) }
}

fn an_override(code: &str) -> TaxRateOverride {
    TaxRateOverride {
        behavior: None,
        code: TaxRateCode::new(code).unwrap(),
        currency: CurrencyCode::new("EUR").unwrap(),
        priority: Priority::new(3).unwrap(),
        auto_apply: false,
        metadata: Metadata::default(),
    }
}

fn create(taxes: TaxChoice) -> ChangeCustomer {
    let link = NewLink {
        provider_type: ProviderType::new("stripe").unwrap(),
        provider_entity_id: ProviderEntityId::new("cus_1").unwrap(),
        metadata: Default::default(),
    };
    let links = NewLinks::new(vec![link]).unwrap();
    let new = NewCustomer { taxes, links, ..NewCustomer::new(ExternalId::new("acme").unwrap()) };
    let stamp = Stamp { ids: IdSequence::start(time(1_000_000), [0; 10]), at: time(1_000_000), request_id: None };
    ChangeCustomer::new(CustomerChange::Create(new), stamp)
}

fn decide(command: ChangeCustomer, taxes: TaxFacts) -> Result<CustomerEvent, ChangeCustomerError> {
    let facts = CustomerFacts { taxes, ..CustomerFacts::default() };
    command.decide(&scope(), &facts).map(|decision| decision.event)
}

fn overrides(codes: &[&str]) -> TaxChoice {
    TaxChoice::Overrides(TaxRateOverrides::new(codes.iter().map(|code| an_override(code)).collect()).unwrap())
}

#[test]
fn one_create_is_one_event_with_everything_in_it() {
    let event = decide(create(TaxChoice::default()), TaxFacts::default()).unwrap();
    assert_eq!(event.kind.event_type().as_str(), "customer.created");
    assert_eq!(event.sequence.get(), 1);
    assert_eq!(event.state.customer.version, event.sequence);
    assert_eq!(event.state.customer.audit.created_by.as_str(), "tester");
    assert_eq!(event.state.mappings[0].customer_id, event.state.customer.id);
    assert_ne!(event.state.mappings[0].id.uuid(), event.state.customer.id.uuid());
}

#[test]
fn overrides_are_resolved_by_code_and_keep_their_terms() {
    let facts = TaxFacts {
        rates: vec![rate(1, "A", TaxRateStatus::Active), rate(2, "B", TaxRateStatus::Active)],
        defaults: vec![default_tax(9, true, 0, None)],
    };
    let event = decide(create(overrides(&["B"])), facts.clone()).unwrap();
    let [one] = event.state.associations.as_slice() else { panic!("one association") };
    assert_eq!(one.tax_rate_id, id(2));
    assert_eq!((one.priority.get(), one.auto_apply), (3, false));
    assert_eq!((one.start, one.end), (time(1_000_000), None));
    assert_eq!(one.entity, TaxedEntity::Customer(event.state.customer.id));
}

#[test]
fn absent_overrides_copy_the_defaults_and_an_empty_list_copies_none() {
    let facts = TaxFacts {
        rates: vec![],
        defaults: vec![
            default_tax(1, true, 0, None),
            default_tax(2, true, 2_000_000, Some(3_000_000)),
            default_tax(3, true, 0, Some(1_000_000)),
            default_tax(4, false, 0, None),
        ],
    };
    let event = decide(create(TaxChoice::Defaults), facts.clone()).unwrap();
    let found: Vec<_> = event.state.associations.iter().map(|a| (a.tax_rate_id, a.start, a.end)).collect();
    let future = (id(2), time(2_000_000), Some(time(3_000_000)));
    assert_eq!(found, [(id(1), time(1_000_000), None), future], "ended and optional defaults are not copied");
    assert_eq!(event.state.associations[0].currency.unwrap().as_str(), "eur");

    let event = decide(create(overrides(&[])), facts.clone()).unwrap();
    assert!(event.state.associations.is_empty());
}

#[test]
fn inactive_rates_are_reported_before_unknown_ones() {
    let facts = TaxFacts { rates: vec![rate(1, "OLD", TaxRateStatus::Inactive)], defaults: vec![] };
    let refused = decide(create(overrides(&["NONE", "OLD"])), facts.clone()).unwrap_err();
    let ChangeCustomerError::Invalid(broken) = refused else { panic!("{refused:?}") };
    assert_eq!(broken.iter().next().unwrap().path, "tax_rate_overrides[1].tax_rate_code");

    let refused = decide(create(overrides(&["NONE", "none"])), TaxFacts::default()).unwrap_err();
    let ChangeCustomerError::UnknownTaxRates(unknown) = refused else { panic!("{refused:?}") };
    assert_eq!(
        unknown.iter().map(|(path, code)| (path.as_str(), code.as_str())).collect::<Vec<_>>(),
        [("tax_rate_overrides[0].tax_rate_code", "NONE"), ("tax_rate_overrides[1].tax_rate_code", "none")]
    );
}

#[test]
fn a_taken_external_id_is_refused_after_the_tax_rates_and_before_the_version() {
    let holder = id(4711);
    let facts = CustomerFacts { holder: Some(holder), ..CustomerFacts::default() };
    let with_holder = |command: ChangeCustomer| command.decide(&scope(), &facts).unwrap_err();
    let command = create(TaxChoice::Defaults);
    assert_eq!(command.wanted_external_id(None).map(ExternalId::as_str), Some("acme"));
    let only_if = crate::customer::Precondition::Exists;
    let refused = with_holder(ChangeCustomer { only_if, ..command });
    assert_eq!(refused, ChangeCustomerError::ExternalIdTaken { existing: holder });
    let refused = with_holder(create(overrides(&["NONE"])));
    assert!(matches!(refused, ChangeCustomerError::UnknownTaxRates(_)));
}

#[test]
fn only_the_facts_that_matter_are_asked_for() {
    assert_eq!(create(TaxChoice::Defaults).tax_facts_needed(), TaxFactsNeeded { rates: vec![], defaults: true });
    assert_eq!(create(overrides(&[])).tax_facts_needed(), TaxFactsNeeded::default());
    let code = TaxRateCode::new("A").unwrap();
    assert_eq!(create(overrides(&["A"])).tax_facts_needed(), TaxFactsNeeded::rates([&code]));
}
