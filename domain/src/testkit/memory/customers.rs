//! The port for customers in memory.

use async_trait::async_trait;

use super::{MemoryStore, Registry, id_taken, newest_first, page};
use crate::{
    customer::{
        CreateCustomer, CreateCustomerError, Customer, CustomerRecord, CustomerRepository, ExternalId, MappingFilter,
        TaxFacts, TaxFactsNeeded,
    },
    event::CustomerEvent,
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::Status,
    store::{Page, PageRequest, StoreError},
    tax::TaxedEntity,
    tenancy::EnvironmentScope,
};

#[async_trait]
impl CustomerRepository for MemoryStore {
    async fn create(
        &self,
        scope: &EnvironmentScope,
        command: CreateCustomer,
    ) -> Result<CustomerEvent, CreateCustomerError> {
        let mut state = self.lock();
        let registry = state.registry(scope.owner);
        let facts = registry.facts(command.tax_facts_needed());
        let event = command.decide(scope, &facts)?;
        registry.accept(&event.state.customer)?;
        registry.apply(event.clone());
        Ok(event)
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
        Ok(registry.published(external_id).map(|customer| registry.record(customer)))
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        request: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        let mut state = self.lock();
        let named = state.registry(scope.owner).mappings.values().filter(|mapping| {
            mapping.status == Status::Published
                && match filter {
                    MappingFilter::Customer(id) => mapping.customer_id == *id,
                    MappingFilter::Provider { provider_type, provider_entity_id } => {
                        mapping.provider_type == *provider_type && mapping.provider_entity_id == *provider_entity_id
                    }
                }
        });
        Ok(newest_first(named, |mapping| (mapping.audit.created_at, mapping.id), request))
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        request: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        let mut state = self.lock();
        let events = &state.registry(scope.owner).events;
        let all: Vec<_> = events.iter().filter(|event| event.state.customer.id == id).collect();
        Ok(page(&all, request))
    }
}

impl Registry {
    fn facts(&self, needed: TaxFactsNeeded<'_>) -> TaxFacts {
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
    fn accept(&self, customer: &Customer) -> Result<(), CreateCustomerError> {
        if let Some(holder) = self.published(&customer.external_id) {
            return Err(CreateCustomerError::ExternalIdTaken { existing: holder.id });
        }
        if self.customers.contains_key(&customer.id) {
            return Err(id_taken("customer").into());
        }
        Ok(())
    }

    /// Takes over everything a create decided.
    fn apply(&mut self, event: CustomerEvent) {
        let state = event.state.clone();
        self.customers.insert(state.customer.id, state.customer);
        self.mappings.extend(state.mappings.into_iter().map(|mapping| (mapping.id, mapping)));
        self.associations.extend(state.associations.into_iter().map(|association| (association.id, association)));
        self.events.push(event);
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
