//! A customer, and what belongs to it.

use super::{Address, Contact, CustomerName, Email, ExternalId, FormerExternalId, TimeZone};
use crate::{
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Audit, Owner, Status, Version},
    metadata::Metadata,
    tax::TaxAssociation,
    time::Timestamp,
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
/// It is all that a store has to keep of a customer.
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
    /// Its mappings, in the order of their ids: published, or archived with the customer.
    pub mappings: Vec<IntegrationMapping>,
    /// Its tax associations, in the order of their ids: published, or archived with the customer.
    pub associations: Vec<TaxAssociation>,
    /// The tax associations that were taken away, in the order of their ids. They stay readable.
    pub removed_associations: Vec<TaxAssociation>,
    /// The external ids that it had before, the oldest term first: the latest [`FormerExternalId::MAX_KEPT`].
    pub former_external_ids: Vec<FormerExternalId>,
    /// Since when it has its external id: when it was created or last renamed. Restoring it does not change this.
    pub external_id_since: Timestamp,
}

impl CustomerAggregate {
    /// A customer that has had no other external id since it was created, and no association taken away.
    ///
    /// ```
    /// use patron_domain::{customer::CustomerAggregate, testkit::a_customer};
    ///
    /// let acme = a_customer("acme").linked("stripe", "cus_1").existing();
    /// assert_eq!(CustomerAggregate::new(acme.customer.clone(), acme.mappings.clone(), Vec::new()), acme);
    /// ```
    #[must_use]
    pub fn new(
        customer: Customer,
        mut mappings: Vec<IntegrationMapping>,
        mut associations: Vec<TaxAssociation>,
    ) -> Self {
        mappings.sort_by_key(|mapping| mapping.id);
        associations.sort_by_key(|association| association.id);
        Self {
            external_id_since: customer.audit.created_at,
            customer,
            mappings,
            associations,
            removed_associations: Vec::new(),
            former_external_ids: Vec::new(),
        }
    }

    /// The customer with its published mappings, without the rest.
    #[must_use]
    pub fn into_record(self) -> CustomerRecord {
        let Self { customer, mut mappings, .. } = self;
        mappings.retain(|mapping| mapping.status == Status::Published);
        CustomerRecord { customer, mappings }
    }

    /// The customer with its published mappings.
    #[must_use]
    pub fn record(&self) -> CustomerRecord {
        let published = self.mappings.iter().filter(|mapping| mapping.status == Status::Published);
        CustomerRecord { customer: self.customer.clone(), mappings: published.cloned().collect() }
    }
}
