//! Customers: the fields, the aggregate, changes, and look-ups.

mod address;
mod aggregate;
mod amend;
mod batch;
mod billing;
mod change;
mod create;
mod details;
mod email;
mod error;
mod export;
mod external_ids;
mod facts;
pub(crate) mod fields;
pub mod find;
mod fixed;
mod hold;
mod index;
mod items;
mod limits;
#[cfg(any(test, feature = "mock"))]
mod mock;
mod parts;
mod port;
pub mod query;
mod retained;
mod service;
pub(crate) mod table;
mod time_zone;
mod update;
mod warnings;

pub use crate::lifecycle::Precondition;
pub use address::{
    Address, AddressLine, AddressLineError, City, CityError, CountryCode, CountryCodeError, PostalCode,
    PostalCodeError, State, StateError,
};
pub use aggregate::{Customer, CustomerAggregate, CustomerRecord, Profile};
#[cfg(any(test, feature = "mock"))]
pub use batch::MockCustomerBatches;
pub use batch::{BatchItem, BatchRefused, BatchService, CustomerBatches};
pub use billing::{
    BillingCurrency, BuyerReference, BuyerReferenceError, CustomerType, LegalName, LegalNameError, RegistrationNumber,
    RegistrationNumberError, TaxTreatment,
};
pub use change::{Amendment, ChangeCustomer, CustomerChange, CustomerChanged, CustomerDecision, Stamp};
pub use create::{NewCustomer, TaxChoice};
pub use details::{
    ElectronicAddress, ElectronicAddressScheme, ElectronicAddressSchemeError, ElectronicAddressUpdate,
    ElectronicAddressValue, ElectronicAddressValueError, Listed, ListedError, Locale, LocaleError, Locales,
    ShippingAddress, ShippingAddressUpdate, ShippingName, ShippingNameError, ShippingPhone, ShippingPhoneError, Tag,
    TagError, Tags, TagsUpdate, TextList,
};
pub use email::{Email, EmailError};
pub(crate) use error::InactiveTaxRate;
pub use error::{ChangeCustomerError, InvalidOperation};
#[cfg(any(test, feature = "mock"))]
pub use export::MockCustomerParts;
pub use export::{CustomerParts, ExportPart, ExportService};
pub use external_ids::{ArchivedTerm, ExternalIdTerm, FormerExternalId, found_by_external_id, held_at};
pub use facts::{CustomerFacts, Subject, TaxFacts, TaxFactsNeeded, WorkflowNeeded};
pub(crate) use fields::WorkflowName;
pub use fields::{Contact, ContactError, CustomerName, CustomerNameError, ExternalId, ExternalIdError};
pub use fixed::{FixedField, Repeated};
pub use hold::{HoldReason, HoldReasonError, LegalHold, NewLegalHold};
pub use index::{IndexEntry, IndexKind, ListedAssociation};
pub use items::{
    CertificateNumber, CertificateNumberError, ContactDepartment, ContactDepartmentError, ContactDesignation,
    ContactDesignationError, ContactMobile, ContactMobileError, ContactPerson, ContactPersonUpdate, ContactRole,
    ContactRoleError, ContactRoles, DocumentUrl, DocumentUrlError, ExemptRates, ExemptionNote, ExemptionNoteError,
    ExemptionReason, FirstName, FirstNameError, Item, ItemChange, ItemError, ItemFault, ItemKind, ItemsChange,
    LastName, LastNameError, NewItem, NewItems, Recipient, RecipientReason, Salutation, SalutationError, TaxExemption,
    TaxExemptionUpdate, TaxId, TaxIdError, TaxIdType, TaxIdTypeError, TaxIdUpdate,
};
pub use limits::Limits;
pub use parts::{
    ContactPersonParts, CustomerUpdateParts, ElectronicAddressParts, NewCustomerParts, NewLinkParts,
    ShippingAddressParts, TaxExemptionParts, TaxIdParts, TaxRateOverrideParts,
};
#[cfg(any(test, feature = "mock"))]
pub use port::MockCustomerRepository;
pub use port::{CustomerRepository, MappingFilter};
pub use service::{CustomerService, DEFAULT_IDEMPOTENCY_TTL, ReadError};
pub use time_zone::{TimeZone, TimeZoneError};
pub use update::{CustomerUpdate, MetadataUpdate, TagsChange};
pub use warnings::warnings;
