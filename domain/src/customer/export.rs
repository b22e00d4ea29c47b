//! Exports: all customers as of one moment, read in parts.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CustomerAggregate, ReadError, query::CustomerQuery};
use crate::{
    clock::Clock,
    event::{EventEntity, EventLog, Moment, Past},
    ids::CustomerId,
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission},
    time::Timestamp,
};

/// Reads customers by their ids.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{customer::CustomerParts, testkit::{MemoryStore, a_scope}};
///
/// # futures::executor::block_on(async {
/// let customers: Arc<dyn CustomerParts> = Arc::new(MemoryStore::default());
/// assert!(customers.customers_after(&a_scope(), None, 10).await.unwrap().is_empty());
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CustomerParts: Send + Sync {
    /// Customers of any status after an id, in the order of their ids. A part MAY be shorter than the limit, because
    /// customers are large; it is empty only after the last one.
    async fn customers_after(
        &self,
        scope: &EnvironmentScope,
        after: Option<CustomerId>,
        limit: u16,
    ) -> Result<Vec<CustomerAggregate>, StoreError>;
}

/// Exports, with permission checks.
///
/// A part is a short read, so a slow client holds no transaction open. Customers that were changed after the moment are
/// looked up as they were then.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::{ExportService, query::{CustomerQuery, CustomerQueryParts}},
///     testkit::{FixedClock, MemoryStore, a_caller},
/// };
///
/// # futures::executor::block_on(async {
/// let store = Arc::new(MemoryStore::default());
/// let service = ExportService { parts: store.clone(), events: store, clock: Arc::new(FixedClock::default()) };
/// let moment = service.moment();
/// let all = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
/// let part = service.part(&a_caller(), &all, moment, None).await.unwrap();
/// assert_eq!((part.customers.len(), part.next), (0, None));
/// # });
/// ```
#[derive(Clone)]
pub struct ExportService {
    /// The customers as they are.
    pub parts: Arc<dyn CustomerParts>,
    /// The customers as they were.
    pub events: Arc<dyn EventLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// A part of an export.
///
/// ```
/// use patron_domain::customer::ExportPart;
///
/// let end = ExportPart { customers: Vec::new(), next: None };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExportPart {
    /// The customers that match.
    pub customers: Vec<CustomerAggregate>,
    /// The place after this part; `None` at the end.
    pub next: Option<CustomerId>,
}

impl ExportService {
    /// The customers of a part.
    const PART: u16 = 200;

    /// The moment of an export that begins now.
    #[must_use]
    pub fn moment(&self) -> Timestamp {
        self.clock.now()
    }

    /// The next part of the customers that a query finds, as of a moment. The page and the order of the query do not count.
    ///
    /// # Errors
    /// When the caller may not read, or the store fails.
    pub async fn part(
        &self,
        caller: &Caller,
        query: &CustomerQuery,
        moment: Timestamp,
        after: Option<CustomerId>,
    ) -> Result<ExportPart, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        let found = self.parts.customers_after(scope, after, Self::PART).await?;
        let next = found.last().map(|one| one.customer.id);
        let mut customers = Vec::with_capacity(found.len());
        for customer in found {
            let then = match customer.customer.audit.updated_at > moment {
                true => self.then(scope, customer.customer.id, moment).await?,
                false => Some(customer),
            };
            customers.extend(then.filter(|customer| query.finds(&customer.customer)));
        }
        Ok(ExportPart { customers, next })
    }

    /// A customer as it was at a moment; `None` if it did not exist.
    async fn then(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        moment: Timestamp,
    ) -> Result<Option<CustomerAggregate>, StoreError> {
        match self.events.past(scope, EventEntity::Customer(id), Moment::At(moment)).await? {
            Past::State(state) => Ok(state.into_customer()),
            Past::Absent => Ok(None),
            Past::Removed { .. } => {
                let reason = "the state of a customer at the beginning of the export was removed meanwhile".to_owned();
                Err(StoreError::Failed { reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        customer::{
            Amendment, ChangeCustomer, CustomerChange, CustomerName, CustomerRepository, CustomerUpdate,
            query::CustomerQueryParts,
        },
        ids::IdSequence,
        patch::Patch,
        testkit::{FixedClock, MemoryStore, a_caller, a_customer, a_scope, a_time},
    };

    #[test]
    fn an_export_shows_one_moment() {
        block_on(async {
            let store = Arc::new(MemoryStore::default());
            let second = std::time::Duration::from_secs(1);
            let later = a_time().later(second).later(second);
            let create = |name: &str, seed: u8, at| a_customer(name).command(IdSequence::start(at, [seed; 10]), at);
            let mut ids = Vec::new();
            for (name, seed) in [("a", 1), ("b", 2), ("c", 3)] {
                let done = store.change(&a_scope(), create(name, seed, a_time())).await.unwrap();
                ids.push(done.event.state.customer.id);
            }
            let amend = |id, amendment, seed| {
                let command = create("x", seed, later);
                ChangeCustomer { change: CustomerChange::Amend(id, amendment), ..command }
            };
            let name = Patch::Set(CustomerName::new("New").unwrap());
            let rename = CustomerUpdate { name, ..CustomerUpdate::default() };
            store.change(&a_scope(), amend(ids[0], Amendment::Update(Box::new(rename)), 4)).await.unwrap();
            store.change(&a_scope(), amend(ids[1], Amendment::Archive, 5)).await.unwrap();
            store.change(&a_scope(), create("d", 6, later)).await.unwrap();
            let clock = Arc::new(FixedClock::default());
            let service = ExportService { parts: store.clone(), events: store, clock };
            let query = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
            let part = async |moment, after| service.part(&a_caller(), &query, moment, after).await.unwrap();
            let names = |part: &ExportPart| {
                part.customers.iter().map(|one| one.customer.external_id.as_str().to_owned()).collect::<Vec<_>>()
            };
            let then = part(a_time().later(second), None).await;
            assert_eq!(names(&then), ["a", "b", "c"]);
            assert!(then.customers[0].customer.profile.name.is_none());
            assert_eq!(part(a_time().later(second), then.next).await, ExportPart { customers: Vec::new(), next: None });
            let now = part(later, None).await;
            assert_eq!(names(&now), ["a", "c", "d"]);
        });
    }
}
