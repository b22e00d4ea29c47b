//! Services over a store that fails, is slow, or loses results.

use std::{sync::Arc, time::Duration};

use futures::{
    channel::oneshot,
    executor::{LocalPool, block_on},
    task::SpawnExt,
};

use super::Faults;
use crate::{
    customer::{ChangeCustomerError, CustomerRepository, CustomerService, DEFAULT_IDEMPOTENCY_TTL, ReadError},
    idempotency::{Fingerprint, IdempotencyKey, IdempotentRequest},
    page::PageRequest,
    store::StoreError,
    tenancy::{AccessService, AuthenticateError, NoKeyUses, Quota, SystemScope},
    testkit::{CountingIds, FixedClock, MemoryStore, a_caller, a_customer, a_scope, a_time, a_webhook_endpoint, an_id},
    webhook::{LeaseClaim, WebhookRepository},
};

fn service(faults: &Faults, store: &Arc<MemoryStore>) -> CustomerService {
    CustomerService {
        customers: faults.over(store.clone()),
        clock: Arc::new(FixedClock::default()),
        ids: Arc::new(CountingIds::default()),
        idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
        quotas: crate::tenancy::Quotas::default(),
    }
}

fn request() -> Option<IdempotentRequest> {
    let key = IdempotencyKey::new("key-1").unwrap();
    Some(IdempotentRequest { key, fingerprint: Fingerprint::from_bytes([7; 32]) })
}

fn is_unavailable<T>(answer: &Result<T, ChangeCustomerError>) -> bool {
    matches!(answer, Err(ChangeCustomerError::Store(StoreError::Unavailable { .. })))
}

#[test]
fn a_retry_after_a_lost_result_creates_exactly_one_customer() {
    let (faults, store) = (Faults::default(), Arc::new(MemoryStore::default()));
    let service = service(&faults, &store);
    faults.lose_answer(1);
    let create = || block_on(service.create(&a_caller(), a_customer("acme").build(), request()));
    assert!(is_unavailable(&create()));
    let again = create().unwrap();
    assert!(again.replayed, "the first call had done the work");
    let id = again.event.state.customer.id;
    let history = block_on(store.history(&a_scope(), id, PageRequest::default())).unwrap();
    assert_eq!((history.total, &history.items[0]), (1, &again.event));
}

#[test]
fn a_retry_after_a_failure_does_the_work() {
    let (faults, store) = (Faults::default(), Arc::new(MemoryStore::default()));
    let service = service(&faults, &store);
    faults.fail_call(1, StoreError::unavailable("the queue is full"));
    let create = || block_on(service.create(&a_caller(), a_customer("acme").build(), request()));
    assert!(is_unavailable(&create()));
    assert!(!create().unwrap().replayed, "the first call did nothing");
    assert_eq!(faults.calls(), 2);
}

#[test]
fn everything_fails_until_the_store_recovers() {
    let (faults, store) = (Faults::default(), Arc::new(MemoryStore::default()));
    let service = service(&faults, &store);
    let failure = StoreError::Failed { reason: "the file is damaged".to_owned() };
    faults.fail_every_call(failure.clone());
    let access = AccessService::new(faults.over(store.clone()), Arc::new(FixedClock::default()), Arc::new(NoKeyUses));
    for _ in 0..3 {
        assert_eq!(block_on(service.find(&a_caller(), an_id(1))), Err(ReadError::Store(failure.clone())));
        let authenticated = block_on(access.authenticate("sk_0123456789abcdef", crate::tenancy::Origin::default()));
        assert_eq!(authenticated, Err(AuthenticateError::Store(failure.clone())));
    }
    faults.recover();
    assert_eq!(block_on(service.find(&a_caller(), an_id(1))), Ok(None));
    assert_eq!(faults.calls(), 7);
}

#[test]
fn a_delayed_call_is_overtaken_by_a_later_one() {
    let (faults, store) = (Faults::default(), Arc::new(MemoryStore::default()));
    let service = service(&faults, &store);
    let (go, waiting) = oneshot::channel::<()>();
    faults.delay_call(1, async { waiting.await.unwrap_or_default() });
    let mut pool = LocalPool::new();
    let slow = service.clone();
    let slow = async move { slow.create(&a_caller(), a_customer("acme").named("Slow").build(), None).await };
    let slow = pool.spawner().spawn_with_handle(slow).unwrap();
    pool.run_until_stalled();
    let fast = block_on(service.create(&a_caller(), a_customer("acme").named("Fast").build(), None)).unwrap();
    go.send(()).unwrap();
    let existing = fast.event.state.customer.id;
    assert_eq!(pool.run_until(slow), Err(ChangeCustomerError::ExternalIdTaken { existing }));
}

#[test]
fn a_lease_whose_result_was_lost_is_given_to_its_holder_again() {
    let (faults, store) = (Faults::default(), Arc::new(MemoryStore::default()));
    let webhooks = faults.over(store.clone());
    let (scope, patron) = (a_scope(), SystemScope::patron());
    block_on(webhooks.create_endpoint(&scope, a_webhook_endpoint(), Quota::UNLIMITED, None)).unwrap();
    block_on(service(&Faults::default(), &store).create(&a_caller(), a_customer("acme").build(), None)).unwrap();
    let until = a_time().later(Duration::from_secs(60));
    let claim = |holder: &str| {
        let claim = LeaseClaim { holder: holder.to_owned(), now: a_time(), until, serving: vec![], places: 10 };
        block_on(webhooks.claim(&patron, claim)).map(|claimed| claimed.len())
    };
    faults.lose_answer(2);
    assert!(matches!(claim("one"), Err(StoreError::Unavailable { .. })));
    assert_eq!((claim("another"), claim("one")), (Ok(0), Ok(1)));
}
