//! Updating a customer: three-state fields, and how they are applied.

use std::collections::BTreeMap;

use super::{
    AddressLine, City, Contact, CountryCode, Customer, CustomerName, Email, ExternalId, PostalCode, Profile, State,
    TimeZone,
};
use crate::{event::CustomerField, integration::NewLinks, metadata::Metadata, patch::Patch, violation::Violations};

/// The metadata part of an update.
///
/// ```
/// use patron_domain::{customer::MetadataUpdate, metadata::Metadata, testkit::a_metadata};
///
/// let merged = MetadataUpdate::Merge([("plan".to_owned(), None)].into()).apply(&a_metadata([("plan", "gold")]));
/// assert_eq!(merged, Ok(Metadata::default()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MetadataUpdate {
    /// The metadata stays as it is.
    #[default]
    Keep,
    /// This replaces the metadata.
    Replace(Metadata),
    /// A merge key by key: a new value, or `None` to remove the key (JSON merge patch: RFC 7396).
    Merge(BTreeMap<String, Option<String>>),
}

impl MetadataUpdate {
    /// The metadata after the update.
    ///
    /// # Errors
    /// When the merged metadata breaks a limit, each fault under its path.
    pub fn apply(self, current: &Metadata) -> Result<Metadata, Violations> {
        match self {
            Self::Keep => Ok(current.clone()),
            Self::Replace(metadata) => Ok(metadata),
            Self::Merge(changes) => {
                let mut pairs = current.as_map().clone();
                for (key, value) in changes {
                    match value {
                        Some(value) => drop(pairs.insert(key, value)),
                        None => drop(pairs.remove(&key)),
                    }
                }
                Metadata::new(pairs, "metadata")
            }
        }
    }
}

/// An update of a customer. Fields that it does not name keep their current value, so that two concurrent updates of
/// different fields both take effect.
///
/// ```
/// use patron_domain::{customer::{CustomerName, CustomerUpdate}, patch::Patch};
///
/// let name = Patch::Set(CustomerName::new("Acme Ltd").unwrap());
/// let update = CustomerUpdate { name, ..CustomerUpdate::default() };
/// assert_eq!(update.external_id, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerUpdate {
    /// The new external id.
    pub external_id: Option<ExternalId>,
    /// The name.
    pub name: Patch<CustomerName>,
    /// The e-mail address.
    pub email: Patch<Email>,
    /// The contact number.
    pub contact: Patch<Contact>,
    /// The address's first line.
    pub address_line1: Patch<AddressLine>,
    /// The first line of the address.
    pub address_line2: Patch<AddressLine>,
    /// The second line of the address.
    pub address_city: Patch<City>,
    /// The state, province or region.
    pub address_state: Patch<State>,
    /// The postal code.
    pub address_postal_code: Patch<PostalCode>,
    /// The country.
    pub address_country: Patch<CountryCode>,
    /// The time zone. Clearing it sets `UTC`.
    pub timezone: Patch<TimeZone>,
    /// The metadata.
    pub metadata: MetadataUpdate,
    /// Links to add or update; other links stay.
    pub links: NewLinks,
}

impl CustomerUpdate {
    /// Applies everything except the links, and returns the fields whose values changed.
    pub(super) fn apply(self, customer: &mut Customer) -> Result<Vec<CustomerField>, Violations> {
        let metadata = self.metadata.apply(&customer.profile.metadata)?;
        let mut changed = Vec::new();
        let mut note = |is_other: bool, field: CustomerField| {
            if is_other {
                changed.push(field);
            }
        };
        if let Some(external_id) = self.external_id {
            note(customer.external_id != external_id, CustomerField::ExternalId);
            customer.external_id = external_id;
        }
        let Profile { name, email, contact, address, timezone, metadata: kept } = &mut customer.profile;
        note(self.name.apply(name), CustomerField::Name);
        note(self.email.apply(email), CustomerField::Email);
        note(self.contact.apply(contact), CustomerField::Contact);
        note(self.address_line1.apply(&mut address.line1), CustomerField::AddressLine1);
        note(self.address_line2.apply(&mut address.line2), CustomerField::AddressLine2);
        note(self.address_city.apply(&mut address.city), CustomerField::AddressCity);
        note(self.address_state.apply(&mut address.state), CustomerField::AddressState);
        note(self.address_postal_code.apply(&mut address.postal_code), CustomerField::AddressPostalCode);
        note(self.address_country.apply(&mut address.country), CustomerField::AddressCountry);
        let mut zone = Some(timezone.clone());
        note(self.timezone.apply(&mut zone), CustomerField::Timezone);
        *timezone = zone.unwrap_or_default();
        note(*kept != metadata, CustomerField::Metadata);
        *kept = metadata;
        Ok(changed)
    }
}
