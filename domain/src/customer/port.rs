//! The port for customers.

use std::cmp::Reverse;

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

/// Stores customers with their integration mappings, tax associations and events.
///
/// Every method MUST see only data in its scope. A write MUST be atomic. When it returns `Ok`, it MUST be durable: it
/// survives a crash of the process and of the machine. A write that returns an error MUST leave nothing behind. Every
/// later call MUST read back exactly what was written.
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
    /// Changes or creates a customer aggregate in one transaction. The method looks up what
    /// [`ChangeCustomer::subject`], [`ChangeCustomer::tax_facts_needed`], [`ChangeCustomer::wanted_external_id`] and
    /// [`ChangeCustomer::count_needed`] name, calls [`ChangeCustomer::decide`], and writes the result: the event, whose state is the complete customer,
    /// and the record of the command's idempotency key.
    ///
    /// If the decision [is no change](super::CustomerDecision::is_change), the method MUST NOT write an event. It MAY keep
    /// the key's record, with the customer's latest event.
    ///
    /// If [`IdempotencyClaim::settle`] finds that the key's record belongs to the same request, the method MUST do
    /// nothing and return that event. Of concurrent calls with one key, on any number of instances, exactly one MUST do
    /// the work. A refusal MUST leave the key free.
    ///
    /// The method MUST return the decision's refusal unchanged. When the change would give a second published customer
    /// of the scope the same external id, it MUST return [`ChangeCustomerError::ExternalIdTaken`] with the other
    /// customer's id. Of concurrent creates with one external id exactly one MUST succeed. Each change of a customer
    /// MUST be decided on the state that the change before it left, and the events MUST be numbered without gaps.
    ///
    /// If the scope's origin asks for a [dry run](crate::tenancy::Origin::is_dry_run), the method MUST return what the change
    /// would return now, and leave nothing behind. A store SHOULD report what is written: see
    /// [`WriteReport::tell`](crate::report::WriteReport::tell).
    ///
    /// Dropping the returned future MAY abandon the change or not, but MUST NOT leave a part of it.
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError>;

    /// A customer in any status by its id, with its published mappings; `None` when the scope has none with this id.
    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// The published customer with an external id, with its published mappings; `None` when the scope has none.
    ///
    /// When no published customer has it, this MUST return the customer that
    /// [`found_by_external_id`](super::found_by_external_id) finds by the former external ids: the last one to have it,
    /// if it was renamed and is published. Its record then shows another external id.
    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError>;

    /// The published mappings that match a filter, the newest first; ids break ties. Empty for unknown ids.
    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError>;

    /// The events of a customer, the oldest first, each with the state after its change. Empty for unknown ids.
    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError>;

    /// The page of customers that a query asks for, in the query's order.
    ///
    /// This MUST find what [`CustomerQuery::evaluate`] finds among all customers of the scope, in the same order. When
    /// a client reads a list from cursor to cursor, it MUST get every customer that stays in the list and keeps its
    /// place exactly once, whatever is created or changed meanwhile. The total MUST be exact at some moment during the
    /// call, and never less than the number of customers that the page proves. Mappings MUST be the published ones.
    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError>;
}

/// Selects mappings.
///
/// ```
/// use patron_domain::{customer::{Customer, MappingFilter}, testkit::a_customer};
///
/// let acme = a_customer("acme").linked("stripe", "cus_1").existing();
/// assert!(MappingFilter::Customer(acme.customer.id).admits(&acme.mappings[0]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingFilter {
    /// The mappings of one customer.
    Customer(CustomerId),
    /// The mappings to one entity of another system: the reverse look-up.
    Provider {
        /// The other system.
        provider_type: ProviderType,
        /// The id in the other system.
        provider_entity_id: ProviderEntityId,
    },
}

impl MappingFilter {
    /// Whether a mapping matches: it is published, and belongs to that customer or that entity.
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

    /// A page of the matching mappings, the newest first: for stores that read more than the page.
    ///
    /// ```
    /// use patron_domain::{customer::MappingFilter, page::PageRequest, testkit::a_customer};
    ///
    /// let acme = a_customer("acme").linked("crm", "1").linked("stripe", "2").existing();
    /// let page = MappingFilter::Customer(acme.customer.id).page(acme.mappings, PageRequest::new(1, 0).unwrap());
    /// assert_eq!((page.items.len(), page.total), (1, 2));
    /// ```
    #[must_use]
    pub fn page(
        &self,
        all: impl IntoIterator<Item = IntegrationMapping>,
        page: PageRequest,
    ) -> Page<IntegrationMapping> {
        let mut found: Vec<_> = all.into_iter().filter(|mapping| self.admits(mapping)).collect();
        found.sort_by_key(|mapping| Reverse((mapping.audit.created_at, mapping.id)));
        Page::cut(found, page)
    }
}
