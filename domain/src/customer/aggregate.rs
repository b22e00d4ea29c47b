//! A customer, and what belongs to it.

use super::{Address, Contact, CustomerName, Email, ExternalId, TimeZone};
use crate::{
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Audit, Owner, Status, Version},
    metadata::Metadata,
    tax::TaxAssociation,
};

/// What a client says of a customer beside its external id. Every part may be absent.
///
/// ```
/// use patron_domain::customer::{CustomerName, Profile};
///
/// let profile = Profile { name: Some(CustomerName::new("Acme Ltd").unwrap()), ..Profile::default() };
/// assert_eq!(profile.timezone.as_str(), "UTC");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The full name of the person or company.
    pub name: Option<CustomerName>,
    /// The e-mail address.
    pub email: Option<Email>,
    /// A contact number.
    pub contact: Option<Contact>,
    /// Where the customer lives.
    pub address: Address,
    /// The customer's time zone, `UTC` unless it was given.
    pub timezone: TimeZone,
    /// What the client attached.
    pub metadata: Metadata,
}

/// A customer.
///
/// ```
/// use patron_domain::{customer::Customer, lifecycle::{Status, Version}, testkit::a_customer};
///
/// let customer: Customer = a_customer("acme").named("Acme Ltd").existing().customer;
/// assert_eq!((customer.status, customer.version), (Status::Published, Version::FIRST));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Whose it is.
    pub owner: Owner,
    /// Its id in the client's own system, unique among the published customers of its environment.
    pub external_id: ExternalId,
    /// What the client says of it.
    pub profile: Profile,
    /// Whether it is in use.
    pub status: Status,
    /// The number of changes that it, its mappings and its tax associations have seen.
    pub version: Version,
    /// Who changed it when.
    pub audit: Audit,
}

/// A customer with its published mappings: what an answer that carries one customer shows.
///
/// ```
/// use patron_domain::{customer::CustomerRecord, testkit::a_customer};
///
/// let acme = a_customer("acme").linked("stripe", "cus_1").existing();
/// let record = CustomerRecord { customer: acme.customer, mappings: acme.mappings };
/// assert_eq!(record.mappings.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerRecord {
    /// The customer.
    pub customer: Customer,
    /// Its published mappings, in the order of their ids.
    pub mappings: Vec<IntegrationMapping>,
}

/// A customer with everything that belongs to it: what changes together, under one version, and what an event freezes.
///
/// ```
/// use patron_domain::{customer::CustomerAggregate, testkit::a_customer};
///
/// let aggregate: CustomerAggregate = a_customer("acme").linked("stripe", "cus_1").existing();
/// assert_eq!(aggregate.mappings[0].customer_id, aggregate.customer.id);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerAggregate {
    /// The customer.
    pub customer: Customer,
    /// Its published mappings, in the order of their ids.
    pub mappings: Vec<IntegrationMapping>,
    /// Its published tax associations, in the order of their ids.
    pub associations: Vec<TaxAssociation>,
}
