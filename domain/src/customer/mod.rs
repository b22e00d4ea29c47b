//! Customers: the fields, the aggregate, changes, and look-ups.

mod address;
mod aggregate;
mod amend;
mod change;
mod create;
mod email;
mod error;
mod external_ids;
mod facts;
pub(crate) mod fields;
mod index;
mod limits;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod parts;
mod port;
pub mod query;
mod service;
mod time_zone;
mod update;

pub use crate::lifecycle::Precondition;
pub use address::{
    Address, AddressLine, AddressLineError, City, CityError, CountryCode, CountryCodeError, PostalCode,
    PostalCodeError, State, StateError,
};
pub use aggregate::{Customer, CustomerAggregate, CustomerRecord, Profile};
pub use change::{Amendment, ChangeCustomer, CustomerChange, CustomerChanged, CustomerDecision, Stamp};
pub use create::{NewCustomer, TaxChoice};
pub use email::{Email, EmailError};
pub(crate) use error::InactiveTaxRate;
pub use error::{ChangeCustomerError, InvalidOperation};
pub use external_ids::{ExternalIdTerm, FormerExternalId, found_by_external_id};
pub use facts::{CustomerFacts, Subject, TaxFacts, TaxFactsNeeded, WorkflowNeeded};
pub(crate) use fields::WorkflowName;
pub use fields::{Contact, ContactError, CustomerName, CustomerNameError, ExternalId, ExternalIdError};
pub use index::{IndexEntry, IndexKind, ListedAssociation};
pub use parts::{CustomerUpdateParts, NewCustomerParts, NewLinkParts, TaxRateOverrideParts};
#[cfg(any(test, feature = "mock"))]
pub use port::MockCustomerRepository;
pub use port::{CustomerRepository, MappingFilter};
pub use service::{CustomerService, DEFAULT_IDEMPOTENCY_TTL, ReadError};
pub use time_zone::{TimeZone, TimeZoneError};
pub use update::{CustomerUpdate, MetadataUpdate};
