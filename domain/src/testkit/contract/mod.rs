//! The contract suite: every obligation of the repository ports as a check for any implementation.
//!
//! ```
//! use std::sync::Arc;
//! use patron_domain::testkit::{MemoryStore, contract};
//!
//! # futures::executor::block_on(async {
//! let store = Arc::new(MemoryStore::default());
//! let ports = contract::Ports {
//!     customers: store.clone(),
//!     taxes: store.clone(),
//!     custom_fields: store.clone(),
//!     tenancy: store.clone(),
//!     keys: store.clone(),
//!     audit: store.clone(),
//!     events: store.clone(),
//!     chain: store.clone(),
//!     webhooks: store.clone(),
//!     records: store.clone(),
//!     onboarding: store.clone(),
//!     privacy: store.clone(),
//!     customer_retention: store.clone(),
//!     retention: store,
//! };
//! contract::check_empty(&ports).await.assert_clean();
//! contract::check(&ports).await.assert_clean();
//! # });
//! ```
//!
//! For a store that keeps only customers, call [`check_customers`]; for one that also keeps taxes,
//! [`check_customers_and_taxes`].
//!
//! A process cannot check durability itself: kill the process and check its data.

mod amendments;
mod any_query;
mod archiving;
mod associations;
mod audit;
mod bootstrap;
mod chain;
mod changed_lists;
mod changing;
mod custom_fields;
mod customer_retention;
mod customers;
mod deliveries;
mod dry_run;
mod equal;
mod events;
mod every_field;
mod idempotency;
mod isolation;
mod keys;
mod lists;
mod mappings;
#[cfg(all(test, feature = "serde"))]
mod mutants;
mod onboarding;
mod once;
mod past;
mod privacy;
mod races;
mod rate_changes;
mod refusals;
mod renaming;
mod report;
mod retention;
mod round_trip;
mod tax_amendments;
mod tax_choice;
mod tax_defaults;
mod tax_lists;
mod tax_rates;
mod tenancy;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_changes;
mod webhooks;
mod webhooks_once;
mod world;
#[cfg(test)]
mod wrong;

use std::sync::Arc;

use futures_util::lock::Mutex;

pub use self::report::{Broken, Report};
use self::{report::NOT_HERE, world::World};
use crate::{
    audit::AuditLog,
    custom_field::CustomFieldRepository,
    customer::CustomerRepository,
    event::{EventLog, chain::EventChain},
    idempotency::IdempotencyRecords,
    lifecycle::Owner,
    onboarding::OnboardingRepository,
    page::PageRequest,
    privacy::{CustomerRetention, PrivacyRepository},
    retention::RetentionStore,
    store::StoreError,
    tax::TaxRepository,
    tenancy::{ApiKeyRepository, SystemScope, TenancyRepository},
    testkit::{Faults, MemoryStore},
    webhook::WebhookRepository,
};

/// The ports of one store.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::testkit::{MemoryStore, contract};
///
/// let store = Arc::new(MemoryStore::default());
/// let ports = contract::Ports {
///     customers: store.clone(),
///     taxes: store.clone(),
///     custom_fields: store.clone(),
///     tenancy: store.clone(),
///     keys: store.clone(),
///     audit: store.clone(),
///     events: store.clone(),
///     chain: store.clone(),
///     webhooks: store.clone(),
///     records: store.clone(),
///     onboarding: store.clone(),
///     privacy: store.clone(),
///     customer_retention: store.clone(),
///     retention: store,
/// };
/// ```
#[derive(Clone)]
pub struct Ports {
    /// The store of customers.
    pub customers: Arc<dyn CustomerRepository>,
    /// The store of tax rates and associations.
    pub taxes: Arc<dyn TaxRepository>,
    /// The store of custom fields.
    pub custom_fields: Arc<dyn CustomFieldRepository>,
    /// The store of tenants and environments.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// The store of API keys.
    pub keys: Arc<dyn ApiKeyRepository>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The event log.
    pub events: Arc<dyn EventLog>,
    /// The chain of its hashes.
    pub chain: Arc<dyn EventChain>,
    /// The store of webhook endpoints and deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// The records of idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// The store of onboarding workflows and runs.
    pub onboarding: Arc<dyn OnboardingRepository>,
    /// Suppresses and erases customers. The store recognises the external ids of erased ones.
    pub privacy: Arc<dyn PrivacyRepository>,
    /// How long environments keep archived customers and former external ids.
    pub customer_retention: Arc<dyn CustomerRetention>,
    /// Removes old records and events.
    pub retention: Arc<dyn RetentionStore>,
}

/// Checks a store that may be in use. The suite creates its own tenants and environments and leaves other data alone,
/// so it can run against one database repeatedly. But only one run may be active at a time, and no other tenants may be
/// created during it. Use [`check_seeded`] for parallel runs.
pub async fn check(ports: &Ports) -> Report {
    // Every run leaves more tenants, so their number distinguishes runs over one store without randomness.
    let tenants = ports.tenancy.tenants(&SystemScope::patron(), PageRequest::default()).await;
    check_seeded(ports, tenants.map_or(0, |page| page.total)).await
}

/// As [`check`], with ids and secrets made from a seed below 2^37. Each run over one store needs its own seed.
pub async fn check_seeded(ports: &Ports, seed: u64) -> Report {
    let world = World::new(ports, seed << 1);
    let mut report = Report::default();
    everything(&world, &mut report).await;
    report
}

/// All obligations that can be checked on a store in use.
async fn everything(world: &World<'_>, report: &mut Report) {
    of_customers(world, report).await;
    events::check(world, report).await;
    past::check(world, report).await;
    chain::check(world, report).await;
    dry_run::check_others(world, report).await;
    retention::check(world, report).await;
    over_all_environments(world, report).await;
    of_taxes(world, report).await;
    custom_fields::check(world, report).await;
    tenancy::check(world, report).await;
    keys::check(world, report).await;
    bootstrap::check(world, report).await;
}

/// Claims and retention cover all environments: two runs of one process over one store would take each other's leases,
/// runs and deliveries.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The obligations of calls that cover all environments.
async fn over_all_environments(world: &World<'_>, report: &mut Report) {
    let _turn = ONE_AT_A_TIME.lock().await;
    once::check(world, report).await;
    rate_changes::check(world, report).await;
    webhooks::check(world, report).await;
    deliveries::check(world, report).await;
    webhooks_once::check(world, report).await;
    onboarding::check(world, report).await;
    privacy::check(world, report).await;
    customer_retention::check(world, report).await;
    audit::check(world, report).await;
}

/// Checks a store that keeps only customers: all obligations of [`CustomerRepository`] that do not concern tax rates.
/// The others are in [`Report::left_out`].
///
/// `owners` makes an owner from the numbers of a tenant and an environment, such as [`Owner::numbered`]. Tenants are
/// numbered from `seed << 17` on, environments for each tenant from 1. A store that needs rows for them inserts them
/// there. The seed is below 2^37, as for [`check_seeded`].
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{lifecycle::Owner, testkit::{MemoryStore, contract}};
///
/// # futures::executor::block_on(async {
/// let report = contract::check_customers(Arc::new(MemoryStore::default()), Owner::numbered, 0).await;
/// report.assert_clean();
/// assert!(report.passed.len() > 4 * report.left_out.len(), "{report}");
/// # });
/// ```
pub async fn check_customers(
    customers: Arc<dyn CustomerRepository>,
    owners: impl Fn(u64, u64) -> Owner + Send + Sync,
    seed: u64,
) -> Report {
    let (elsewhere, absent) = (Arc::new(MemoryStore::default()), Faults::default());
    absent.fail_every_call(StoreError::Failed { reason: NOT_HERE.to_owned() });
    let ports = only(customers, absent.over(elsewhere));
    let world = World::of_owners(&ports, seed << 1, &owners, false);
    let mut report = Report::default();
    of_customers(&world, &mut report).await;
    report.retain(&["customers."]);
    report
}

/// Checks a store that keeps customers and taxes: all obligations of both ports. See [`check_customers`].
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{lifecycle::Owner, testkit::{MemoryStore, contract}};
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// contract::check_customers_and_taxes(store.clone(), store, Owner::numbered, 0).await.assert_complete();
/// # });
/// ```
pub async fn check_customers_and_taxes(
    customers: Arc<dyn CustomerRepository>,
    taxes: Arc<dyn TaxRepository>,
    owners: impl Fn(u64, u64) -> Owner + Send + Sync,
    seed: u64,
) -> Report {
    let ports = only(customers, taxes);
    let world = World::of_owners(&ports, seed << 1, &owners, true);
    let mut report = Report::default();
    of_customers(&world, &mut report).await;
    of_taxes(&world, &mut report).await;
    report.retain(&["customers.", "taxes."]);
    report
}

/// The two ports of the store. The others are not called.
fn only(customers: Arc<dyn CustomerRepository>, taxes: Arc<dyn TaxRepository>) -> Ports {
    let (elsewhere, absent) = (Arc::new(MemoryStore::default()), Faults::default());
    absent.fail_every_call(StoreError::Failed { reason: NOT_HERE.to_owned() });
    Ports {
        customers,
        taxes,
        custom_fields: absent.over(elsewhere.clone()),
        tenancy: absent.over(elsewhere.clone()),
        keys: absent.over(elsewhere.clone()),
        audit: absent.over(elsewhere.clone()),
        events: absent.over(elsewhere.clone()),
        chain: elsewhere.clone(),
        webhooks: elsewhere.clone(),
        onboarding: elsewhere.clone(),
        privacy: elsewhere.clone(),
        customer_retention: elsewhere.clone(),
        records: absent.over(elsewhere.clone()),
        retention: absent.over(elsewhere),
    }
}

/// The obligations of a store of customers.
async fn of_customers(world: &World<'_>, report: &mut Report) {
    round_trip::check(world, report).await;
    every_field::check(world, report).await;
    customers::check(world, report).await;
    refusals::check(world, report).await;
    tax_choice::check(world, report).await;
    races::check(world, report).await;
    amendments::check(world, report).await;
    archiving::check(world, report).await;
    renaming::check(world, report).await;
    idempotency::check(world, report).await;
    mappings::check(world, report).await;
    isolation::check(world, report).await;
    dry_run::check(world, report).await;
    changed_lists::check(world, report).await;
    // These checks take longer than all others, so some tests of this crate leave them out.
    if world.with_lists {
        lists::check(world, report).await;
    }
}

/// The obligations of a store of tax rates and associations.
async fn of_taxes(world: &World<'_>, report: &mut Report) {
    tax_rates::check(world, report).await;
    tax_defaults::check(world, report).await;
    tax_amendments::check(world, report).await;
    tax_lists::check(world, report).await;
    associations::check(world, report).await;
}

/// Checks a store without tenants: the obligations that only such a store can show. The suite leaves one tenant in it.
pub async fn check_empty(ports: &Ports) -> Report {
    let world = World::new(ports, 1);
    let mut report = Report::default();
    bootstrap::check_empty(&world, &mut report).await;
    idempotency::check_empty(&world, &mut report).await;
    report
}
