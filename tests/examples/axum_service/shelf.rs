//! A store of customers in memory, as small as the port allows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use patron_domain::{
    customer::{
        ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerChanged, CustomerFacts, CustomerRecord,
        CustomerRepository, ExternalId, MappingFilter, Subject,
        query::{CustomerPage, CustomerQuery},
    },
    event::CustomerEvent,
    idempotency::{IdempotencyKey, IdempotencyRecord, Outcome},
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Owner, Status},
    store::{Page, PageRequest, StoreError},
    tenancy::EnvironmentScope,
};

/// Keeps customers for as long as it lives.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<HashMap<Owner, Board>>);

/// What one environment holds.
#[derive(Default, Clone)]
struct Board {
    customers: BTreeMap<CustomerId, CustomerAggregate>,
    /// Who had an external id last that nobody has now.
    former: BTreeMap<ExternalId, CustomerId>,
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
        CustomerFacts { current: current.cloned(), holder, ..CustomerFacts::default() }
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
        let event = command.decide(scope, &facts)?.event;
        let customer = &event.state.customer;
        if let Some(holder) = self.published(&customer.external_id).map(|holder| holder.customer.id)
            && holder != customer.id
        {
            return Err(ChangeCustomerError::ExternalIdTaken { existing: holder });
        }
        // Nothing fails from here on, so nothing is ever half done.
        self.former.remove(&customer.external_id);
        let before = facts.current.map(|current| current.customer.external_id);
        if let Some(former) = before.filter(|former| *former != customer.external_id) {
            self.former.insert(former, customer.id);
        }
        if let Some(claim) = claim {
            let record = claim.record(Outcome::Event(event.id), event.at);
            self.keys.insert(claim.key, record);
        }
        // The event holds the whole new state.
        self.customers.insert(customer.id, event.state.clone());
        self.events.push(event.clone());
        Ok(CustomerChanged { event, replayed: false })
    }
}

fn is_published(aggregate: &CustomerAggregate) -> bool {
    aggregate.customer.status == Status::Published
}

fn record(of: &CustomerAggregate) -> CustomerRecord {
    let mappings = of.mappings.iter().filter(|mapping| mapping.status == Status::Published).cloned().collect();
    CustomerRecord { customer: of.customer.clone(), mappings }
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
        Ok(self.board(scope, |board| board.customers.get(&id).map(record)))
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        Ok(self.board(scope, |board| {
            let former = || board.customers.get(board.former.get(external_id)?).filter(|one| is_published(one));
            board.published(external_id).or_else(former).map(record)
        }))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let all = self.board(scope, |board| board.customers.values().flat_map(|one| one.mappings.clone()).collect());
        let mut found: Vec<IntegrationMapping> = all;
        found.retain(|mapping| filter.admits(mapping));
        found.sort_by_key(|mapping| std::cmp::Reverse((mapping.audit.created_at, mapping.id)));
        Ok(Page::cut(found, page))
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
            let records = found.items.iter().filter_map(|customer| board.customers.get(&customer.id)).map(record);
            let records = records.map(|mut record| {
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
