//! Rows of the table `customers`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use patron_domain::{
    customer::{
        Address, AddressLine, ChangeCustomerError, City, Contact, CountryCode, Customer, CustomerName, CustomerRecord,
        Email, ExternalId, PostalCode, Profile, State, TimeZone, query::Folded,
    },
    ids::CustomerId,
    lifecycle::{Owner, Status},
    store::StoreError,
};

use crate::persistence::{
    column::{AuditColumns, RowName, metadata_json, version_number},
    integration::row::StoredMapping,
    schema::customers,
};

/// One row, in the order of the table's columns.
#[derive(Debug, Clone, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = customers, primary_key(tenant_id, environment_id, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct CustomerRow {
    pub(crate) tenant_id: String,
    pub(crate) environment_id: String,
    pub(crate) id: String,
    pub(crate) external_id: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) address_line1: Option<String>,
    pub(crate) address_line2: Option<String>,
    pub(crate) address_city: Option<String>,
    pub(crate) address_state: Option<String>,
    pub(crate) address_postal_code: Option<String>,
    pub(crate) address_country: Option<String>,
    pub(crate) timezone: String,
    pub(crate) metadata: String,
    pub(crate) status: String,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
    // Derived: recomputed with each write.
    pub(crate) external_id_folded: String,
    pub(crate) name_folded: String,
    pub(crate) email_folded: String,
}

impl From<&Customer> for CustomerRow {
    fn from(customer: &Customer) -> Self {
        let Profile { name, email, contact, address, timezone, metadata } = &customer.profile;
        Self {
            tenant_id: customer.owner.tenant_id.to_string(),
            environment_id: customer.owner.environment_id.to_string(),
            id: customer.id.to_string(),
            external_id: customer.external_id.as_str().to_owned(),
            name: name.as_ref().map(|name| name.as_str().to_owned()),
            email: email.as_ref().map(|email| email.as_str().to_owned()),
            contact: contact.as_ref().map(|contact| contact.as_str().to_owned()),
            address_line1: address.line1.as_ref().map(|line| line.as_str().to_owned()),
            address_line2: address.line2.as_ref().map(|line| line.as_str().to_owned()),
            address_city: address.city.as_ref().map(|city| city.as_str().to_owned()),
            address_state: address.state.as_ref().map(|state| state.as_str().to_owned()),
            address_postal_code: address.postal_code.as_ref().map(|code| code.as_str().to_owned()),
            address_country: address.country.as_ref().map(|country| country.as_str().to_owned()),
            timezone: timezone.as_str().to_owned(),
            metadata: metadata_json(metadata),
            status: customer.status.as_str().to_owned(),
            version: version_number(customer.version),
            created_at: customer.audit.created_at.micros(),
            created_by: customer.audit.created_by.as_str().to_owned(),
            updated_at: customer.audit.updated_at.micros(),
            updated_by: customer.audit.updated_by.as_str().to_owned(),
            external_id_folded: folded(customer.external_id.as_str()),
            name_folded: folded(name.as_ref().map_or("", CustomerName::as_str)),
            email_folded: folded(email.as_ref().map_or("", Email::as_str)),
        }
    }
}

fn folded(text: &str) -> String {
    Folded::new(text).into_string()
}

/// What a customer is read from: a row without its owner, whom whoever reads knows, and without what is derived.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct StoredCustomer {
    pub(crate) id: String,
    pub(crate) external_id: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) address_line1: Option<String>,
    pub(crate) address_line2: Option<String>,
    pub(crate) address_city: Option<String>,
    pub(crate) address_state: Option<String>,
    pub(crate) address_postal_code: Option<String>,
    pub(crate) address_country: Option<String>,
    pub(crate) timezone: String,
    pub(crate) metadata: String,
    pub(crate) status: String,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: String,
}

impl TryFrom<CustomerRow> for Customer {
    type Error = StoreError;

    fn try_from(row: CustomerRow) -> Result<Self, StoreError> {
        let owner = RowName { table: "customers", id: &row.id }.owner(&row.tenant_id, &row.environment_id)?;
        let stored = StoredCustomer {
            id: row.id,
            external_id: row.external_id,
            name: row.name,
            email: row.email,
            contact: row.contact,
            address_line1: row.address_line1,
            address_line2: row.address_line2,
            address_city: row.address_city,
            address_state: row.address_state,
            address_postal_code: row.address_postal_code,
            address_country: row.address_country,
            timezone: row.timezone,
            metadata: row.metadata,
            status: row.status,
            version: row.version,
            created_at: row.created_at,
            created_by: row.created_by,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
        };
        stored.of(owner)
    }
}

impl StoredCustomer {
    /// The customer, of this owner.
    pub(crate) fn of(self, owner: Owner) -> Result<Customer, StoreError> {
        let row = self;
        let named = RowName { table: "customers", id: &row.id };
        let address = Address {
            line1: named.nullable("address_line1", row.address_line1, AddressLine::new)?,
            line2: named.nullable("address_line2", row.address_line2, AddressLine::new)?,
            city: named.nullable("address_city", row.address_city, City::new)?,
            state: named.nullable("address_state", row.address_state, State::new)?,
            postal_code: named.nullable("address_postal_code", row.address_postal_code, PostalCode::new)?,
            country: named.nullable("address_country", row.address_country, CountryCode::from_stored)?,
        };
        Ok(Customer {
            id: named.column("id", CustomerId::parse(&row.id))?,
            owner,
            external_id: named.column("external_id", ExternalId::new(row.external_id))?,
            profile: Profile {
                name: named.nullable("name", row.name, CustomerName::new)?,
                email: named.nullable("email", row.email, Email::from_stored)?,
                contact: named.nullable("contact", row.contact, Contact::new)?,
                address,
                timezone: named.column("timezone", TimeZone::from_stored(row.timezone))?,
                metadata: named.metadata(&row.metadata)?,
            },
            status: named.status(&row.status)?,
            version: named.version("version", row.version)?,
            audit: named.audit(AuditColumns {
                created_at: row.created_at,
                created_by: row.created_by,
                updated_at: row.updated_at,
                updated_by: row.updated_by,
            })?,
        })
    }
}

/// One customer from the rows of a query that joins its published mappings: the customer again in each of them.
pub(crate) fn record(
    owner: Owner,
    rows: Vec<(StoredCustomer, Option<StoredMapping>)>,
) -> Result<Option<CustomerRecord>, StoreError> {
    let mut rows = rows.into_iter();
    let Some((customer, first)) = rows.next() else { return Ok(None) };
    let customer = customer.of(owner)?;
    let mut mappings: Vec<StoredMapping> = first.into_iter().chain(rows.filter_map(|(_, mapping)| mapping)).collect();
    mappings.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let of_customer = |mapping: StoredMapping| mapping.of(owner, customer.id, Status::Published);
    let mappings = mappings.into_iter().map(of_customer).collect::<Result<_, _>>()?;
    Ok(Some(CustomerRecord { customer, mappings }))
}

/// The refusal of a change to an external id that the customer with this id has.
pub(crate) fn taken(holder: &str) -> ChangeCustomerError {
    let named = RowName { table: "customers", id: holder };
    match named.column("id", CustomerId::parse(holder)) {
        Ok(existing) => ChangeCustomerError::ExternalIdTaken { existing },
        Err(corrupt) => corrupt.into(),
    }
}
