use std::sync::Arc;

use futures::executor::block_on;

use super::*;
use crate::{
    clock::MockClock,
    customer::{Customer, CustomerRecord, DEFAULT_IDEMPOTENCY_TTL, MockCustomerRepository, Profile},
    idempotency::{
        EarlierUse, Fingerprint, IdempotencyKey, IdempotencyKeyReused, IdempotencyRecord, MockIdempotencyRecords,
        Outcome,
    },
    ids::{Id, Kind, MockIdGenerator, TaxRateId},
    lifecycle::{Owner, Version},
    metadata::Metadata,
    tax::{
        ChangeTaxRate, ChangeTaxRateError, EffectiveQuestion, MockTaxRepository, Priority, TaxBasis, TaxRateAmendment,
        TaxRateCode,
    },
    tenancy::{Actor, Role, Roles},
    testkit::{a_tax_default, a_tax_rate},
};

fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_123_456).unwrap()
}

fn id<K: Kind>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn scope() -> EnvironmentScope {
    EnvironmentScope::new(Owner { tenant_id: id(1), environment_id: id(1) }, Actor::new("tester").unwrap())
}

fn caller(role: Role) -> Caller {
    Caller::new(scope(), Roles::new([role]).unwrap(), None)
}

fn writer() -> Caller {
    caller(Role::SuperAdmin)
}

fn service(taxes: MockTaxRepository, customers: MockCustomerRepository) -> TaxService {
    TaxService {
        taxes: Arc::new(taxes),
        customers: Arc::new(customers),
        // Only requests with a key use this.
        records: Arc::new(MockIdempotencyRecords::new()),
        clock: Arc::new(MockClock::at(now())),
        ids: Arc::new(MockIdGenerator::from_time()),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
    }
}

fn rate(rate_status: TaxRateStatus) -> TaxRate {
    let audit = Audit::created(now(), &scope().actor);
    TaxRate { id: id(9), owner: scope().owner, rate_status, audit, ..a_tax_rate("VAT") }
}

fn new() -> NewTaxAssociation {
    NewTaxAssociation {
        behavior: None,
        code: TaxRateCode::new("VAT").unwrap(),
        currency: None,
        priority: Priority::default(),
        auto_apply: true,
        metadata: Metadata::default(),
        start: None,
        end: None,
    }
}

fn record(external_id: &str, status: Status) -> CustomerRecord {
    let customer = Customer {
        id: id(5),
        owner: scope().owner,
        external_id: ExternalId::new(external_id).unwrap(),
        profile: Profile::default(),
        contact_persons: vec![],
        tax_ids: vec![],
        legal_hold: None,
        tax_exemptions: vec![],
        status,
        version: Version::FIRST,
        audit: Audit::created(now(), &scope().actor),
    };
    CustomerRecord { customer, mappings: vec![] }
}

/// A repository in which the code `VAT` finds these rates.
fn with_rates(rates: Vec<TaxRate>) -> MockTaxRepository {
    let mut taxes = MockTaxRepository::new();
    taxes
        .expect_rates()
        .withf(|with, filter, _| *with == scope() && filter.codes == Some(vec![TaxRateCode::new("VAT").unwrap()]))
        .returning(move |_, _, _| Ok(Page { total: rates.len() as u64, items: rates.clone() }));
    taxes
}

#[test]
fn a_default_uses_the_active_rate_with_its_code() {
    let mut taxes = with_rates(vec![rate(TaxRateStatus::Active)]);
    taxes.expect_create_default().once().returning(|_, default, _| Ok(Done::now(default)));
    let made =
        block_on(service(taxes, MockCustomerRepository::new()).create_default(&writer(), new(), None)).unwrap().value;
    assert_eq!((made.tax_rate_id, made.entity, made.start, made.end), (id(9), TaxedEntity::Tenant, now(), None));
    assert_eq!((made.status, made.audit), (Status::Published, Audit::created(now(), &scope().actor)));
}

#[test]
fn an_inactive_rate_an_unknown_code_and_an_end_before_now_are_refused() {
    let create = |rates: Vec<TaxRate>, new: NewTaxAssociation| {
        block_on(service(with_rates(rates), MockCustomerRepository::new()).create_default(&writer(), new, None))
            .unwrap_err()
    };
    let path = |error| match error {
        CreateTaxDefaultError::Invalid(broken) => broken.iter().next().map(|violation| violation.path.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(path(create(vec![rate(TaxRateStatus::Inactive)], new())).as_deref(), Some("tax_rate_code"));
    let ended = NewTaxAssociation { end: Some(now()), ..new() };
    assert_eq!(path(create(vec![rate(TaxRateStatus::Active)], ended)).as_deref(), Some("end_date"));
    assert_eq!(create(vec![], new()), CreateTaxDefaultError::UnknownRate);
}

#[test]
fn a_reader_cannot_change_anything_and_the_store_is_not_called() {
    let service = service(MockTaxRepository::new(), MockCustomerRepository::new());
    let denied = PermissionDenied::Role(Permission::Write);
    let reader = caller(Role::AllReader);
    let refused = block_on(service.change_rate(&reader, id(9), TaxRateAmendment::Archive, Default::default(), None));
    assert_eq!(refused, Err(ChangeTaxRateError::Denied(denied)));
    let refused = block_on(service.create_default(&reader, new(), None));
    assert_eq!(refused, Err(CreateTaxDefaultError::Denied(denied)));
    let refused =
        block_on(service.change_default(&reader, id(1), TaxDefaultAmendment::Remove, Default::default(), None));
    assert_eq!(refused, Err(ChangeTaxDefaultError::Denied(denied)));
    let refused = block_on(service.find_association(&reader, Permission::Write, id(1)));
    assert_eq!(refused, Err(TaxesOfError::Denied(denied)));
}

#[test]
fn a_change_has_the_current_time_and_the_store_s_refusals_are_returned_unchanged() {
    let command = ChangeTaxRate {
        id: id::<crate::ids::TaxRateKind>(9) as TaxRateId,
        amendment: TaxRateAmendment::Archive,
        at: now(),
        event_id: id(0),
        request_id: None,
        only_if: Default::default(),
    };
    let mut taxes = MockTaxRepository::new();
    taxes
        .expect_change_rate()
        .once()
        .withf(move |with, given, _| {
            *with == scope() && *given == ChangeTaxRate { event_id: given.event_id, ..command.clone() }
        })
        .returning(|_, _, _| Err(ChangeTaxRateError::InUse));
    let refused = block_on(service(taxes, MockCustomerRepository::new()).change_rate(
        &writer(),
        id(9),
        TaxRateAmendment::Archive,
        Default::default(),
        None,
    ));
    assert_eq!(refused, Err(ChangeTaxRateError::InUse));
}

fn resolve(found: CustomerRecord, named: NamedCustomer) -> Result<CustomerId, TaxesOfError> {
    let mut customers = MockCustomerRepository::new();
    let by_id = found.clone();
    customers.expect_find().returning(move |_, _| Ok(Some(by_id.clone())));
    customers.expect_find_by_external_id().returning(move |_, _| Ok(Some(found.clone())));
    block_on(service(MockTaxRepository::new(), customers).customer(&writer(), &named))
}

#[test]
fn customers_are_identified_by_one_id_or_by_two_that_agree() {
    let external = |text: &str, entity_id: Option<String>| NamedCustomer::ExternalId {
        external_id: Some(ExternalId::new(text).unwrap()),
        entity_id,
    };
    let acme = || record("acme", Status::Published);
    let own: CustomerId = id(5);
    assert_eq!(resolve(acme(), NamedCustomer::Id(Some(own))), Ok(own));
    assert_eq!(resolve(acme(), external("acme", None)), Ok(own));
    assert_eq!(resolve(acme(), external("acme", Some(own.to_string()))), Ok(own));
    let other = resolve(acme(), external("acme", Some("cust_x".to_owned())));
    let Err(TaxesOfError::Invalid(broken)) = other else { panic!("{other:?}") };
    assert_eq!(broken.iter().next().unwrap().path, "entity_id");
    for (found, named) in [
        (acme(), NamedCustomer::Id(None)),
        (record("acme", Status::Archived), NamedCustomer::Id(Some(own))),
        // It had this external id before, and has another one now.
        (record("new", Status::Published), external("acme", None)),
    ] {
        assert_eq!(resolve(found, named), Err(TaxesOfError::UnknownCustomer));
    }
}

#[test]
fn taxes_are_explained_for_the_given_time_or_now() {
    for (asked, wanted) in [(None, now()), (Some(Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH)] {
        let customers = MockCustomerRepository::new();
        let mut taxes = MockTaxRepository::new();
        taxes
            .expect_basis()
            .once()
            .returning(|_, _, _| Ok(Some(TaxBasis { own: Some(vec![]), ..TaxBasis::default() })));
        let euro = CurrencyCode::new("EUR").unwrap();
        let question = EffectiveQuestion { at: asked, ..EffectiveQuestion::new(euro) };
        let explained = block_on(service(taxes, customers).effective(&caller(Role::AllReader), id(5), question));
        assert_eq!(explained.map(|explained| explained.at), Ok(wanted));
    }
}

#[test]
fn a_repeated_request_is_answered_before_any_look_up() {
    let (key, fingerprint) = (IdempotencyKey::new("k").unwrap(), Fingerprint::from_bytes([7; 32]));
    let request = IdempotentRequest { key, fingerprint };
    let default = a_tax_default(&rate(TaxRateStatus::Active));
    for (of, wanted) in [
        (7, Ok(Done::before(default.clone()))),
        (
            8,
            Err(IdempotencyKeyReused { earlier: Some(EarlierUse { at: now(), same_operation: false }), gone: false }
                .into()),
        ),
    ] {
        let record = IdempotencyRecord {
            fingerprint: Fingerprint::from_bytes([of; 32]),
            outcome: Outcome::kept(&default),
            at: now(),
        };
        let mut records = MockIdempotencyRecords::new();
        records.expect_find().once().returning(move |with, _| {
            assert_eq!(*with, scope());
            Ok(Some(record.clone()))
        });
        // The rate is inactive now, but it is not looked up.
        let service = service(MockTaxRepository::new(), MockCustomerRepository::new());
        let service = TaxService { records: Arc::new(records), ..service };
        assert_eq!(block_on(service.create_default(&writer(), new(), Some(request.clone()))), wanted);
    }
}
