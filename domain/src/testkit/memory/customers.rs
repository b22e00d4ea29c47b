//! The customer port in memory.

use async_trait::async_trait;

use super::{MemoryStore, Registry, events::of_customer, id_taken, onboarding::StoredRun, page};
use crate::{
    customer::{
        BatchRefused, ChangeCustomer, ChangeCustomerError, Customer, CustomerAggregate, CustomerBatches,
        CustomerChanged, CustomerDecision, CustomerFacts, CustomerParts, CustomerRecord, CustomerRepository,
        ExternalId, MappingFilter, Subject, TaxFacts, TaxFactsNeeded, WorkflowNeeded, found_by_external_id,
        query::{CustomerPage, CustomerQuery},
    },
    event::{CustomerEvent, EventEntity, EventRecord},
    idempotency::{Done, IdempotencyClaim, IdempotencyKeyReused, OnceError, Outcome},
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Owner, Status},
    onboarding::OnboardingRun,
    page::{Page, PageRequest},
    retention::{OldEvents, RetentionStore},
    store::StoreError,
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
        let mut state = self.write(scope);
        state.registry(scope.owner).change(scope, command)
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        Ok(registry.customers.get(&id).map(CustomerAggregate::record))
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let terms = registry.customers.values().flat_map(|customer| customer.terms_of(external_id));
        let found = found_by_external_id(terms).and_then(|id| registry.customers.get(&id));
        Ok(found.map(CustomerAggregate::record))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        request: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let mut state = self.lock();
        let all = state.registry(scope.owner).customers.values().flat_map(|customer| &customer.mappings);
        Ok(filter.page(all.cloned(), request))
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
        let registry = state.registry(scope.owner);
        Ok(Page { items: items.into_iter().filter_map(|event| of_customer(registry.shown(&event))).collect(), total })
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let found = query.evaluate(registry.customers.values().map(|one| &one.customer));
        let aggregates = found.items.iter().filter_map(|customer| registry.customers.get(&customer.id));
        let records = aggregates.map(|one| match query.with_mappings() {
            true => one.record(),
            false => CustomerRecord { customer: one.customer.clone(), mappings: Vec::new() },
        });
        // A list in memory has at most 2^64 items.
        let total = query.with_total().then(|| u64::try_from(found.total).unwrap_or(u64::MAX));
        Ok(query.page_of(records.collect(), total))
    }
}

#[async_trait]
impl RetentionStore for MemoryStore {
    async fn remove_kept_answers(
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
        let count = first.take_while(is_old).count();
        registry.log.drain(..count);
        registry.chain.remove_first(count);
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl CustomerParts for MemoryStore {
    async fn customers_after(
        &self,
        scope: &EnvironmentScope,
        after: Option<CustomerId>,
        limit: u16,
    ) -> Result<Vec<CustomerAggregate>, StoreError> {
        let mut state = self.lock();
        let all = state.registry(scope.owner).customers.values();
        let rest = all.filter(|one| after.is_none_or(|after| one.customer.id > after));
        Ok(rest.take(limit.into()).cloned().collect())
    }
}

#[async_trait]
impl CustomerBatches for MemoryStore {
    async fn change_all(
        &self,
        scope: &EnvironmentScope,
        commands: Vec<ChangeCustomer>,
    ) -> Result<Vec<CustomerChanged>, BatchRefused> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        let before = registry.clone();
        let change = |(number, command)| {
            registry.change(scope, command).map_err(|error| BatchRefused { item: Some(number), error })
        };
        let changed: Result<Vec<_>, _> = commands.into_iter().enumerate().map(change).collect();
        if changed.is_err() {
            *registry = before;
        }
        changed
    }

    async fn begin(
        &self,
        scope: &EnvironmentScope,
        claim: IdempotencyClaim,
        at: Timestamp,
    ) -> Result<Done<()>, OnceError> {
        let mut state = self.write(scope);
        let registry = state.registry(scope.owner);
        if registry.kept_before::<()>(scope.owner, Some(&claim))?.is_some() {
            return Ok(Done::before(()));
        }
        registry.keep(Some(&claim), Outcome::kept(&()), at);
        Ok(Done::now(()))
    }
}

impl Registry {
    /// Changes a customer.
    pub(super) fn change(
        &mut self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        if let Some(event) = self.answered_before(command.claim.as_ref())? {
            return Ok(CustomerChanged { event, replayed: true });
        }
        let facts = self.facts(scope.owner, &command);
        let claim = command.claim.clone();
        let decision = command.decide(scope, &facts)?;
        // No index is needed: the facts, read under this lock, include the holder of the external id.
        if facts.current.is_none() && self.customers.contains_key(&decision.event.state.customer.id) {
            return Err(id_taken("customer").into());
        }
        let event = decision.event.clone();
        if !decision.is_change(&facts) {
            let entity = EventEntity::Customer(event.state.customer.id);
            let latest = self.log.iter().rev().find(|one| one.entity == entity).map(|one| one.id);
            if let Some(latest) = latest {
                self.keep(claim.as_ref(), Outcome::Event(latest), event.at);
            }
            return Ok(CustomerChanged { event, replayed: false });
        }
        self.apply(decision);
        self.keep(claim.as_ref(), Outcome::Event(event.id), event.at);
        self.append(|position| EventRecord::of_customer(position, event.clone()));
        Ok(CustomerChanged { event, replayed: false })
    }

    /// The event of an earlier request with the same key.
    fn answered_before(&self, claim: Option<&IdempotencyClaim>) -> Result<Option<CustomerEvent>, ChangeCustomerError> {
        let Some(event) = self.event_before(claim)? else { return Ok(None) };
        let event = self.shown(event);
        if event.state.is_none() {
            return Err(IdempotencyKeyReused::gone().into());
        }
        Ok(of_customer(event))
    }

    fn facts(&self, owner: Owner, command: &ChangeCustomer) -> CustomerFacts {
        let subject = match command.subject() {
            Subject::New => None,
            Subject::Id(id) => self.customers.get(&id),
            Subject::ExternalId(external_id) => self.published(external_id),
        };
        let wanted = command.wanted_external_id(subject);
        let holder = wanted.and_then(|external_id| self.published(external_id)).map(|holder| holder.customer.id);
        let erased = command.claimed_external_id(subject).is_some_and(|claimed| self.is_erased(owner, claimed));
        let current = subject.cloned();
        let workflow = match command.workflow_needed() {
            WorkflowNeeded::None => None,
            WorkflowNeeded::Default => self.workflows.get(&None).copied(),
            WorkflowNeeded::Named(name) => self.workflows.get(&Some(name.clone())).copied(),
        };
        let taxes = self.tax_facts(command.tax_facts_needed());
        let published = match command.count_needed() {
            true => self.customers.values().filter(|one| one.customer.status == Status::Published).count() as u64,
            false => 0,
        };
        let custom_fields = self.custom_field_facts(command, current.as_ref());
        CustomerFacts { current, holder, erased, taxes, workflow, published, custom_fields }
    }

    fn tax_facts(&self, needed: TaxFactsNeeded<'_>) -> TaxFacts {
        let rates = self.rates.values().filter(|rate| rate.status == Status::Published);
        let rates = rates.filter(|rate| needed.rates.contains(&&rate.code)).cloned().collect();
        let published = self.defaults.values().filter(|one| one.status == Status::Published);
        TaxFacts { rates, defaults: if needed.defaults { published.cloned().collect() } else { Vec::new() } }
    }

    /// Stores everything that was decided.
    fn apply(&mut self, decision: CustomerDecision) {
        let CustomerDecision { event, onboarding } = decision;
        let Customer { owner, id, .. } = event.state.customer;
        self.runs.extend(onboarding.map(|workflow| {
            (id, StoredRun { run: OnboardingRun::start(owner, id, workflow, event.at), holder: None })
        }));
        self.customers.insert(id, event.state);
    }

    fn published(&self, external_id: &ExternalId) -> Option<&CustomerAggregate> {
        let published = |one: &&CustomerAggregate| one.customer.status == Status::Published;
        self.customers.values().filter(published).find(|one| one.customer.external_id == *external_id)
    }
}
