//! Customers: the fields, the aggregate, creating one, and looking one up.

mod address;
mod aggregate;
mod create;
mod email;
mod fields;
mod port;
mod service;
mod time_zone;

pub use address::{
    Address, AddressLine, AddressLineError, City, CityError, CountryCode, CountryCodeError, PostalCode,
    PostalCodeError, State, StateError,
};
pub use aggregate::{Customer, CustomerAggregate, CustomerRecord, Profile};
pub use create::{CreateCustomer, CreateCustomerError, NewCustomer, TaxChoice, TaxFacts, TaxFactsNeeded};
pub use email::{Email, EmailError};
pub use fields::{
    Contact, ContactError, CustomerName, CustomerNameError, ExternalId, ExternalIdError, WorkflowName,
    WorkflowNameError,
};
#[cfg(any(test, feature = "mock"))]
pub use port::MockCustomerRepository;
pub use port::{CustomerRepository, MappingFilter};
pub use service::{CustomerService, ReadError};
pub use time_zone::{TimeZone, TimeZoneError};
