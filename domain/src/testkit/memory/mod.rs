//! A store in memory with all repository ports.

mod audit;
mod chain;
mod custom_fields;
mod customers;
mod events;
mod find;
mod idempotency;
mod keys;
mod onboarding;
mod privacy;
mod taxes;
mod tenancy;
mod webhooks;
mod writing;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use self::{
    chain::Chain,
    keys::StoredKey,
    onboarding::StoredRun,
    privacy::{StoredDeletion, Withheld},
    webhooks::StoredEndpoint,
};
use crate::{
    audit::AuditEntry,
    custom_field::{CustomFieldDefinition, CustomFieldKey},
    customer::CustomerAggregate,
    event::EventRecord,
    idempotency::{IdempotencyKey, IdempotencyRecord},
    ids::{
        ApiKeyId, CustomerId, DeletionRequestId, EnvironmentId, TaxAssociationId, TaxRateId, TenantId,
        WebhookEndpointId, WorkflowId,
    },
    lifecycle::Owner,
    onboarding::{Workflow, WorkflowName},
    page::{Page, PageRequest},
    privacy::{RetentionSetting, SubjectTag},
    store::StoreError,
    tax::{TaxAssociation, TaxRate},
    tenancy::{Environment, Tenant},
    time::Timestamp,
};

/// Keeps everything in memory, for tests and experiments. One value implements all ports and is shared through an
/// `Arc`.
///
/// It passes the [`contract`](super::contract), except durability: the data ends with the value.
///
/// ```
/// use patron_domain::{
///     customer::CustomerRepository,
///     ids::IdSequence,
///     testkit::{MemoryStore, a_customer, a_scope, a_time},
/// };
///
/// # futures::executor::block_on(async {
/// let store = MemoryStore::default();
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// let id = store.change(&a_scope(), command).await.unwrap().event.state.customer.id;
/// assert!(CustomerRepository::find(&store, &a_scope(), id).await.unwrap().is_some());
/// # });
/// ```
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tenants: BTreeMap<TenantId, Tenant>,
    environments: BTreeMap<(TenantId, EnvironmentId), Environment>,
    registries: HashMap<Owner, Registry>,
}

/// The data of one environment. It is only reached through the environment's owner.
#[derive(Clone, Default)]
struct Registry {
    customers: BTreeMap<CustomerId, CustomerAggregate>,
    /// The environment's defaults, including those that are not published.
    defaults: BTreeMap<TaxAssociationId, TaxAssociation>,
    /// Every event, in the order of positions.
    log: Vec<EventRecord>,
    /// Their chain.
    chain: Chain,
    idempotency: BTreeMap<IdempotencyKey, IdempotencyRecord>,
    rates: BTreeMap<TaxRateId, TaxRate>,
    custom_fields: BTreeMap<CustomFieldKey, CustomFieldDefinition>,
    keys: BTreeMap<ApiKeyId, StoredKey>,
    /// The oldest first.
    audit: Vec<AuditEntry>,
    endpoints: BTreeMap<WebhookEndpointId, StoredEndpoint>,
    /// The workflow version that new customers get.
    workflows: BTreeMap<Option<WorkflowName>, WorkflowId>,
    versions: BTreeMap<WorkflowId, Workflow>,
    runs: BTreeMap<CustomerId, StoredRun>,
    /// Suppressed customers. They are in no other place, so nothing else finds them.
    withheld: BTreeMap<CustomerId, Withheld>,
    deletions: BTreeMap<DeletionRequestId, StoredDeletion>,
    retention: Option<RetentionSetting>,
    /// What remains of the external ids of suppressed and erased customers.
    subjects: BTreeSet<(SubjectTag, DeletionRequestId)>,
}

impl MemoryStore {
    /// The state, for one call. Writes check first and insert last, so an earlier panic cannot leave a partial write,
    /// and a poisoned lock can still be used.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The environments whose tenant is not suspended.
    fn awake(&mut self) -> impl Iterator<Item = &mut Registry> {
        let tenants = &self.tenants;
        let suspended =
            |owner: &Owner| tenants.get(&owner.tenant_id).is_some_and(|tenant| tenant.suspended_at.is_some());
        self.registries.iter_mut().filter(move |(owner, _)| !suspended(owner)).map(|(_, registry)| registry)
    }

    fn registry(&mut self, owner: Owner) -> &mut Registry {
        self.registries.entry(owner).or_default()
    }
}

/// The error of a write whose id already exists: the id generator broke its contract.
fn id_taken(kind: &str) -> StoreError {
    StoreError::Failed { reason: format!("another {kind} already has this id") }
}

/// A page of a sorted list.
fn page<T: Clone>(all: Vec<&T>, request: PageRequest) -> Page<T> {
    let Page { items, total } = Page::cut(all, request);
    Page { items: items.into_iter().cloned().collect(), total }
}

/// Sorts a list, the newest first (ids break ties), and cuts a page from it.
fn newest_first<'a, T: Clone + 'a, I: Ord>(
    all: impl Iterator<Item = &'a T>,
    created: impl Fn(&T) -> (Timestamp, I),
    request: PageRequest,
) -> Page<T> {
    let mut all: Vec<&T> = all.collect();
    all.sort_by_key(|item| Reverse(created(item)));
    page(all, request)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::executor::block_on;

    use super::MemoryStore;
    use crate::{
        customer::CustomerRepository,
        ids::IdSequence,
        testkit::{a_customer, a_scope, a_time},
    };

    #[test]
    fn a_poisoned_lock_can_still_be_used() {
        let store = Arc::new(MemoryStore::default());
        let poisoner = store.clone();
        let panicked = std::thread::spawn(move || {
            let _held = poisoner.lock();
            panic!("while the lock is held");
        });
        assert!(panicked.join().is_err());
        let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
        assert!(block_on(store.change(&a_scope(), command)).is_ok());
    }
}
