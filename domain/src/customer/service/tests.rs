//! Tests of the service with mocks.

use futures::executor::block_on;

use super::*;
use crate::{
    OperationError,
    clock::MockClock,
    customer::{
        CustomerFacts, MockCustomerRepository,
        query::{Condition, CustomerQueryParts, Folded, TextField},
    },
    idempotency::{Fingerprint, IdempotencyKey},
    ids::{IdSequence, MockIdGenerator},
    lifecycle::Owner,
    tax::TaxRateCode,
    tenancy::{Actor, Origin, RequestId, Role, Roles},
    time::Timestamp,
};

const NOW: i64 = 1_700_000_000_123_456;

fn now() -> Timestamp {
    Timestamp::from_micros(NOW).unwrap()
}

fn ids() -> IdSequence {
    IdSequence::start(now(), [7; 10])
}

fn scope() -> EnvironmentScope {
    let mut ids = IdSequence::start(Timestamp::UNIX_EPOCH, [0; 10]);
    let owner = Owner { tenant_id: ids.next_id(), environment_id: ids.next_id() };
    let origin = Origin::default().in_request(RequestId::new("request-1").unwrap());
    EnvironmentScope { owner, actor: Actor::new("tester").unwrap(), origin }
}

fn caller(role: Role) -> Caller {
    Caller::new(scope(), Roles::new([role]).unwrap(), Some(RequestId::new("request-1").unwrap()))
}

fn acme() -> NewCustomer {
    NewCustomer::new(ExternalId::new("acme").unwrap())
}

/// A service at `NOW`, whose ids are `ids`.
fn service(customers: MockCustomerRepository) -> CustomerService {
    CustomerService {
        customers: Arc::new(customers),
        clock: Arc::new(MockClock::at(now())),
        ids: Arc::new(MockIdGenerator::from_time()),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        quotas: Quotas::default(),
    }
}

#[test]
fn a_create_carries_the_scope_the_time_the_ids_the_request_and_its_key_to_the_store() {
    let request =
        IdempotentRequest { key: IdempotencyKey::new("key-1").unwrap(), fingerprint: Fingerprint::from_bytes([7; 32]) };
    let claim = IdempotencyClaim {
        key: request.key.clone(),
        fingerprint: request.fingerprint,
        since: Timestamp::from_micros(NOW - 86_400_000_000).unwrap(),
    };
    let stamp = Stamp { ids: ids(), at: now(), request_id: Some(RequestId::new("request-1").unwrap()) };
    let command = ChangeCustomer { claim: Some(claim), ..ChangeCustomer::new(CustomerChange::Create(acme()), stamp) };
    let wanted = command.clone().decide(&scope(), &CustomerFacts::default()).unwrap().event;
    let mut customers = MockCustomerRepository::new();
    customers.expect_change().once().withf(move |with, given| *with == scope() && *given == command).returning(
        |scope, command| {
            let event = command.decide(scope, &CustomerFacts::default())?.event;
            Ok(CustomerChanged { event, replayed: false })
        },
    );
    let changed = block_on(service(customers).create(&caller(Role::AllWriter), acme(), Some(request))).unwrap();
    assert_eq!(changed, CustomerChanged { event: wanted, replayed: false });
    assert_eq!(changed.event.at, now());
}

#[test]
fn a_reader_cannot_create_and_the_store_is_not_called() {
    // A mock without expectations panics when it is called.
    let refused = block_on(service(MockCustomerRepository::new()).create(&caller(Role::AllReader), acme(), None));
    assert_eq!(refused, Err(ChangeCustomerError::Denied(PermissionDenied::Role(Permission::Write))));
}

#[test]
fn the_store_s_refusals_and_failures_are_returned_unchanged() {
    let id = ids().next_id();
    for refusal in [
        ChangeCustomerError::ExternalIdTaken { existing: id },
        ChangeCustomerError::UnknownTaxRates(vec![("tax_rate_code".to_owned(), TaxRateCode::new("VAT").unwrap())]),
    ] {
        let mut customers = MockCustomerRepository::new();
        let answer = refusal.clone();
        customers.expect_change().once().return_once(move |_, _| Err(answer));
        assert_eq!(block_on(service(customers).create(&caller(Role::SuperAdmin), acme(), None)), Err(refusal));
    }
}

#[test]
fn an_unavailable_store_is_reported_for_every_look_up() {
    let service = || service(MockCustomerRepository::always_unavailable());
    let reader = caller(Role::AllReader);
    let written = block_on(service().create(&caller(Role::AllWriter), acme(), None));
    assert!(matches!(written, Err(ChangeCustomerError::Store(StoreError::Unavailable { .. }))), "{written:?}");
    let found = block_on(service().find(&reader, ids().next_id()));
    assert!(matches!(found, Err(ReadError::Store(StoreError::Unavailable { .. }))), "{found:?}");
    let found = block_on(service().find_by_external_id(&reader, &acme().external_id));
    assert!(matches!(found, Err(ReadError::Store(StoreError::Unavailable { .. }))), "{found:?}");
}

#[test]
fn a_search_that_takes_too_long_is_refused_for_its_costly_filter() {
    let listed = |parts: CustomerQueryParts| {
        let mut customers = MockCustomerRepository::new();
        customers.expect_list().once().returning(|_, _| Err(StoreError::TooSlow));
        let query = CustomerQuery::new(parts).unwrap();
        block_on(service(customers).list(&caller(Role::AllReader), &query)).unwrap_err()
    };
    let filters = vec![Condition::Contains(TextField::AddressLine1, Folded::new("a"))];
    let broad = listed(CustomerQueryParts { filters, ..CustomerQueryParts::default() });
    assert_eq!(broad, ReadError::TooBroad { filter: "address_line1".into() });
    assert_eq!((broad.code(), broad.http_status()), ("search_too_broad", 400));
    // Nothing to leave out: the database itself is slow.
    assert_eq!(listed(CustomerQueryParts::default()), ReadError::Store(StoreError::TooSlow));
}

#[test]
fn a_reader_finds_customers_in_their_own_scope() {
    let id = ids().next_id();
    let mut customers = MockCustomerRepository::new();
    customers
        .expect_find()
        .once()
        .withf(move |with, given| *with == scope() && *given == id)
        .returning(|_, _| Ok(None));
    assert_eq!(block_on(service(customers).find(&caller(Role::AllReader), id)), Ok(None));
}
