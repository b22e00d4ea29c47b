//! The port for customers in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{MemoryStore, Registry, events::of_customer, id_taken, newest_first, onboarding::StoredRun, page};
use crate::{
    customer::{
        ChangeCustomer, ChangeCustomerError, Customer, CustomerAggregate, CustomerChanged, CustomerDecision,
        CustomerFacts, CustomerRecord, CustomerRepository, ExternalId, Housekeeping, MappingFilter, OldEvents, Subject,
        TaxFacts, TaxFactsNeeded, WorkflowNeeded,
        query::{CustomerPage, CustomerQuery},
    },
    event::{CustomerEvent, EventEntity, EventRecord},
    idempotency::{IdempotencyClaim, Outcome},
    ids::{CustomerId, EventId},
    integration::IntegrationMapping,
    lifecycle::{Owner, Status},
    onboarding::OnboardingRun,
    store::{Page, PageRequest, StoreError},
    tax::TaxedEntity,
    tenancy::{EnvironmentScope, SystemScope},
    time::Timestamp,
};

#[async_trait]
impl CustomerRepository for MemoryStore {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let mut state = self.lock();
        let position = state.next_position();
        let registry = state.registry(scope.owner);
        if let Some(event) = registry.answered_before(command.claim.as_ref())? {
            return Ok(CustomerChanged { event, replayed: true });
        }
        let facts = registry.facts(&command);
        let claim = command.claim.clone();
        let decision = command.decide(scope, &facts)?;
        registry.accept(&decision.event, facts.current.as_ref())?;
        let event = decision.event.clone();
        registry.apply(decision, facts.current);
        registry.keep(claim.as_ref(), Outcome::Event(event.id), event.at);
        registry.log.push(EventRecord::of_customer(position, event.clone()));
        Ok(CustomerChanged { event, replayed: false })
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        Ok(registry.customers.get(&id).map(|customer| registry.record(customer)))
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let former = || {
            let former = registry.customers.get(registry.former_external_ids.get(external_id)?)?;
            (former.status == Status::Published).then_some(former)
        };
        Ok(registry.published(external_id).or_else(former).map(|customer| registry.record(customer)))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        request: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let mut state = self.lock();
        let named = state.registry(scope.owner).mappings.values().filter(|mapping| filter.admits(mapping));
        Ok(newest_first(named, |mapping| (mapping.audit.created_at, mapping.id), request))
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        request: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let mut state = self.lock();
        let (log, entity) = (&state.registry(scope.owner).log, EventEntity::Customer(id));
        let all: Vec<_> = log.iter().filter(|event| event.entity == entity).collect();
        let Page { items, total } = page(all, request);
        Ok(Page { items: items.into_iter().filter_map(of_customer).collect(), total })
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let found = query.evaluate(registry.customers.values());
        let records = found.items.into_iter().map(|customer| match query.with_mappings() {
            true => registry.record(customer),
            false => CustomerRecord { customer: customer.clone(), mappings: Vec::new() },
        });
        // A list in memory is never longer than 64 bits can count.
        let total = query.with_total().then(|| u64::try_from(found.total).unwrap_or(u64::MAX));
        Ok(query.page_of(records.collect(), total))
    }
}

#[async_trait]
impl Housekeeping for MemoryStore {
    async fn remove_idempotency_records(
        &self,
        _scope: &SystemScope,
        made_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let mut left = limit;
        for registry in state.registries.values_mut() {
            registry.idempotency.retain(|_, record| {
                let stays = left == 0 || record.at >= made_before;
                left -= u32::from(!stays);
                stays
            });
        }
        Ok(u64::from(limit - left))
    }

    async fn remove_events(
        &self,
        _scope: &SystemScope,
        owner: Owner,
        old: OldEvents,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(owner);
        let first = registry.log.iter().take(registry.log.len().saturating_sub(1));
        let first = first.take(usize::try_from(limit).unwrap_or(usize::MAX));
        let is_old = |event: &&EventRecord| event.at < old.happened_before && event.position <= old.up_to;
        let removed: BTreeSet<EventId> = first.filter(is_old).map(|event| event.id).collect();
        registry.log.retain(|event| !removed.contains(&event.id));
        Ok(u64::try_from(removed.len()).unwrap_or(u64::MAX))
    }
}

impl Registry {
    /// The event of a request that was done before under its key.
    fn answered_before(&self, claim: Option<&IdempotencyClaim>) -> Result<Option<CustomerEvent>, ChangeCustomerError> {
        Ok(self.event_before(claim)?.cloned().and_then(of_customer))
    }

    fn facts(&self, command: &ChangeCustomer) -> CustomerFacts {
        let subject = match command.subject() {
            Subject::New => None,
            Subject::Id(id) => self.customers.get(&id),
            Subject::ExternalId(external_id) => self.published(external_id),
        };
        let current = subject.map(|customer| self.aggregate(customer));
        let wanted = command.wanted_external_id(current.as_ref());
        let holder = wanted.and_then(|external_id| self.published(external_id)).map(|holder| holder.id);
        let workflow = match command.workflow_needed() {
            WorkflowNeeded::None => None,
            WorkflowNeeded::Default => self.workflows.get(&None).copied(),
            WorkflowNeeded::Named(name) => self.workflows.get(&Some(name.clone())).copied(),
        };
        CustomerFacts { current, holder, taxes: self.tax_facts(command.tax_facts_needed()), workflow }
    }

    fn tax_facts(&self, needed: TaxFactsNeeded<'_>) -> TaxFacts {
        let mut facts = TaxFacts::default();
        match needed {
            TaxFactsNeeded::Nothing => {}
            TaxFactsNeeded::Rates(codes) => {
                let rates = self.rates.values().filter(|rate| rate.status == Status::Published);
                facts.rates = rates.filter(|rate| codes.contains(&&rate.code)).cloned().collect();
            }
            TaxFactsNeeded::Defaults => {
                let published = self.associations.values().filter(|one| one.status == Status::Published);
                facts.defaults = published.filter(|one| one.entity == TaxedEntity::Tenant).cloned().collect();
            }
        }
        facts
    }

    /// Refuses what a unique index would.
    fn accept(&self, event: &CustomerEvent, before: Option<&CustomerAggregate>) -> Result<(), ChangeCustomerError> {
        let customer = &event.state.customer;
        let holder = self.published(&customer.external_id).filter(|holder| holder.id != customer.id);
        if let Some(holder) = holder.filter(|_| customer.status == Status::Published) {
            return Err(ChangeCustomerError::ExternalIdTaken { existing: holder.id });
        }
        if before.is_none() && self.customers.contains_key(&customer.id) {
            return Err(id_taken("customer").into());
        }
        Ok(())
    }

    /// Takes over everything that was decided.
    fn apply(&mut self, decision: CustomerDecision, before: Option<CustomerAggregate>) {
        let CustomerDecision { event, removed_mapping, removed_association, onboarding } = decision;
        let state = event.state;
        self.runs.extend(onboarding.map(|workflow| {
            let Customer { owner, id, .. } = state.customer;
            (id, StoredRun { run: OnboardingRun::start(owner, id, workflow, event.at), holder: None })
        }));
        let before = before.map(|before| before.customer.external_id);
        if state.customer.status == Status::Published {
            self.former_external_ids.remove(&state.customer.external_id);
        }
        if let Some(former) = before.filter(|former| *former != state.customer.external_id) {
            self.former_external_ids.insert(former, state.customer.id);
        }
        self.customers.insert(state.customer.id, state.customer);
        let mappings = state.mappings.into_iter().chain(removed_mapping);
        self.mappings.extend(mappings.map(|mapping| (mapping.id, mapping)));
        let associations = state.associations.into_iter().chain(removed_association);
        self.associations.extend(associations.map(|association| (association.id, association)));
    }

    /// A customer with everything of it that is not deleted.
    fn aggregate(&self, customer: &Customer) -> CustomerAggregate {
        let mappings = self.mappings.values().filter(|mapping| mapping.status != Status::Deleted);
        let entity = TaxedEntity::Customer(customer.id);
        let associations = self.associations.values().filter(|one| one.status != Status::Deleted);
        CustomerAggregate {
            customer: customer.clone(),
            mappings: mappings.filter(|mapping| mapping.customer_id == customer.id).cloned().collect(),
            associations: associations.filter(|one| one.entity == entity).cloned().collect(),
        }
    }

    fn published(&self, external_id: &ExternalId) -> Option<&Customer> {
        let published = |customer: &&Customer| customer.status == Status::Published;
        self.customers.values().filter(published).find(|customer| customer.external_id == *external_id)
    }

    fn record(&self, customer: &Customer) -> CustomerRecord {
        let published = self.mappings.values().filter(|mapping| mapping.status == Status::Published);
        let mappings = published.filter(|mapping| mapping.customer_id == customer.id).cloned().collect();
        CustomerRecord { customer: customer.clone(), mappings }
    }
}
