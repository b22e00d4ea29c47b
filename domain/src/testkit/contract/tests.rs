//! The in-memory store meets every obligation, and deliberately wrong stores are detected.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::executor::block_on;

use super::{Ports, Report, check, check_customers, check_empty, check_seeded};
use crate::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerFacts, CustomerRecord,
        CustomerRepository, ExternalId, MappingFilter, TaxChoice,
        query::{CustomerPage, CustomerQuery, CustomerQueryParts},
    },
    event::CustomerEvent,
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::Owner,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
    testkit::MemoryStore,
};

pub(super) fn ports(store: &Arc<MemoryStore>) -> Ports {
    Ports {
        customers: store.clone(),
        taxes: store.clone(),
        custom_fields: store.clone(),
        tenancy: store.clone(),
        keys: store.clone(),
        audit: store.clone(),
        events: store.clone(),
        chain: store.clone(),
        webhooks: store.clone(),
        records: store.clone(),
        onboarding: store.clone(),
        privacy: store.clone(),
        customer_retention: store.clone(),
        retention: store.clone(),
    }
}

#[test]
fn the_memory_store_meets_every_obligation_repeatedly() {
    let ports = ports(&Arc::new(MemoryStore::default()));
    block_on(check_empty(&ports)).assert_clean();
    for _ in 0..2 {
        let report = block_on(check(&ports));
        report.assert_clean();
        assert!(report.passed.len() > 90, "{report}");
    }
    let report = block_on(check_empty(&ports));
    assert!(!report.is_clean(), "a store in use is not empty");
}

#[test]
fn runs_with_different_seeds_can_be_parallel() {
    let ports = ports(&Arc::new(MemoryStore::default()));
    let run = |seed| {
        let ports = ports.clone();
        std::thread::spawn(move || block_on(check_seeded(&ports, seed)))
    };
    // Lists of all tenants may be affected by tenants of the other run; nothing else is.
    for thread in [run(100), run(101)] {
        let report = thread.join().unwrap();
        assert!(report.broken.iter().all(|one| one.obligation.starts_with("tenancy.")), "{report}");
    }
}

/// The fault of a store.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Looks up an external id in every environment it has seen.
    ForgetsTheScope,
    /// Returns success for a second create of an external id, without writing it.
    AnswersSuccessTwice,
    /// Leaves the customer when the tax code is unknown.
    LeavesHalf,
    /// Returns the first page whatever the offset.
    ForgetsTheOffset,
    /// Lists all customers, whatever the query.
    ListsEverybody,
}

/// The customers of a memory store, with a fault.
struct Wrong {
    fault: Fault,
    store: Arc<MemoryStore>,
    seen: Mutex<Vec<EnvironmentScope>>,
}

#[async_trait]
impl CustomerRepository for Wrong {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        self.seen.lock().unwrap().push(scope.clone());
        let answer = self.store.change(scope, command.clone()).await;
        match (&answer, self.fault) {
            (Err(ChangeCustomerError::ExternalIdTaken { .. }), Fault::AnswersSuccessTwice) => {
                let event = command.decide(scope, &CustomerFacts::default())?.event;
                Ok(CustomerChanged { event, replayed: false })
            }
            (Err(ChangeCustomerError::UnknownTaxRates(_)), Fault::LeavesHalf) => {
                let mut half = command;
                if let CustomerChange::Create(new) = &mut half.change {
                    new.taxes = TaxChoice::Defaults;
                }
                self.store.change(scope, half).await?;
                answer
            }
            _ => answer,
        }
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        self.store.find(scope, id).await
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let found = self.store.find_by_external_id(scope, external_id).await?;
        if found.is_some() || self.fault != Fault::ForgetsTheScope {
            return Ok(found);
        }
        let seen = self.seen.lock().unwrap().clone();
        for scope in seen.iter().rev() {
            if let Some(found) = self.store.find_by_external_id(scope, external_id).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let first = PageRequest::new(page.limit().into(), 0).unwrap();
        let page = if self.fault == Fault::ForgetsTheOffset { first } else { page };
        self.store.mappings(scope, filter, page).await
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        self.store.history(scope, id, page).await
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        let everybody = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
        self.store.list(scope, if self.fault == Fault::ListsEverybody { &everybody } else { query }).await
    }
}

fn run_with(fault: Fault) -> Report {
    let store = Arc::new(MemoryStore::default());
    let wrong = Wrong { fault, store: store.clone(), seen: Mutex::default() };
    block_on(check(&Ports { customers: Arc::new(wrong), ..ports(&store) }))
}

pub(super) fn broken(report: &Report) -> Vec<&'static str> {
    report.broken.iter().map(|broken| broken.obligation).collect()
}

#[test]
fn a_missing_scope_is_detected() {
    let report = run_with(Fault::ForgetsTheScope);
    let wanted = "customers.find_by_external_id: finds no customer of another environment or tenant";
    assert!(broken(&report).contains(&wanted), "{report}");
}

#[test]
fn a_second_success_is_detected() {
    let report = run_with(Fault::AnswersSuccessTwice);
    for wanted in [
        "customers.create: ExternalIdTaken contains the id of the customer that has the external id",
        "customers.create: of concurrent creates of one external id exactly one succeeds",
    ] {
        assert!(broken(&report).contains(&wanted), "{report}");
    }
}

#[test]
fn a_partial_create_is_detected() {
    let report = run_with(Fault::LeavesHalf);
    let wanted = "customers.create: an unknown tax code is refused as decided, and the refusal leaves nothing";
    assert!(broken(&report).contains(&wanted), "{report}");
}

#[test]
fn only_the_missing_offset_is_detected() {
    let report = run_with(Fault::ForgetsTheOffset);
    assert_eq!(broken(&report), ["customers.mappings: pages as asked, with the exact total"], "{report}");
    assert!(report.to_string().contains("limit 2 and offset 2"), "{report}");
}

#[test]
fn a_list_without_filters_is_detected() {
    let report = run_with(Fault::ListsEverybody);
    for wanted in [
        "customers.list: finds the same customers as the reference, in the same order",
        "customers.list: the pages from cursor to cursor have every customer exactly once",
        "customers.list: counts all matches, but only when requested",
    ] {
        assert!(broken(&report).contains(&wanted), "{report}");
    }
}

/// The obligations that these faults break.
pub(super) fn found_out() -> Vec<&'static str> {
    broken(&run_with(Fault::ListsEverybody))
}

#[test]
fn a_store_with_only_customers_is_checked_for_its_own_obligations() {
    let store = Arc::new(MemoryStore::default());
    for seed in [0, 1] {
        let report = block_on(check_customers(store.clone(), Owner::numbered, seed));
        report.assert_clean();
        assert!(report.passed.len() > 40, "{report}");
        assert!(!report.left_out.is_empty());
    }
    let wrong = Wrong { fault: Fault::ForgetsTheOffset, store, seen: Mutex::default() };
    let report = block_on(check_customers(Arc::new(wrong), Owner::numbered, 2));
    assert_eq!(broken(&report), ["customers.mappings: pages as asked, with the exact total"], "{report}");
}
