//! Updating a customer: three-state fields, and how they are applied.

use std::collections::BTreeMap;

use super::{
    AddressLine, BillingCurrency, BuyerReference, City, Contact, ContactPerson, CountryCode, Customer, CustomerName,
    CustomerType, ElectronicAddressUpdate, Email, ExternalId, Item, ItemError, ItemKind, ItemsChange, LegalName,
    Locales, PostalCode, RegistrationNumber, Repeated, ShippingAddressUpdate, State, Tags, TagsUpdate, TaxExemption,
    TaxId, TaxTreatment, TimeZone, table::apply_patch,
};
use crate::{
    custom_field::{self, CustomFieldDefinition, CustomFieldsChange},
    event::CustomerField,
    ids::IdSequence,
    integration::NewLinks,
    metadata::Metadata,
    patch::Patch,
    time::Timestamp,
    violation::Violations,
};

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

/// An update of the tags.
///
/// ```
/// use patron_domain::customer::{TagsChange, TagsUpdate};
///
/// assert_ne!(TagsChange::default(), TagsChange::Some(TagsUpdate::default()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TagsChange {
    /// The list stays as it is.
    #[default]
    Keep,
    /// These items replace the list.
    Replace(Tags),
    /// The tags to add and to remove.
    Some(TagsUpdate),
}

impl TagsChange {
    fn apply(self, to: &mut Tags) -> bool {
        match self {
            Self::Keep => false,
            Self::Replace(tags) => {
                let changed = *to != tags;
                *to = tags;
                changed
            }
            Self::Some(update) => update.apply(to),
        }
    }
}

macro_rules! update {
    ($($wire:ident: $type:ident, $variant:ident, [$($place:tt)+], $unset:ident, $says:literal;)+) => {
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
            /// The values of fields that cannot be changed.
            pub repeated: Repeated,
            /// The new external id.
            pub external_id: Option<ExternalId>,
            $(#[doc = $says] pub $wire: Patch<$type>,)+
            /// The metadata.
            pub metadata: MetadataUpdate,
            /// The address for electronic invoices.
            pub electronic_address: ElectronicAddressUpdate,
            /// The address for goods.
            pub shipping_address: ShippingAddressUpdate,
            /// The new list of languages.
            pub preferred_locales: Option<Locales>,
            /// The tags.
            pub tags: TagsChange,
            /// The people.
            pub contact_persons: ItemsChange<ContactPerson>,
            /// The tax ids.
            pub tax_ids: ItemsChange<TaxId>,
            /// The tax exemptions.
            pub tax_exemptions: ItemsChange<TaxExemption>,
            /// The custom fields, which are checked when the update is decided.
            pub custom_fields: CustomFieldsChange,
            /// Links to add or update; other links stay.
            pub links: NewLinks,
            /// As [`NewCustomer::confirm_new_subject`](super::NewCustomer::confirm_new_subject), for a new external id.
            pub confirm_new_subject: bool,
        }

        impl CustomerUpdate {
            /// Applies everything except the links, and returns the fields whose values changed.
            pub(super) fn apply(
                self,
                customer: &mut Customer,
                definitions: &[CustomFieldDefinition],
                ids: &mut IdSequence,
                at: Timestamp,
            ) -> Result<Vec<CustomerField>, ItemError> {
                let mut broken = Violations::new();
                let _ = noted(self.repeated.check(customer), &mut broken);
                let profile = &mut customer.profile;
                let metadata = noted(self.metadata.apply(&profile.metadata), &mut broken);
                let electronic = noted(self.electronic_address.apply(&mut profile.electronic_address), &mut broken);
                let custom = custom_field::apply(definitions, &profile.custom_fields, &self.custom_fields);
                let custom = noted(custom, &mut broken);
                let lists = [
                    list(self.contact_persons, &mut customer.contact_persons, ids, at, &mut broken)?,
                    list(self.tax_ids, &mut customer.tax_ids, ids, at, &mut broken)?,
                    list(self.tax_exemptions, &mut customer.tax_exemptions, ids, at, &mut broken)?,
                ];
                broken.into_result()?;
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
                $(note(apply_patch!($unset, self.$wire, profile.$($place)+), CustomerField::$variant);)+
                if let Some(metadata) = metadata {
                    note(profile.metadata != metadata, CustomerField::Metadata);
                    profile.metadata = metadata;
                }
                note(electronic == Some(true), CustomerField::ElectronicAddress);
                note(self.shipping_address.apply(&mut profile.shipping_address), CustomerField::ShippingAddress);
                if let Some(locales) = self.preferred_locales {
                    note(profile.preferred_locales != locales, CustomerField::PreferredLocales);
                    profile.preferred_locales = locales;
                }
                note(self.tags.apply(&mut profile.tags), CustomerField::Tags);
                let lists = lists.into_iter().flatten();
                lists.for_each(|field| note(true, field));
                if let Some(fields) = custom {
                    note(profile.custom_fields != fields, CustomerField::CustomFields);
                    profile.custom_fields = fields;
                }
                Ok(changed)
            }
        }
    };
}

crate::customer_texts!(update);

/// The value, or a note of all its faults.
fn noted<T>(checked: Result<T, Violations>, broken: &mut Violations) -> Option<T> {
    checked.map_err(|found| found.into_iter().for_each(|violation| broken.push(violation))).ok()
}

/// Applies a change of a list, and returns the list's name if it has changed.
fn list<T: ItemKind>(
    change: ItemsChange<T>,
    list: &mut Vec<Item<T>>,
    ids: &mut IdSequence,
    at: Timestamp,
    broken: &mut Violations,
) -> Result<Option<CustomerField>, ItemError> {
    match change.apply(list, ids, at) {
        Ok(changed) => Ok(changed.then_some(T::FIELD)),
        Err(ItemError::Invalid(found)) => Ok(noted(Err(found), broken)),
        Err(unknown) => Err(unknown),
    }
}
