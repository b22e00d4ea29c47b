//! A store of customers in memory, as small as the port allows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChanged, CustomerFacts, CustomerRecord,
        CustomerRepository, ExternalId, MappingFilter, Subject, found_by_external_id,
        query::{CustomerPage, CustomerQuery},
    },
    event::CustomerEvent,
    idempotency::{IdempotencyKey, IdempotencyRecord, Outcome},
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Owner, Status},
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
};

/// Keeps customers in memory.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<HashMap<Owner, Board>>);

/// What one environment holds.
#[derive(Default, Clone)]
struct Board {
    customers: BTreeMap<CustomerId, CustomerAggregate>,
    /// In the order in which they happened.
    events: Vec<CustomerEvent>,
    keys: BTreeMap<IdempotencyKey, IdempotencyRecord>,
}

impl Shelf {
    /// Looks at one board; every method goes through here, so none sees another environment.
    fn board<T>(&self, scope: &EnvironmentScope, look: impl FnOnce(&mut Board) -> T) -> T {
        look(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(scope.owner).or_default())
    }
}

impl Board {
    fn published(&self, external_id: &ExternalId) -> Option<&CustomerAggregate> {
        self.customers.values().find(|one| is_published(one) && one.customer.external_id == *external_id)
    }

    /// What the decision needs. This shelf has no tax rates, so it has none to look up.
    fn facts(&self, command: &ChangeCustomer) -> CustomerFacts {
        let current = match command.subject() {
            Subject::New => None,
            Subject::Id(id) => self.customers.get(&id),
            Subject::ExternalId(external_id) => self.published(external_id),
        };
        let wanted = command.wanted_external_id(current);
        let holder = wanted.and_then(|wanted| self.published(wanted)).map(|holder| holder.customer.id);
        let published = self.customers.values().filter(|one| is_published(one)).count();
        CustomerFacts::new(current.cloned(), holder).with_published(published as u64)
    }

    fn change(
        &mut self,
        scope: &EnvironmentScope,
        mut command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let claim = command.claim.take();
        if let Some(claim) = &claim
            && let Some(done) = claim.settle(self.keys.get(&claim.key))?
            && let Some(event) = self.events.iter().find(|event| event.id == done)
        {
            return Ok(CustomerChanged { event: event.clone(), replayed: true });
        }
        let facts = self.facts(&command);
        // The decision refuses an external id that is taken: the board is locked, so the facts are still valid.
        let decision = command.decide(scope, &facts)?;
        let (is_change, event) = (decision.is_change(&facts), decision.event);
        if !is_change || scope.origin.is_dry_run() {
            return Ok(CustomerChanged { event, replayed: false });
        }
        // Nothing fails from here on, so nothing is ever half done.
        if let Some(claim) = claim {
            let record = claim.record(Outcome::Event(event.id), event.at);
            self.keys.insert(claim.key, record);
        }
        // The event holds the whole new state.
        self.customers.insert(event.state.customer.id, event.state.clone());
        self.events.push(event.clone());
        Ok(CustomerChanged { event, replayed: false })
    }
}

fn is_published(aggregate: &CustomerAggregate) -> bool {
    aggregate.customer.status == Status::Published
}

#[async_trait]
impl CustomerRepository for Shelf {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        self.board(scope, |board| board.change(scope, command))
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.board(scope, |board| board.customers.get(&id).map(CustomerAggregate::record)))
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.board(scope, |board| {
            let terms = board.customers.values().flat_map(|one| one.terms_of(external_id));
            let found = found_by_external_id(terms).and_then(|id| board.customers.get(&id));
            found.map(CustomerAggregate::record)
        }))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let all: Vec<_> =
            self.board(scope, |board| board.customers.values().flat_map(|one| one.mappings.clone()).collect());
        Ok(filter.page(all, page))
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let all = self.board(scope, |board| board.events.clone());
        Ok(Page::cut(all.into_iter().filter(|event| event.state.customer.id == id).collect(), page))
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        Ok(self.board(scope, |board| {
            // The domain says which customers are meant, and in which order.
            let found = query.evaluate(board.customers.values().map(|one| &one.customer));
            let records = found.items.iter().filter_map(|customer| board.customers.get(&customer.id));
            let records = records.map(CustomerAggregate::record).map(|mut record| {
                if !query.with_mappings() {
                    record.mappings.clear();
                }
                record
            });
            let total = query.with_total().then_some(found.total as u64);
            query.page_of(records.collect(), total)
        }))
    }
}
