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

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{
        clock::MockClock,
        customer::{MockCustomerRepository, Profile, TaxChoice, TaxFacts},
        event::Onboarding,
        ids::{IdSequence, MockIdGenerator},
        integration::NewLinks,
        lifecycle::Owner,
        tax::TaxRateCode,
        tenancy::{Actor, EnvironmentScope, RequestId, Role, Roles},
        time::Timestamp,
    };

    const NOW: i64 = 1_700_000_000_123_456;

    fn now() -> Timestamp {
        Timestamp::from_micros(NOW).unwrap()
    }

    fn ids() -> IdSequence {
        IdSequence::start(now(), [7; 10])
    }

    fn scope() -> EnvironmentScope {
        let mut ids = IdSequence::start(Timestamp::UNIX_EPOCH, [0; 10]);
        let owner = Owner { tenant_id: ids.next_id(), environment_id: ids.next_id() };
        EnvironmentScope { owner, actor: Actor::new("tester").unwrap() }
    }

    fn caller(role: Role) -> Caller {
        Caller::new(scope(), Roles::new([role]).unwrap(), Some(RequestId::new("request-1").unwrap()))
    }

    fn acme() -> NewCustomer {
        NewCustomer {
            external_id: ExternalId::new("acme").unwrap(),
            profile: Profile::default(),
            taxes: TaxChoice::Defaults,
            links: NewLinks::default(),
            onboarding: Onboarding::default(),
        }
    }

    /// A service at `NOW`, whose ids are `ids`.
    fn service(customers: MockCustomerRepository) -> CustomerService {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(now());
        let mut generator = MockIdGenerator::new();
        generator.expect_start().withf(|at| *at == now()).returning(|_| ids());
        CustomerService { customers: Arc::new(customers), clock: Arc::new(clock), ids: Arc::new(generator) }
    }

    #[test]
    fn a_create_carries_the_scope_the_time_the_ids_and_the_request_to_the_store() {
        let command = CreateCustomer {
            new: acme(),
            ids: ids(),
            at: now(),
            request_id: Some(RequestId::new("request-1").unwrap()),
        };
        let wanted = command.clone().decide(&scope(), &TaxFacts::default()).unwrap();
        let mut customers = MockCustomerRepository::new();
        customers
            .expect_create()
            .once()
            .withf(move |with, given| *with == scope() && *given == command)
            .returning(|scope, command| command.decide(scope, &TaxFacts::default()));
        let event = block_on(service(customers).create(&caller(Role::AllWriter), acme())).unwrap();
        assert_eq!(event, wanted);
        assert_eq!(event.at, now());
    }

    #[test]
    fn a_reader_creates_nothing_and_the_store_is_never_asked() {
        // A mock without expectations panics when it is called.
        let refused = block_on(service(MockCustomerRepository::new()).create(&caller(Role::AllReader), acme()));
        assert_eq!(refused, Err(CreateCustomerError::Denied(PermissionDenied::Role(Permission::Write))));
    }

    #[test]
    fn the_store_s_refusals_and_failures_pass_as_they_are() {
        let id = ids().next_id();
        let unavailable = StoreError::Unavailable { reason: "the queue is full".to_owned() };
        for refusal in [
            CreateCustomerError::ExternalIdTaken { existing: id },
            CreateCustomerError::UnknownTaxRates(vec![(0, TaxRateCode::new("VAT").unwrap())]),
            CreateCustomerError::Store(unavailable),
        ] {
            let mut customers = MockCustomerRepository::new();
            let answer = refusal.clone();
            customers.expect_create().once().return_once(move |_, _| Err(answer));
            assert_eq!(block_on(service(customers).create(&caller(Role::SuperAdmin), acme())), Err(refusal));
        }
    }

    #[test]
    fn a_reader_looks_customers_up_in_their_own_scope() {
        let id = ids().next_id();
        let mut customers = MockCustomerRepository::new();
        customers
            .expect_find()
            .once()
            .withf(move |with, given| *with == scope() && *given == id)
            .returning(|_, _| Ok(None));
        assert_eq!(block_on(service(customers).find(&caller(Role::AllReader), id)), Ok(None));
    }
}
