//! The port for customers.

use async_trait::async_trait;

use super::{
    ChangeCustomer, ChangeCustomerError, CustomerChanged, CustomerRecord, ExternalId,
    query::{CustomerPage, CustomerQuery},
};
#[cfg(doc)]
use crate::idempotency::IdempotencyClaim;
use crate::{
    event::CustomerEvent,
    ids::CustomerId,
    integration::{IntegrationMapping, ProviderEntityId, ProviderType},
    lifecycle::Status,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
};

/// Keeps customers with their integration mappings, tax associations and events.
///
/// Every method MUST be blind to everything outside its scope. A write MUST be atomic and, when it answers `Ok`,
/// durable: it survives a crash of the process and of the machine. A write that answers an error MUST have left nothing.
/// What was written MUST be read back equal by every later call.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::CustomerRepository,
///     ids::IdSequence,
///     testkit::{MemoryStore, a_customer, a_scope, a_time},
/// };
///
/// # futures::executor::block_on(async {
/// let customers: Arc<dyn CustomerRepository> = Arc::new(MemoryStore::default());
/// let command = a_customer("acme").command(IdSequence::start(a_time(), [0; 10]), a_time());
/// let event = customers.change(&a_scope(), command).await.unwrap().event;
/// assert!(customers.find(&a_scope(), event.state.customer.id).await.unwrap().is_some());
/// # });
/// ```
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait CustomerRepository: Send + Sync {
    /// Changes a customer aggregate, or makes one, in one transaction: looks up what [`ChangeCustomer::subject`],
    /// [`ChangeCustomer::tax_facts_needed`] and [`ChangeCustomer::wanted_external_id`] name, asks
    /// [`ChangeCustomer::decide`], and writes what it answers: the event, whose state is all there is of the customer, and
    /// under the command's idempotency key a record of it.
    ///
    /// With a key whose record [`IdempotencyClaim::settle`] takes for the same request, MUST do nothing and answer that
    /// event; of any number of concurrent calls with one key, on any number of instances, exactly one MUST do the work.
    /// A refusal MUST leave the key free.
    ///
    /// MUST answer the decision's refusal as it is. MUST answer [`ChangeCustomerError::ExternalIdTaken`] with the other
    /// customer's id when the change would give a second published customer of the scope an external id; of any number
    /// of concurrent creates with one external id exactly one MUST succeed. MUST decide each change of one customer on
    /// the state that the one before it left, and number their events without gaps.
    ///
    /// Dropping the returned future MAY abandon the change or not, but MUST NOT leave half of it.
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError>;

    /// A customer of any status by its id, with its published mappings; `None` when the scope has none with it.
    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// The published customer with an external id, with its published mappings; `None` when the scope has none.
    ///
    /// When no published customer has it, MUST answer the customer that
    /// [`found_by_external_id`](super::found_by_external_id) finds by the former external ids: the one that had it last,
    /// if it was renamed since and is published. Its record then shows another external id.
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

    /// The customers that a query finds, in its order, cut as it asks.
    ///
    /// MUST find what [`CustomerQuery::evaluate`] finds among all customers of the scope, in the same order. A list that
    /// is read from cursor to cursor MUST show every customer that is in it from the first page to the last and keeps its
    /// place, exactly once, whatever is created or changed in between. The total MUST be exact as of some moment of the
    /// call, and never below the number of customers that the page proves. Mappings MUST be the published ones.
    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError>;
}

/// Which mappings are asked for.
///
/// ```
/// use patron_domain::{customer::{Customer, MappingFilter}, testkit::a_customer};
///
/// let acme = a_customer("acme").linked("stripe", "cus_1").existing();
/// assert!(MappingFilter::Customer(acme.customer.id).admits(&acme.mappings[0]));
/// ```
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

impl MappingFilter {
    /// Whether a mapping is asked for: published, and of that customer or to that entity.
    #[must_use]
    pub fn admits(&self, mapping: &IntegrationMapping) -> bool {
        let named = match self {
            Self::Customer(id) => mapping.customer_id == *id,
            Self::Provider { provider_type, provider_entity_id } => {
                mapping.provider_type == *provider_type && mapping.provider_entity_id == *provider_entity_id
            }
        };
        named && mapping.status == Status::Published
    }
}
