//! Many changes in one request.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use super::{
    ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerService, Precondition, ReadError,
    change::Name,
};
use crate::{
    idempotency::{Done, IdempotencyClaim, IdempotentRequest, OnceError},
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission, PermissionDenied},
    time::Timestamp,
};

/// One change of a batch.
///
/// ```
/// use patron_domain::{customer::{BatchItem, CustomerChange, Precondition}, testkit::a_customer};
///
/// let create = BatchItem { change: CustomerChange::Create(a_customer("acme").build()), only_if: Precondition::None };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BatchItem {
    /// The change.
    pub change: CustomerChange,
    /// The version that the customer must have.
    pub only_if: Precondition,
}

/// A batch is refused, because one of its changes is.
///
/// ```
/// use patron_domain::customer::{BatchRefused, ChangeCustomerError};
///
/// let refused = BatchRefused { item: Some(3), error: ChangeCustomerError::UnknownCustomer };
/// assert_eq!(refused.to_string(), "change 3 is refused: there is no such customer");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", match item {
    Some(item) => format!("change {item} is refused: {error}"),
    None => error.to_string(),
})]
pub struct BatchRefused {
    /// The number of the refused change, from 0. `None` if the error concerns the whole batch.
    pub item: Option<usize>,
    /// Why it is refused.
    #[source]
    pub error: ChangeCustomerError,
}

/// An error that concerns the whole batch.
macro_rules! whole {
    ($($error:ty),+) => {$(
        impl From<$error> for BatchRefused {
            fn from(error: $error) -> Self {
                Self { item: None, error: error.into() }
            }
        }
    )+};
}

whole!(ChangeCustomerError, PermissionDenied, StoreError);

/// Changes many customers at once.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::CustomerBatches,
///     ids::IdSequence,
///     testkit::{MemoryStore, a_customer, a_scope, a_time},
/// };
///
/// # futures::executor::block_on(async {
/// let batches: Arc<dyn CustomerBatches> = Arc::new(MemoryStore::default());
/// let create = |name: &str, seed| a_customer(name).command(IdSequence::start(a_time(), [seed; 10]), a_time());
/// let changed = batches.change_all(&a_scope(), vec![create("a", 1), create("b", 2)]).await.unwrap();
/// assert_eq!(changed.len(), 2);
/// // The second one is refused, so nothing is changed.
/// let refused = batches.change_all(&a_scope(), vec![create("c", 3), create("a", 4)]).await.unwrap_err();
/// assert_eq!(refused.item, Some(1));
/// assert!(batches.change_all(&a_scope(), vec![create("c", 5)]).await.is_ok());
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CustomerBatches: Send + Sync {
    /// Makes all changes in one transaction, in their order, each decided on the state that the ones before it left. The
    /// obligations of [`CustomerRepository::change`](super::CustomerRepository::change) hold for each change.
    ///
    /// If one is refused, the method MUST change nothing, and return the first refusal with the number of its change.
    async fn change_all(
        &self,
        scope: &EnvironmentScope,
        commands: Vec<ChangeCustomer>,
    ) -> Result<Vec<CustomerChanged>, BatchRefused>;

    /// Keeps the key of a request that begins, so that another request with this key is refused. The work of the request
    /// has keys of its own. Returns whether the key was kept before.
    async fn begin(
        &self,
        scope: &EnvironmentScope,
        claim: IdempotencyClaim,
        at: Timestamp,
    ) -> Result<Done<()>, OnceError>;
}

/// Many changes in one request, with permission checks.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::{BatchItem, BatchService, CustomerChange, CustomerService, DEFAULT_IDEMPOTENCY_TTL, Precondition},
///     tenancy::Quotas,
///     testkit::{CountingIds, FixedClock, MemoryStore, a_caller, a_customer},
/// };
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let customers = CustomerService {
///     customers: store.clone(),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
///     quotas: Quotas::default(),
/// };
/// let service = BatchService { customers, batches: store };
/// let create = |external_id| BatchItem {
///     change: CustomerChange::Create(a_customer(external_id).build()),
///     only_if: Precondition::None,
/// };
/// let refused = service.change_all(&a_caller(), vec![create("acme"), create("acme")], None).await.unwrap_err();
/// assert_eq!(refused.item, Some(1));
/// # });
/// ```
#[derive(Clone)]
pub struct BatchService {
    /// Single changes.
    pub customers: CustomerService,
    /// The store.
    pub batches: Arc<dyn CustomerBatches>,
}

impl BatchService {
    /// The most changes of a batch.
    pub const MAX: usize = 1_000;
    /// The most changes of an atomic batch.
    pub const MAX_ATOMIC: usize = 100;

    /// Makes all changes in one transaction, in their order, or none.
    ///
    /// # Errors
    /// The first refusal. After an error nothing is changed.
    pub async fn change_all(
        &self,
        caller: &Caller,
        items: Vec<BatchItem>,
        request: Option<&IdempotentRequest>,
    ) -> Result<Vec<CustomerChanged>, BatchRefused> {
        let scope = caller.authorise(Permission::Write)?;
        let command = |(number, item): (usize, BatchItem)| {
            let request = request.map(|request| request.of_item(number));
            self.customers.command(caller, item.change, item.only_if, request).map(|(_, command)| command)
        };
        let commands = items.into_iter().enumerate().map(command).collect::<Result<_, _>>()?;
        self.batches.change_all(scope, commands).await
    }

    /// Begins a batch whose changes are made one by one, by [`Self::change`].
    ///
    /// # Errors
    /// When the caller may not write, the key belongs to another request, or the store fails.
    pub async fn begin(&self, caller: &Caller, request: &IdempotentRequest) -> Result<(), ChangeCustomerError> {
        let scope = caller.authorise(Permission::Write)?;
        let (claim, at) = self.customers.claim(request.clone());
        self.batches.begin(scope, claim, at).await?;
        Ok(())
    }

    /// Makes one change of a batch.
    ///
    /// # Errors
    /// See [`ChangeCustomerError`].
    pub async fn change(
        &self,
        caller: &Caller,
        number: usize,
        item: BatchItem,
        request: Option<&IdempotentRequest>,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let request = request.map(|request| request.of_item(number));
        self.customers.change(caller, item.change, item.only_if, request).await
    }

    /// The numbers of the changes, in groups that do not affect one another. The changes of a group concern one customer,
    /// or may do so, and must be made in their order.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn groups(&self, caller: &Caller, changes: &[&CustomerChange]) -> Result<Vec<Vec<usize>>, ReadError> {
        let names: Vec<_> = changes.iter().map(|change| change.names()).collect();
        let by_external_id = names.iter().flatten().any(|name| matches!(name, Name::ExternalId(_)));
        let mut known = Vec::new();
        if by_external_id {
            for name in names.iter().flatten() {
                let Name::Id(id) = name else { continue };
                known.extend(self.customers.find(caller, *id).await?.map(|record| (*id, record.customer.external_id)));
            }
        }
        let known: BTreeMap<_, _> = known.iter().map(|(id, external_id)| (Name::Id(*id), external_id)).collect();
        Ok(groups(names.into_iter().map(|names| {
            let also = names.iter().filter_map(|name| known.get(name)).map(|external_id| Name::ExternalId(external_id));
            let also: Vec<_> = also.collect();
            [names, also].concat()
        })))
    }
}

/// The numbers of the items, in groups: items with a common name are in one group. The groups, and the items of each, are
/// in order.
fn groups<'a>(items: impl Iterator<Item = Vec<Name<'a>>>) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // The group of each name, as its index.
    let mut of_name: BTreeMap<Name<'a>, usize> = BTreeMap::new();
    for (number, names) in items.enumerate() {
        let mut joined: Vec<usize> = names.iter().filter_map(|name| of_name.get(name)).copied().collect();
        joined.sort_unstable();
        joined.dedup();
        let (group, others) = match joined.split_first() {
            Some((first, others)) => (*first, others),
            None => {
                groups.push(Vec::new());
                (groups.len() - 1, [].as_slice())
            }
        };
        for other in others {
            let members = groups.get_mut(*other).map(std::mem::take).unwrap_or_default();
            groups[group].extend(members);
            of_name.values_mut().filter(|of| *of == other).for_each(|of| *of = group);
        }
        groups[group].push(number);
        of_name.extend(names.into_iter().map(|name| (name, group)));
    }
    groups.retain(|group| !group.is_empty());
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        customer::{Amendment, DEFAULT_IDEMPOTENCY_TTL, ExternalId},
        idempotency::{Fingerprint, IdempotencyKey},
        ids::CustomerId,
        tenancy::Quotas,
        testkit::{CountingIds, FixedClock, MemoryStore, a_caller, a_customer, a_reader},
    };

    fn service() -> BatchService {
        let store = Arc::new(MemoryStore::default());
        let customers = CustomerService {
            customers: store.clone(),
            clock: Arc::new(FixedClock::default()),
            ids: Arc::new(CountingIds::default()),
            idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
            quotas: Quotas::default(),
        };
        BatchService { customers, batches: store }
    }

    fn item(change: CustomerChange) -> BatchItem {
        BatchItem { change, only_if: Precondition::None }
    }

    fn create(name: &str) -> BatchItem {
        item(CustomerChange::Create(a_customer(name).build()))
    }

    fn archive(name: &str) -> BatchItem {
        item(CustomerChange::AmendNamed(ExternalId::new(name).unwrap(), Amendment::Archive))
    }

    fn request(key: &str) -> IdempotentRequest {
        IdempotentRequest { key: IdempotencyKey::new(key).unwrap(), fingerprint: Fingerprint::from_bytes([7; 32]) }
    }

    #[test]
    fn items_with_a_common_name_are_in_one_group_and_keep_their_order() {
        let names: Vec<_> = ["a", "b", "c"].map(|name| ExternalId::new(name).unwrap()).into();
        let [a, b, c] = [0, 1, 2].map(|number: usize| Name::ExternalId(&names[number]));
        let id = Name::Id(CustomerId::from_u128(1));
        let found = groups([vec![a], vec![b], vec![id], vec![c], vec![a], vec![b, id], vec![id]].into_iter());
        assert_eq!(found, [vec![0, 4], vec![1, 2, 5, 6], vec![3]]);
        assert!(groups(std::iter::empty()).is_empty());
    }

    #[test]
    fn an_id_and_an_external_id_of_one_customer_are_in_one_group() {
        block_on(async {
            let (service, caller) = (service(), a_caller());
            let made = service.change(&caller, 0, create("acme"), None).await.unwrap().event.state.customer.id;
            let changes = [archive("other"), item(CustomerChange::Amend(made, Amendment::Restore)), archive("acme")];
            let changes: Vec<_> = changes.iter().map(|item| &item.change).collect();
            assert_eq!(service.groups(&caller, &changes).await.unwrap(), [vec![0], vec![1, 2]]);
            // Ids alone need no look-up.
            assert_eq!(service.groups(&caller, &changes[1..2]).await.unwrap(), [vec![0]]);
        });
    }

    #[test]
    fn an_atomic_batch_is_done_completely_or_not_at_all() {
        block_on(async {
            let (service, caller) = (service(), a_caller());
            let refused = service.change_all(&caller, vec![create("a"), create("b"), create("a")], None).await;
            let refused = refused.unwrap_err();
            assert_eq!(refused.item, Some(2));
            assert!(matches!(refused.error, ChangeCustomerError::ExternalIdTaken { .. }));
            // Each is decided on the state that the ones before it left.
            let done = service.change_all(&caller, vec![create("a"), archive("a"), create("a")], None).await.unwrap();
            let versions: Vec<_> = done.iter().map(|changed| changed.event.sequence.get()).collect();
            assert_eq!(versions, [1, 2, 1]);
            assert!(service.change_all(&a_reader(), vec![create("c")], None).await.is_err());
        });
    }

    #[test]
    fn a_repeated_batch_gets_its_first_results() {
        block_on(async {
            let (service, caller, request) = (service(), a_caller(), request("batch"));
            let once = || service.change_all(&caller, vec![create("a"), create("b")], Some(&request));
            let (first, second) = (once().await.unwrap(), once().await.unwrap());
            assert!(first.iter().all(|changed| !changed.replayed) && second.iter().all(|changed| changed.replayed));
            let events = |changed: &[CustomerChanged]| changed.iter().map(|one| one.event.id).collect::<Vec<_>>();
            assert_eq!(events(&first), events(&second));
        });
    }

    #[test]
    fn a_key_begins_one_batch_only() {
        block_on(async {
            let (service, caller, request) = (service(), a_caller(), request("batch"));
            assert_eq!(service.begin(&caller, &request).await, Ok(()));
            assert_eq!(service.begin(&caller, &request).await, Ok(()));
            let other = IdempotentRequest { fingerprint: Fingerprint::from_bytes([8; 32]), ..request.clone() };
            assert!(matches!(service.begin(&caller, &other).await, Err(ChangeCustomerError::KeyReused(_))));
            // The keys of the items differ from the key of the batch.
            assert!(!service.change(&caller, 0, create("a"), Some(&request)).await.unwrap().replayed);
            assert!(service.change(&caller, 0, create("a"), Some(&request)).await.unwrap().replayed);
        });
    }
}
