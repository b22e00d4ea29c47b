//! A customer and everything that belongs to it.

use super::{
    Address, ArchivedTerm, BillingCurrency, BuyerReference, Contact, ContactPerson, CustomerName, CustomerType,
    ElectronicAddress, Email, ExternalId, FormerExternalId, Item, LegalHold, LegalName, Locales, RegistrationNumber,
    ShippingAddress, Tags, TaxExemption, TaxId, TaxTreatment, TimeZone,
};
use crate::{
    custom_field::CustomFields,
    ids::CustomerId,
    integration::IntegrationMapping,
    lifecycle::{Audit, Owner, Status, Version},
    metadata::Metadata,
    tax::TaxAssociation,
    time::Timestamp,
};

/// The client's data about a customer, apart from the external id. Every part is optional.
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
    /// The postal address.
    pub address: Address,
    /// The time zone; `UTC` by default.
    pub timezone: TimeZone,
    /// The currency in which the customer is billed.
    pub billing_currency: Option<BillingCurrency>,
    /// How the customer is taxed.
    pub tax_treatment: TaxTreatment,
    /// Whether it is a company or a person.
    pub customer_type: Option<CustomerType>,
    /// The name under which the company is registered.
    pub legal_name: Option<LegalName>,
    /// The number under which the company is registered.
    pub registration_number: Option<RegistrationNumber>,
    /// The customer's reference for its invoices.
    pub buyer_reference: Option<BuyerReference>,
    /// The address for electronic invoices.
    pub electronic_address: Option<ElectronicAddress>,
    /// The address for goods.
    pub shipping_address: ShippingAddress,
    /// The languages that the customer prefers, the best first.
    pub preferred_locales: Locales,
    /// Words with which the client groups its customers.
    pub tags: Tags,
    /// The values of the environment's custom fields.
    pub custom_fields: CustomFields,
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
    /// The id.
    pub id: CustomerId,
    /// The tenant and environment that it belongs to.
    pub owner: Owner,
    /// The id in the client's own system, unique among the published customers of the environment.
    pub external_id: ExternalId,
    /// The client's data about it.
    pub profile: Profile,
    /// The contact persons, in the client's order.
    pub contact_persons: Vec<Item<ContactPerson>>,
    /// The tax ids, in the client's order.
    pub tax_ids: Vec<Item<TaxId>>,
    /// The tax exemptions, in the client's order.
    pub tax_exemptions: Vec<Item<TaxExemption>>,
    /// The legal hold, which keeps it from being erased.
    pub legal_hold: Option<LegalHold>,
    /// Whether it is in use.
    pub status: Status,
    /// The number of changes to the customer, its mappings and its tax associations.
    pub version: Version,
    /// Who created and last changed it, and when.
    pub audit: Audit,
}

/// A customer with its published mappings, as a response with one customer shows it.
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

/// A customer with everything that belongs to it. All of it changes together under one version, and every event
/// contains all of it. A store keeps nothing else about a customer.
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
    /// The removed tax associations, in the order of their ids. They stay readable.
    pub removed_associations: Vec<TaxAssociation>,
    /// Earlier external ids, the oldest term first: the latest [`FormerExternalId::MAX_KEPT`].
    pub former_external_ids: Vec<FormerExternalId>,
    /// When it got its current external id, by its creation or its last rename. Restoring does not change this.
    pub external_id_since: Timestamp,
    /// The periods in which it was archived, the earliest first.
    pub archived_terms: Vec<ArchivedTerm>,
}

impl CustomerAggregate {
    /// A customer without former external ids and without removed associations.
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
            archived_terms: Vec::new(),
        }
    }

    /// The customer with its published mappings only.
    #[must_use]
    pub fn into_record(self) -> CustomerRecord {
        let Self { customer, mut mappings, .. } = self;
        mappings.retain(|mapping| mapping.status == Status::Published);
        CustomerRecord { customer, mappings }
    }

    /// The published mappings.
    pub fn links(&self) -> impl Iterator<Item = &IntegrationMapping> {
        self.mappings.iter().filter(|mapping| mapping.status == Status::Published)
    }

    /// The customer with its published mappings.
    #[must_use]
    pub fn record(&self) -> CustomerRecord {
        CustomerRecord { customer: self.customer.clone(), mappings: self.links().cloned().collect() }
    }
}
