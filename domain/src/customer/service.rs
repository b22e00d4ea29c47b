//! The operations on customers, with permission checks.

use std::{borrow::Cow, sync::Arc, time::Duration};

use super::{
    ChangeCustomer, ChangeCustomerError, CustomerChange, CustomerChanged, CustomerRecord, CustomerRepository,
    ExternalId, MappingFilter, NewCustomer, Precondition, Stamp,
    query::{CustomerPage, CustomerQuery},
    warnings,
};
use crate::{
    advice::Warning,
    clock::Clock,
    idempotency::{IdempotencyClaim, IdempotentRequest},
    ids::{CustomerId, IdGenerator},
    integration::IntegrationMapping,
    page::{Page, PageRequest},
    report::Written,
    store::StoreError,
    tenancy::{Caller, EnvironmentScope, Permission, PermissionDenied, Quotas},
    time::Timestamp,
    violation::{Rule, Violations},
};

/// Operations on customers, for callers with permissions.
///
/// ```
/// use std::sync::Arc;
/// use patron_domain::{
///     customer::{CustomerService, DEFAULT_IDEMPOTENCY_TTL},
///     testkit::{CountingIds, FixedClock, MemoryStore, a_caller, a_customer},
/// };
///
/// # futures::executor::block_on(async {
/// let service = CustomerService {
///     customers: Arc::new(MemoryStore::default()),
///     clock: Arc::new(FixedClock::default()),
///     ids: Arc::new(CountingIds::default()),
///     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
///     quotas: patron_domain::tenancy::Quotas::default(),
/// };
/// let created = service.create(&a_caller(), a_customer("acme").build(), None).await.unwrap();
/// let found = service.find(&a_caller(), created.event.state.customer.id).await.unwrap();
/// assert_eq!(found.map(|record| record.customer), Some(created.event.state.customer));
/// # });
/// ```
#[derive(Clone)]
pub struct CustomerService {
    /// The store.
    pub customers: Arc<dyn CustomerRepository>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of new ids.
    pub ids: Arc<dyn IdGenerator>,
    /// How long a request that is repeated with its idempotency key gets the same response. Clients expect
    /// [`DEFAULT_IDEMPOTENCY_TTL`].
    pub idempotency_ttl: Duration,
    /// The quotas of every environment.
    pub quotas: Quotas,
}

/// 24 hours.
pub const DEFAULT_IDEMPOTENCY_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a look-up failed.
///
/// ```
/// use patron_domain::{customer::ReadError, store::StoreError};
///
/// let unavailable = ReadError::from(StoreError::unavailable("too many writes are waiting"));
/// assert_eq!(unavailable.to_string(), "the database is not available: too many writes are waiting");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The caller may not read.
    #[error(transparent)]
    Denied(#[from] PermissionDenied),
    /// The search took too long, and would again.
    #[error(
        "the search takes too long: {filter} has to be compared for every customer; narrow the search by a field with an index, or leave it out"
    )]
    TooBroad {
        /// The filter, or the field of the order, that makes it expensive.
        filter: Cow<'static, str>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A change does not identify one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum WhichCustomer {
    #[error("identify the customer by id or by external_customer_id")]
    Neither,
    #[error("id and external_customer_id belong to different customers; leave one of them out")]
    Two,
}

impl Rule for WhichCustomer {
    fn rule(&self) -> &'static str {
        match self {
            Self::Neither => "required",
            Self::Two => "exclusive",
        }
    }
}

impl CustomerService {
    /// Creates a customer with its taxes and links. The event's state is the new customer.
    ///
    /// # Errors
    /// See [`ChangeCustomerError`]. After an error nothing of the create is left.
    pub async fn create(
        &self,
        caller: &Caller,
        new: NewCustomer,
        request: Option<IdempotentRequest>,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        self.change(caller, CustomerChange::Create(new), Precondition::None, request).await
    }

    /// Changes or creates a customer aggregate. The event's state is the state after the change.
    ///
    /// # Errors
    /// See [`ChangeCustomerError`]. After an error nothing of the change is left.
    pub async fn change(
        &self,
        caller: &Caller,
        change: CustomerChange,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let (scope, command) = self.command(caller, change, only_if, request)?;
        self.customers.change(scope, command).await
    }

    /// Changes a tax association of a customer, if it has the expected version: see
    /// [`Audit::version`](crate::lifecycle::Audit::version).
    ///
    /// # Errors
    /// See [`ChangeCustomerError`]. After an error nothing of the change is left.
    pub async fn change_association(
        &self,
        caller: &Caller,
        change: CustomerChange,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<CustomerChanged, ChangeCustomerError> {
        let (scope, command) = self.command(caller, change, Precondition::None, request)?;
        self.customers.change(scope, ChangeCustomer { only_if_association: only_if, ..command }).await
    }

    /// Builds the command of a change with its time and ids, and returns the scope: for a store that writes within your
    /// own transaction. It checks the permission, as [`CustomerService::change`] does.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use patron_domain::{
    ///     customer::{CustomerChange, CustomerService, DEFAULT_IDEMPOTENCY_TTL, MockCustomerRepository, Precondition},
    ///     testkit::{CountingIds, FixedClock, a_caller, a_customer, a_reader},
    /// };
    ///
    /// let service = CustomerService {
    ///     customers: Arc::new(MockCustomerRepository::new()), // is never asked
    ///     clock: Arc::new(FixedClock::default()),
    ///     ids: Arc::new(CountingIds::default()),
    ///     idempotency_ttl: DEFAULT_IDEMPOTENCY_TTL,
    ///     quotas: patron_domain::tenancy::Quotas::default(),
    /// };
    /// let create = || CustomerChange::Create(a_customer("acme").build());
    /// let caller = a_caller();
    /// let (scope, command) = service.command(&caller, create(), Precondition::None, None).unwrap();
    /// assert_eq!((scope.owner, command.change), (caller.owner(), create()));
    /// assert!(service.command(&a_reader(), create(), Precondition::None, None).is_err());
    /// ```
    ///
    /// # Errors
    /// When the caller may not write.
    pub fn command<'c>(
        &self,
        caller: &'c Caller,
        change: CustomerChange,
        only_if: Precondition,
        request: Option<IdempotentRequest>,
    ) -> Result<(&'c EnvironmentScope, ChangeCustomer), PermissionDenied> {
        let scope = caller.authorise(Permission::Write)?;
        let at = self.clock.now();
        let stamp = Stamp { ids: scope.origin.ids(&*self.ids, at), at, request_id: caller.request_id().cloned() };
        let claim = request.map(|request| request.claim(at, self.idempotency_ttl));
        let command = ChangeCustomer::new(change, stamp);
        Ok((scope, ChangeCustomer { only_if, quota: self.quotas.customers, claim, ..command }))
    }

    /// The claim of a request now, and the time.
    pub(super) fn claim(&self, request: IdempotentRequest) -> (IdempotencyClaim, Timestamp) {
        let at = self.clock.now();
        (request.claim(at, self.idempotency_ttl), at)
    }

    /// The customer that a change identifies by its id, its external id, or both.
    ///
    /// # Errors
    /// When the caller may not write, neither id is given, they belong to different customers, or the customer does not
    /// exist.
    pub async fn identify(
        &self,
        caller: &Caller,
        id: Option<CustomerId>,
        external_id: Option<&ExternalId>,
    ) -> Result<CustomerId, ChangeCustomerError> {
        let scope = caller.authorise(Permission::Write)?;
        let refuse = |problem: WhichCustomer| {
            let mut broken = Violations::new();
            broken.add("external_customer_id", &problem);
            ChangeCustomerError::Invalid(broken)
        };
        let Some(external_id) = external_id else { return id.ok_or_else(|| refuse(WhichCustomer::Neither)) };
        let found = self.customers.find_by_external_id(scope, external_id).await?;
        // The look-up also finds a customer that had this external id before. It must not be changed: the client means
        // another one.
        let found = found.filter(|record| record.customer.external_id == *external_id);
        let found = found.ok_or(ChangeCustomerError::UnknownCustomer)?.customer.id;
        match id {
            Some(id) if id != found => Err(refuse(WhichCustomer::Two)),
            _ => Ok(found),
        }
    }

    /// A customer in any status; `None` when there is none with this id.
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

    /// The published mappings that match a filter.
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

    /// Warnings about what a write has done to customers, or would do: see [`warnings`](super::warnings) for those that need
    /// no look-up. Another customer with the same e-mail address, tax id or link may be a duplicate.
    ///
    /// # Errors
    /// When the caller may not write or the store fails.
    pub async fn warnings(&self, caller: &Caller, written: &Written) -> Result<Vec<Warning>, ReadError> {
        if written.objects.is_empty() {
            return Ok(Vec::new());
        }
        let scope = caller.authorise(Permission::Write)?;
        Ok(warnings::of_write(&*self.customers, scope, written).await?)
    }

    /// The page of customers that a query asks for.
    ///
    /// # Errors
    /// When the caller may not read, the search takes too long, or the store fails.
    pub async fn list(&self, caller: &Caller, query: &CustomerQuery) -> Result<CustomerPage, ReadError> {
        let scope = caller.authorise(Permission::Read)?;
        self.customers.list(scope, query).await.map_err(|error| match (error, query.costly()) {
            (StoreError::TooSlow, Some(filter)) => ReadError::TooBroad { filter },
            (error, _) => error.into(),
        })
    }
}

#[cfg(test)]
mod tests;
