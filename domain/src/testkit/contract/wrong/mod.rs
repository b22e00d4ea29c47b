//! For every obligation there is a store that breaks it, and the suite detects it.
//!
//! Each wrong store is the memory store behind mocks, with one method replaced.

mod audit;
mod chain;
mod custom_fields;
mod customers;
mod events;
mod look_ups;
mod onboarding;
mod once;
mod privacy;
mod taxes;
mod tenancy;
mod webhooks;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use futures::{FutureExt, executor::block_on};

use super::{Ports, Report, check_empty, everything, tests, tests::ports, tests_of_changes, world::World};
use crate::{
    audit::{AuditLog, MockAuditLog},
    custom_field::{CustomFieldRepository, MockCustomFieldRepository},
    customer::{CustomerRepository, MockCustomerRepository},
    event::{
        EventLog, MockEventLog,
        chain::{EventChain, MockEventChain},
    },
    onboarding::{MockOnboardingRepository, OnboardingRepository},
    page::{Page, PageRequest},
    privacy::{CustomerRetention, MockCustomerRetention, MockPrivacyRepository, PrivacyRepository},
    tax::{MockTaxRepository, TaxRepository},
    tenancy::{
        ApiKeyRepository, EnvironmentScope, MockApiKeyRepository, MockTenancyRepository, Origin, TenancyRepository,
    },
    testkit::MemoryStore,
    webhook::{MockWebhookRepository, WebhookRepository},
};

/// The mocks of a wrong store, and the correct store behind them. Expectations of a fault come before those that pass
/// calls on.
struct Wrong {
    customers: MockCustomerRepository,
    taxes: MockTaxRepository,
    custom_fields: MockCustomFieldRepository,
    tenancy: MockTenancyRepository,
    keys: MockApiKeyRepository,
    audit: MockAuditLog,
    events: MockEventLog,
    chain: MockEventChain,
    webhooks: MockWebhookRepository,
    onboarding: MockOnboardingRepository,
    privacy: MockPrivacyRepository,
    customer_retention: MockCustomerRetention,
    store: Arc<MemoryStore>,
    seen: Seen,
}

/// Every scope in which something was created, for stores that ignore theirs.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<EnvironmentScope>>>);

impl Seen {
    fn note(&self, scope: &EnvironmentScope) {
        self.0.lock().unwrap().push(scope.clone());
    }

    /// The first result from one of the scopes, the latest scope first.
    fn find<T>(&self, ask: impl FnMut(EnvironmentScope) -> Option<T>) -> Option<T> {
        let seen = self.0.lock().unwrap().clone();
        seen.into_iter().rev().find_map(ask)
    }
}

/// The fault of a store.
type Fault = fn(&mut Wrong);

/// The result of the memory store, which never waits.
fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().unwrap()
}

/// The whole list.
fn whole<T>(page: Page<T>) -> Vec<T> {
    page.items
}

/// The first page, whatever the request.
fn first(page: PageRequest) -> PageRequest {
    PageRequest::new(page.limit().into(), 0).unwrap()
}

/// The list in reverse order.
fn reversed<T>(mut page: Page<T>) -> Page<T> {
    page.items.reverse();
    page
}

impl Wrong {
    fn new(fault: Fault) -> Self {
        let mut wrong = Self {
            customers: MockCustomerRepository::new(),
            taxes: MockTaxRepository::new(),
            custom_fields: MockCustomFieldRepository::new(),
            tenancy: MockTenancyRepository::new(),
            keys: MockApiKeyRepository::new(),
            audit: MockAuditLog::new(),
            events: MockEventLog::new(),
            chain: MockEventChain::new(),
            webhooks: MockWebhookRepository::new(),
            onboarding: MockOnboardingRepository::new(),
            privacy: MockPrivacyRepository::new(),
            customer_retention: MockCustomerRetention::new(),
            store: Arc::default(),
            seen: Seen::default(),
        };
        fault(&mut wrong);
        audit::pass_on(&mut wrong);
        custom_fields::pass_on(&mut wrong);
        customers::pass_on(&mut wrong);
        events::pass_on(&mut wrong);
        chain::pass_on(&mut wrong);
        onboarding::pass_on(&mut wrong);
        privacy::pass_on(&mut wrong);
        taxes::pass_on(&mut wrong);
        tenancy::pass_on(&mut wrong);
        webhooks::pass_on(&mut wrong);
        wrong
    }

    fn ports(self) -> Ports {
        Ports {
            customers: Arc::new(self.customers) as Arc<dyn CustomerRepository>,
            taxes: Arc::new(self.taxes) as Arc<dyn TaxRepository>,
            custom_fields: Arc::new(self.custom_fields) as Arc<dyn CustomFieldRepository>,
            tenancy: Arc::new(self.tenancy) as Arc<dyn TenancyRepository>,
            keys: Arc::new(self.keys) as Arc<dyn ApiKeyRepository>,
            audit: Arc::new(self.audit) as Arc<dyn AuditLog>,
            events: Arc::new(self.events) as Arc<dyn EventLog>,
            chain: Arc::new(self.chain) as Arc<dyn EventChain>,
            webhooks: Arc::new(self.webhooks) as Arc<dyn WebhookRepository>,
            onboarding: Arc::new(self.onboarding) as Arc<dyn OnboardingRepository>,
            privacy: Arc::new(self.privacy) as Arc<dyn PrivacyRepository>,
            customer_retention: Arc::new(self.customer_retention) as Arc<dyn CustomerRetention>,
            ..ports(&self.store)
        }
    }
}

/// The report of a whole run. Most faults are checked without the lists of customers, which take long.
pub(super) fn run(ports: &Ports, with_lists: bool) -> Report {
    block_on(async {
        let mut report = check_empty(ports).await;
        let world = World::new(ports, 2).listing(with_lists);
        everything(&world, &mut report).await;
        report
    })
}

/// The report of the webhook obligations. No other obligation uses that port.
fn run_webhooks(ports: &Ports) -> Report {
    let mut report = Report::default();
    let world = World::new(ports, 2);
    block_on(super::webhooks::check(&world, &mut report));
    block_on(super::deliveries::check(&world, &mut report));
    block_on(super::webhooks_once::check(&world, &mut report));
    report
}

/// The report of the onboarding obligations.
fn run_onboarding(ports: &Ports) -> Report {
    let mut report = Report::default();
    block_on(super::onboarding::check(&World::new(ports, 2), &mut report));
    report
}

/// The report of the obligations of erasures and of retention.
fn run_privacy(ports: &Ports) -> Report {
    let mut report = Report::default();
    let world = World::new(ports, 2);
    block_on(super::privacy::check(&world, &mut report));
    block_on(super::customer_retention::check(&world, &mut report));
    report
}

/// The scope, for a write instead of a dry run.
fn committing(scope: &EnvironmentScope) -> EnvironmentScope {
    EnvironmentScope { origin: Origin::default(), ..scope.clone() }
}

/// The report of the obligations of custom fields.
fn run_custom_fields(ports: &Ports) -> Report {
    let mut report = Report::default();
    block_on(super::custom_fields::check(&World::new(ports, 2), &mut report));
    report
}

#[test]
fn the_store_behind_the_mocks_is_correct() {
    run(&Wrong::new(|_| {}).ports(), true).assert_clean();
}

#[test]
fn every_obligation_is_broken_by_a_wrong_store_and_detected() {
    let all = run(&ports(&Arc::default()), true).passed;
    let mut found: BTreeSet<&str> = tests_of_changes::found_out();
    found.extend(tests::found_out());
    let faults: Vec<(&str, Fault)> = [
        audit::FAULTS,
        customers::FAULTS,
        look_ups::FAULTS,
        events::FAULTS,
        chain::FAULTS,
        once::FAULTS,
        taxes::FAULTS,
        tenancy::FAULTS,
    ]
    .concat();
    let others = faults.into_iter().map(|(name, fault)| (name, run(&Wrong::new(fault).ports(), name.contains("list"))));
    let of_webhooks = webhooks::FAULTS.iter().map(|(name, fault)| (*name, run_webhooks(&Wrong::new(*fault).ports())));
    let of_onboarding = onboarding::FAULTS;
    let of_onboarding = of_onboarding.iter().map(|(name, fault)| (*name, run_onboarding(&Wrong::new(*fault).ports())));
    let of_fields = custom_fields::FAULTS.iter();
    let of_fields = of_fields.map(|(name, fault)| (*name, run_custom_fields(&Wrong::new(*fault).ports())));
    let of_privacy = privacy::FAULTS.iter().map(|(name, fault)| (*name, run_privacy(&Wrong::new(*fault).ports())));
    for (name, report) in others.chain(of_webhooks).chain(of_onboarding).chain(of_fields).chain(of_privacy) {
        assert!(!report.is_clean(), "no fault is detected in a store that {name}");
        found.extend(report.broken.iter().map(|broken| broken.obligation));
    }
    let missed: Vec<_> = all.into_iter().filter(|obligation| !found.contains(obligation)).collect();
    assert!(missed.is_empty(), "no wrong store breaks these:\n{}", missed.join("\n"));
}
