//! What callers can ask about customers.

use std::sync::Arc;

use super::{
    CreateCustomer, CreateCustomerError, CustomerRecord, CustomerRepository, ExternalId, MappingFilter, NewCustomer,
};
use crate::{
    clock::Clock,
    event::CustomerEvent,
    ids::{CustomerId, IdGenerator},
    integration::IntegrationMapping,
    store::{Page, PageRequest, StoreError},
    tenancy::{Caller, Permission, PermissionDenied},
};

/// Customers, for callers with permissions.
#[derive(Clone)]
pub struct CustomerService {
    /// Keeps customers.
    pub customers: Arc<dyn CustomerRepository>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// Why a look-up was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The caller may not read.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CustomerService {
    /// Creates a customer with its taxes and links, and answers the event: its state is the new customer's.
    ///
    /// # Errors
    /// See [`CreateCustomerError`]; after any of them nothing of the create is left.
    pub async fn create(&self, caller: &Caller, new: NewCustomer) -> Result<CustomerEvent, CreateCustomerError> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        let ids = self.ids.start(at);
        let command = CreateCustomer { new, ids, at, request_id: caller.request_id().cloned() };
        self.customers.create(scope, command).await
    }

    /// A customer of any status; `None` when there is none with this id.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn find(&self, caller: &Caller, id: CustomerId) -> Result<Option<CustomerRecord>, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.customers.find(scope, id).await?)
    }

    /// The published customer with an external id; `None` when there is none.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn find_by_external_id(
        &self,
        caller: &Caller,
        external_id: &ExternalId,
    ) -> Result<Option<CustomerRecord>, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.customers.find_by_external_id(scope, external_id).await?)
    }

    /// The published mappings that a filter names.
    ///
    /// # Errors
    /// When the caller may not read or the store fails.
    pub async fn mappings(
        &self,
        caller: &Caller,
        filter: &MappingFilter,
        page: PageRequest,
    ) -> Result<Page<IntegrationMapping>, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        Ok(self.customers.mappings(scope, filter, page).await?)
    }
}
