//! The ports for customers with faults.

use async_trait::async_trait;

use super::Faulty;
use crate::{
    customer::{
        BatchRefused, ChangeCustomer, ChangeCustomerError, CustomerAggregate, CustomerBatches, CustomerChanged,
        CustomerParts, CustomerRecord, CustomerRepository, ExternalId, MappingFilter,
        query::{CustomerPage, CustomerQuery},
    },
    event::CustomerEvent,
    idempotency::{Done, IdempotencyClaim, OnceError},
    ids::CustomerId,
    integration::IntegrationMapping,
    page::{Page, PageRequest},
    store::StoreError,
    tenancy::EnvironmentScope,
    time::Timestamp,
};

#[async_trait]
impl<P: CustomerParts + ?Sized> CustomerParts for Faulty<P> {
    async fn customers_after(
        &self,
        scope: &EnvironmentScope,
        after: Option<CustomerId>,
        limit: u16,
    ) -> Result<Vec<CustomerAggregate>, StoreError> {
        self.call(self.port.customers_after(scope, after, limit)).await
    }
}

#[async_trait]
impl<P: CustomerBatches + ?Sized> CustomerBatches for Faulty<P> {
    async fn change_all(
        &self,
        scope: &EnvironmentScope,
        commands: Vec<ChangeCustomer>,
    ) -> Result<Vec<CustomerChanged>, BatchRefused> {
        self.call(self.port.change_all(scope, commands)).await
    }

    async fn begin(
        &self,
        scope: &EnvironmentScope,
        claim: IdempotencyClaim,
        at: Timestamp,
    ) -> Result<Done<()>, OnceError> {
        self.call(self.port.begin(scope, claim, at)).await
    }
}

#[async_trait]
impl<P: CustomerRepository + ?Sized> CustomerRepository for Faulty<P> {
    async fn change(
        &self,
        scope: &EnvironmentScope,
        command: ChangeCustomer,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        self.call(self.port.change(scope, command)).await
    }

    async fn find(&self, scope: &EnvironmentScope, id: CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        self.call(self.port.find(scope, id)).await
    }

    async fn find_by_external_id(
        &self,
        scope: &EnvironmentScope,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, StoreError> {
        self.call(self.port.find_by_external_id(scope, external_id)).await
    }

    async fn mappings(
        &self,
        scope: &EnvironmentScope,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, StoreError> {
        self.call(self.port.mappings(scope, filter, page)).await
    }

    async fn history(
        &self,
        scope: &EnvironmentScope,
        id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<CustomerEvent>, StoreError> {
        self.call(self.port.history(scope, id, page)).await
    }

    async fn list(&self, scope: &EnvironmentScope, query: &CustomerQuery) -> Result<CustomerPage, StoreError> {
        self.call(self.port.list(scope, query)).await
    }
}
