//! The contract suite: every obligation of the repository ports as a check that any implementation can be put through.
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
//!     tenancy: store.clone(),
//!     keys: store.clone(),
//!     events: store.clone(),
//!     webhooks: store.clone(),
//!     records: store.clone(),
//!     onboarding: store.clone(),
//!     housekeeping: store,
//! };
//! contract::check_empty(&ports).await.assert_clean();
//! contract::check(&ports).await.assert_clean();
//! # });
//! ```
//!
//! Whoever keeps only customers, and leaves taxes, tenants and keys to others, calls [`check_customers`].
//!
//! Durability is the one obligation that cannot be seen from inside a process: kill it and look.

mod amendments;
mod any_query;
mod archiving;
mod associations;
mod bootstrap;
mod changed_lists;
mod changing;
mod customers;
mod equal;
mod events;
mod housekeeping;
mod idempotency;
mod isolation;
mod keys;
mod lists;
mod mappings;
mod onboarding;
mod once;
mod races;
mod refusals;
mod renaming;
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

use std::{fmt, sync::Arc};

use futures_util::lock::Mutex;

use self::world::World;
use crate::{
    customer::CustomerRepository,
    event::EventLog,
    idempotency::IdempotencyRecords,
    onboarding::OnboardingRepository,
    page::PageRequest,
    retention::Housekeeping,
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
///     tenancy: store.clone(),
///     keys: store.clone(),
///     events: store.clone(),
///     webhooks: store.clone(),
///     records: store.clone(),
///     onboarding: store.clone(),
///     housekeeping: store,
/// };
/// ```
#[derive(Clone)]
pub struct Ports {
    /// Keeps customers.
    pub customers: Arc<dyn CustomerRepository>,
    /// Keeps tax rates and associations.
    pub taxes: Arc<dyn TaxRepository>,
    /// Keeps tenants and environments.
    pub tenancy: Arc<dyn TenancyRepository>,
    /// Keeps API keys.
    pub keys: Arc<dyn ApiKeyRepository>,
    /// Keeps the log of events.
    pub events: Arc<dyn EventLog>,
    /// Keeps webhook endpoints and deliveries.
    pub webhooks: Arc<dyn WebhookRepository>,
    /// Tells what was done under idempotency keys.
    pub records: Arc<dyn IdempotencyRecords>,
    /// Keeps onboarding workflows and runs.
    pub onboarding: Arc<dyn OnboardingRepository>,
    /// Clears away what has served its time.
    pub housekeeping: Arc<dyn Housekeeping>,
}

/// What a run of the suite found.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::testkit::{MemoryStore, contract};
///
/// let report = futures::executor::block_on(contract::check_customers(Arc::new(MemoryStore::default()), 0));
/// println!("{report}");
/// assert!(report.is_clean());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The obligations that were met.
    pub passed: Vec<&'static str>,
    /// The others.
    pub broken: Vec<Broken>,
    /// Those that only a store with more ports can show; see [`check_customers`].
    pub left_out: Vec<&'static str>,
}

/// An obligation that was not met.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::testkit::{MemoryStore, contract};
///
/// let report = futures::executor::block_on(contract::check_customers(Arc::new(MemoryStore::default()), 0));
/// report.broken.iter().for_each(|broken| println!("{}: {}", broken.obligation, broken.what));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The obligation, as in `customers.create: of concurrent creates of one external id exactly one succeeds`.
    pub obligation: &'static str,
    /// What was seen instead.
    pub what: String,
}

impl Report {
    /// Whether every obligation was met.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty()
    }

    /// For tests: lets a store pass that meets every obligation.
    ///
    /// # Panics
    /// With the list of the broken obligations, when there is one.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.is_clean(), "{self}");
    }

    fn note(&mut self, obligation: &'static str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed.push(obligation),
            Err(what) if what.contains(NOT_HERE) => self.left_out.push(obligation),
            Err(what) => self.broken.push(Broken { obligation, what }),
        }
    }
}

/// What a port says that is not part of the store under test.
const NOT_HERE: &str = "this port is not part of the store under test";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} obligations met, {} broken", self.passed.len(), self.broken.len())?;
        if !self.left_out.is_empty() {
            write!(f, ", {} left out", self.left_out.len())?;
        }
        self.broken.iter().try_for_each(|Broken { obligation, what }| write!(f, "\n- {obligation}\n  {what}"))
    }
}

/// Puts a store through every obligation that a store in use can show. It makes tenants and environments of its own and
/// leaves what others have alone, so it can run against one database again and again; but only one run at a time, and
/// while nobody else makes tenants there. [`check_seeded`] lets runs go side by side.
pub async fn check(ports: &Ports) -> Report {
    // Every run leaves more tenants, so their number tells runs over one store apart without any randomness.
    let tenants = ports.tenancy.tenants(&SystemScope::patron(), PageRequest::default()).await;
    check_seeded(ports, tenants.map_or(0, |page| page.total)).await
}

/// As [`check`] does, with ids and secrets made from a seed below 2^37. Runs over one store need different seeds.
pub async fn check_seeded(ports: &Ports, seed: u64) -> Report {
    let world = World::new(ports, seed << 1);
    let mut report = Report::default();
    all_but_lists(&world, &mut report).await;
    lists::check(&world, &mut report).await;
    report
}

/// Everything but the lists of customers, which take longer than all the rest.
async fn all_but_lists(world: &World<'_>, report: &mut Report) {
    round_trip::check(world, report).await;
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
    changed_lists::check(world, report).await;
    events::check(world, report).await;
    housekeeping::check(world, report).await;
    over_all_environments(world, report).await;
    tax_rates::check(world, report).await;
    tax_defaults::check(world, report).await;
    tax_amendments::check(world, report).await;
    tax_lists::check(world, report).await;
    associations::check(world, report).await;
    tenancy::check(world, report).await;
    keys::check(world, report).await;
    bootstrap::check(world, report).await;
}

/// What claims, or removes what is old, goes over all environments: two runs of one process over one store would take each
/// other's leases, runs and deliveries.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The obligations on what such calls reach.
async fn over_all_environments(world: &World<'_>, report: &mut Report) {
    let _turn = ONE_AT_A_TIME.lock().await;
    once::check(world, report).await;
    webhooks::check(world, report).await;
    webhooks_once::check(world, report).await;
    onboarding::check(world, report).await;
}

/// Puts a store that keeps customers and nothing else through the obligations of [`CustomerRepository`] that can be seen
/// without tax rates; the others are in [`Report::left_out`]. The seed is as for [`check_seeded`].
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::testkit::{MemoryStore, contract};
///
/// # futures::executor::block_on(async {
/// let report = contract::check_customers(Arc::new(MemoryStore::default()), 0).await;
/// report.assert_clean();
/// assert!(report.passed.iter().all(|obligation| obligation.starts_with("customers.")));
/// # });
/// ```
pub async fn check_customers(customers: Arc<dyn CustomerRepository>, seed: u64) -> Report {
    let (elsewhere, absent) = (Arc::new(MemoryStore::default()), Faults::default());
    absent.fail_every_call(StoreError::Failed { reason: NOT_HERE.to_owned() });
    let ports = Ports {
        customers,
        taxes: absent.over(elsewhere.clone()),
        tenancy: elsewhere.clone(),
        keys: absent.over(elsewhere.clone()),
        events: absent.over(elsewhere.clone()),
        // Nothing of it is about customers.
        webhooks: elsewhere.clone(),
        onboarding: elsewhere.clone(),
        records: absent.over(elsewhere.clone()),
        housekeeping: absent.over(elsewhere),
    };
    let mut report = check_seeded(&ports, seed).await;
    let of_customers = |obligation: &str| obligation.starts_with("customers.");
    report.passed.retain(|obligation| of_customers(obligation));
    report.broken.retain(|broken| of_customers(broken.obligation));
    report.left_out.retain(|obligation| of_customers(obligation));
    report
}

/// Puts a store without any tenant through the obligations that only such a store can show. It leaves one tenant.
pub async fn check_empty(ports: &Ports) -> Report {
    let world = World::new(ports, 1);
    let mut report = Report::default();
    bootstrap::check_empty(&world, &mut report).await;
    idempotency::check_empty(&world, &mut report).await;
    report
}
