//! The port for customers.

use async_trait::async_trait;

use super::{CreateCustomer, CreateCustomerError, CustomerRecord, ExternalId};
use crate::{
    event::CustomerEvent,
    ids::CustomerId,
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    store::{Page, PageRequest, StoreError},
    tenancy::EnvironmentScope,
};

/// Keeps customers with their integration mappings, tax associations and events.
///
/// Every method MUST be blind to everything outside its scope. A write MUST be atomic and, when it answers `Ok`,
/// durable: it survives a crash of the process and of the machine. A write that answers an error MUST have left nothing.
/// What was written MUST be read back equal by every later call.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CustomerRepository: Send + Sync {
    /// Creates a customer: reads the facts that [`CreateCustomer::tax_facts_needed`] names, asks
    /// [`CreateCustomer::decide`], and writes the customer, its associations and mappings, and the event it answers, all
    /// in one transaction.
    ///
    /// MUST answer the decision's refusal as it is. MUST answer [`CreateCustomerError::ExternalIdTaken`] with the other
    /// customer's id when a published customer of the scope has the external id; of any number of concurrent calls
    /// with one external id exactly one MUST succeed. Dropping the returned future MAY abandon the write or not, but
    /// MUST NOT leave half of it.
    async fn create(
        &self,
        scope: &EnvironmentScope,
        command: CreateCustomer,
    ) -> Result<CustomerEvent, CreateCustomerError>;

    /// A customer of any status by its id, with its published mappings; `None` when the scope has none with it.
    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// The published customer with an external id, with its published mappings; `None` when the scope has none.
    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError>;

    /// The published mappings that a filter names, the newest first, ids breaking ties. Empty for what is unknown.
    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError>;

    /// The events of a customer, the oldest first, each with the state as of its change. Empty for what is unknown.
    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError>;
}

/// Which mappings are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingFilter {
    /// Those of one customer.
    Customer(CustomerId),
    /// Those to one entity of another system: the reverse look-up.
    Provider {
        /// The other system.
        provider_type: ProviderType,
        /// The id there.
        provider_entity_id: ProviderEntityId,
    },
}
