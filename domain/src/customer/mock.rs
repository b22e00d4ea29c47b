//! Ready-made mocks of the customer ports.

use super::{
    Customer, CustomerAggregate, CustomerChanged, CustomerFacts, MockCustomerRepository, Subject, query::CustomerQuery,
};
use crate::{
    lifecycle::{Owner, Status},
    page::Page,
    store::StoreError,
};

/// The error of a mocked store that is never available.
fn unavailable() -> StoreError {
    StoreError::unavailable("this mock is never available")
}

impl MockCustomerRepository {
    /// A store without customers, tax rates or defaults. It decides each change like a store that finds nothing, and
    /// does not keep the result: creates succeed, changes of existing customers are refused.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use patron_domain::{MockClock, customer::*, ids::MockIdGenerator, testkit::{a_caller, a_customer, a_time}};
    ///
    /// let service = CustomerService {
    ///     customers: Arc::new(MockCustomerRepository::empty()),
    ///     clock: Arc::new(MockClock::at(a_time())),
    ///     ids: Arc::new(MockIdGenerator::from_time()),
    ///     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
    ///     quotas: patron_domain::tenancy::Quotas::default(),
    /// };
    /// # futures::executor::block_on(async {
    /// let created = service.create(&a_caller(), a_customer("acme").build(), None).await?;
    /// assert_eq!(created.event.at, a_time());
    /// # Ok::<_, ChangeCustomerError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn empty() -> Self {
        Self::holding(None)
    }

    /// A store with one customer that never changes. It decides each change on this customer, returns the result and
    /// does not keep it. As in every store, only the customer's owner sees it. There are no tax rates and no defaults,
    /// and the history is empty.
    ///
    /// ```
    /// # use patron_domain::{customer::*, testkit::{a_customer, a_scope}};
    /// let acme = a_customer("acme").named("Acme Ltd").existing();
    /// let customers = MockCustomerRepository::with(acme.clone());
    /// let found = futures::executor::block_on(customers.find(&a_scope(), acme.customer.id)).unwrap();
    /// assert_eq!(found.map(|record| record.customer), Some(acme.customer));
    /// ```
    #[must_use]
    pub fn with(customer: CustomerAggregate) -> Self {
        Self::holding(Some(customer))
    }

    /// A store that cannot be reached: every call returns [`StoreError::Unavailable`].
    ///
    /// ```
    /// # use patron_domain::{customer::*, store::StoreError, testkit::{a_scope, an_id}};
    /// let customers = MockCustomerRepository::always_unavailable();
    /// let answer = futures::executor::block_on(customers.find(&a_scope(), an_id(1)));
    /// assert!(matches!(answer, Err(StoreError::Unavailable { .. })));
    /// ```
    #[must_use]
    pub fn always_unavailable() -> Self {
        let mut customers = Self::new();
        customers.expect_change().returning(|_, _| Err(unavailable().into()));
        customers.expect_find().returning(|_, _| Err(unavailable()));
        customers.expect_find_by_external_id().returning(|_, _| Err(unavailable()));
        customers.expect_mappings().returning(|_, _, _| Err(unavailable()));
        customers.expect_history().returning(|_, _, _| Err(unavailable()));
        customers.expect_list().returning(|_, _| Err(unavailable()));
        customers
    }

    fn holding(customer: Option<CustomerAggregate>) -> Self {
        let mut customers = Self::new();
        let held = Held(customer);
        let one = held.clone();
        customers.expect_change().returning(move |scope, command| {
            let seen = one.seen_by(scope.owner);
            let current = seen.filter(|one| is_subject(command.subject(), &one.customer)).cloned();
            let wanted = command.wanted_external_id(current.as_ref());
            let has_it = |one: &&CustomerAggregate| {
                one.customer.status == Status::Published && Some(&one.customer.external_id) == wanted
            };
            let holder = seen.filter(has_it).map(|one| one.customer.id);
            let event = command.decide(scope, &CustomerFacts { current, holder, ..CustomerFacts::default() })?.event;
            Ok(CustomerChanged { event, replayed: false })
        });
        let one = held.clone();
        customers.expect_find().returning(move |scope, id| {
            Ok(one.seen_by(scope.owner).filter(|one| one.customer.id == id).map(CustomerAggregate::record))
        });
        let one = held.clone();
        customers.expect_find_by_external_id().returning(move |scope, external_id| {
            let seen = one.seen_by(scope.owner);
            let published = seen.filter(|one| one.customer.status == Status::Published);
            Ok(published.filter(|one| one.customer.external_id == *external_id).map(CustomerAggregate::record))
        });
        let one = held.clone();
        customers.expect_mappings().returning(move |scope, filter, page| {
            let all = one.seen_by(scope.owner).into_iter().flat_map(|one| &one.mappings);
            Ok(Page::cut(all.filter(|mapping| filter.admits(mapping)).cloned().collect(), page))
        });
        customers.expect_history().returning(|_, _, page| Ok(Page::cut(Vec::new(), page)));
        customers.expect_list().returning(move |scope, query| Ok(list(held.seen_by(scope.owner), query)));
        customers
    }
}

/// At most one customer.
#[derive(Clone)]
struct Held(Option<CustomerAggregate>);

impl Held {
    fn seen_by(&self, owner: Owner) -> Option<&CustomerAggregate> {
        self.0.as_ref().filter(|one| one.customer.owner == owner)
    }
}

fn is_subject(subject: Subject<'_>, customer: &Customer) -> bool {
    match subject {
        Subject::New => false,
        Subject::Id(id) => customer.id == id,
        Subject::ExternalId(external_id) => {
            customer.status == Status::Published && customer.external_id == *external_id
        }
    }
}

fn list(held: Option<&CustomerAggregate>, query: &CustomerQuery) -> super::query::CustomerPage {
    let found = query.evaluate(held.map(|one| &one.customer));
    let records = held.filter(|_| !found.items.is_empty()).map(CustomerAggregate::record).map(|mut record| {
        if !query.with_mappings() {
            record.mappings.clear();
        }
        record
    });
    let total = query.with_total().then_some(u64::from(found.total > 0));
    query.page_of(records.into_iter().collect(), total)
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        customer::{
            Amendment, ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerRepository, MappingFilter, Stamp,
            query::CustomerQueryParts,
        },
        ids::IdSequence,
        page::PageRequest,
        testkit::{a_customer, a_scope, a_time, an_id},
    };

    fn archive(id: crate::ids::CustomerId) -> ChangeCustomer {
        let stamp = Stamp { ids: IdSequence::start(a_time(), [1; 10]), at: a_time(), request_id: None };
        ChangeCustomer::new(CustomerChange::Amend(id, Amendment::Archive), stamp)
    }

    #[test]
    fn the_one_customer_is_found_by_its_owner_in_every_way() {
        let acme = a_customer("acme").linked("stripe", "cus_1").existing();
        let customers = MockCustomerRepository::with(acme.clone());
        let query = CustomerQuery::new(CustomerQueryParts::default()).unwrap();
        let mut abroad = a_scope();
        abroad.owner.tenant_id = an_id(2);
        for (scope, count) in [(a_scope(), 1), (abroad, 0)] {
            let found = block_on(customers.find(&scope, acme.customer.id)).unwrap();
            assert_eq!(found.map_or(0, |record| record.mappings.len()), count);
            let named = block_on(customers.find_by_external_id(&scope, &acme.customer.external_id)).unwrap();
            assert_eq!(named.iter().count(), count);
            assert_eq!(block_on(customers.list(&scope, &query)).unwrap().items.len(), count);
            let filter = MappingFilter::Customer(acme.customer.id);
            let mappings = block_on(customers.mappings(&scope, &filter, PageRequest::default())).unwrap();
            assert_eq!(mappings.items.len(), count);
        }
    }

    #[test]
    fn changes_are_decided_on_the_one_customer_or_on_none() {
        let acme = a_customer("acme").existing();
        let id = acme.customer.id;
        let customers = MockCustomerRepository::with(acme);
        let changed = block_on(customers.change(&a_scope(), archive(id))).unwrap();
        assert_eq!((changed.event.sequence.get(), changed.event.state.customer.status), (2, Status::Archived));
        let unknown = Err(ChangeCustomerError::UnknownCustomer);
        assert_eq!(block_on(customers.change(&a_scope(), archive(an_id(9)))), unknown);
        assert_eq!(block_on(MockCustomerRepository::empty().change(&a_scope(), archive(id))), unknown);
        let new = a_customer("acme").command(IdSequence::start(a_time(), [2; 10]), a_time());
        assert!(matches!(
            block_on(customers.change(&a_scope(), new)),
            Err(ChangeCustomerError::ExternalIdTaken { existing }) if existing == id
        ));
    }
}
