//! The objects and lists of a request, as unchecked texts.

use super::check::Fields;
use crate::{
    customer::{
        AddressLine, CertificateNumber, City, ContactDepartment, ContactDesignation, ContactMobile, ContactPerson,
        ContactRole, CountryCode, DocumentUrl, ElectronicAddressScheme, ElectronicAddressUpdate,
        ElectronicAddressValue, Email, ExemptionNote, ExemptionReason, FirstName, ItemKind, LastName, Locale,
        PostalCode, Salutation, ShippingAddressUpdate, ShippingName, ShippingPhone, State, TaxExemption, TaxId,
        TaxIdType,
    },
    ids::Id,
    patch::Patch,
    tax::TaxRateCode,
    time::Timestamp,
};

/// An item of a list, before its check.
pub(super) trait ItemParts<T: ItemKind> {
    /// The id of an existing item.
    fn id(&self) -> Option<&str>;

    /// The item, or `None` after all faults were noted.
    fn check(self, fields: &mut Fields<'_>) -> Option<T>;
}

/// The id in the parts of an item.
pub(super) fn id_of<T: ItemKind>(parts: &impl ItemParts<T>, fields: &mut Fields<'_>) -> Option<Id<T::Id>> {
    let id = parts.id().filter(|id| !id.is_empty())?;
    fields.check("id", Id::parse(id))
}

macro_rules! object_parts {
    ($(#[$doc:meta])* $parts:ident: $update:ident { $($(#[$field_doc:meta])* $field:ident: $type:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
        pub struct $parts {
            $($(#[$field_doc])* pub $field: Patch<String>,)+
        }

        impl $parts {
            /// A patch for each member. Unless it merges, a cleared member counts as absent.
            pub(super) fn update(self, fields: &mut Fields<'_>, merges: bool) -> $update {
                let stated = |patch: Patch<String>| if merges || patch != Patch::Clear { patch } else { Patch::Keep };
                $update { $($field: fields.patch(stringify!($field), stated(self.$field), $type::new),)+ }
            }
        }
    };
}

macro_rules! shipping_address_parts {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        object_parts! {
            /// A shipping address, before its check.
            ///
            /// ```
            /// use patron_domain::{customer::{CustomerUpdateParts, ShippingAddressParts}, patch::Patch};
            ///
            /// let address = ShippingAddressParts { country: Patch::Set("Germany".to_owned()), ..Default::default() };
            /// let update = CustomerUpdateParts { shipping_address: Patch::Set(address), ..Default::default() };
            /// assert_eq!(update.merge().unwrap_err().iter().next().unwrap().path, "shipping_address.country");
            /// ```
            ShippingAddressParts: ShippingAddressUpdate { $(#[doc = $says] $field: $type,)+ }
        }
    };
}

crate::shipping_address_texts!(shipping_address_parts);

object_parts! {
    /// An electronic address, before its check.
    ///
    /// ```
    /// use patron_domain::{customer::{CustomerUpdateParts, ElectronicAddressParts}, patch::Patch};
    ///
    /// let address = ElectronicAddressParts { scheme: Patch::Set("x".to_owned()), ..Default::default() };
    /// let update = CustomerUpdateParts { electronic_address: Patch::Set(address), ..Default::default() };
    /// assert_eq!(update.merge().unwrap_err().iter().next().unwrap().path, "electronic_address.scheme");
    /// ```
    ElectronicAddressParts: ElectronicAddressUpdate {
        /// The scheme: four digits.
        scheme: ElectronicAddressScheme,
        /// The address within it.
        value: ElectronicAddressValue,
    }
}

macro_rules! person_parts {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A contact person, before its check.
        ///
        /// ```
        /// use patron_domain::customer::{ContactPersonParts, NewCustomerParts};
        ///
        /// let parts = NewCustomerParts {
        ///     external_id: "acme".to_owned(),
        ///     contact_persons: Some(vec![ContactPersonParts::default()]),
        ///     ..NewCustomerParts::default()
        /// };
        /// assert_eq!(parts.check().unwrap_err().iter().next().unwrap().path, "contact_persons[0].first_name");
        /// ```
        #[derive(Clone, Default, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
        pub struct ContactPersonParts {
            /// The id of an existing person; `None` for a new one.
            pub id: Option<String>,
            /// The first name. Needed.
            pub first_name: String,
            $(#[doc = $says] pub $field: Option<String>,)+
            /// Whether this is the primary person.
            pub is_primary: Option<bool>,
            /// The person's roles.
            pub roles: Option<Vec<String>>,
        }

        impl ItemParts<ContactPerson> for ContactPersonParts {
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }

            fn check(self, fields: &mut Fields<'_>) -> Option<ContactPerson> {
                let first_name = fields.check("first_name", FirstName::new(self.first_name));
                $(let $field = fields.optional(stringify!($field), self.$field, $type::new);)+
                let roles = fields.texts(self.roles, ContactRole::new);
                let is_primary = self.is_primary.unwrap_or_default();
                Some(ContactPerson { first_name: first_name?, $($field,)+ is_primary, roles: roles.unwrap_or_default() })
            }
        }
    };
}

crate::contact_person_texts!(person_parts);

/// A tax id, before its check.
///
/// ```
/// use patron_domain::customer::{NewCustomerParts, TaxIdParts};
///
/// let vat = TaxIdParts { r#type: "eu_vat".to_owned(), value: "DE1".to_owned(), ..TaxIdParts::default() };
/// let parts = NewCustomerParts { tax_ids: Some(vec![vat]), ..NewCustomerParts::default() };
/// assert!(parts.check().unwrap_err().iter().any(|one| one.path == "tax_ids[0].value"));
/// ```
#[derive(Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
pub struct TaxIdParts {
    /// The id of an existing tax id; `None` for a new one.
    pub id: Option<String>,
    /// The type, as Stripe names it. Needed.
    pub r#type: String,
    /// The number. Needed.
    pub value: String,
    /// Whether the number is stored even if its format or check digit is wrong.
    pub unchecked: Option<bool>,
}

impl ItemParts<TaxId> for TaxIdParts {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn check(self, fields: &mut Fields<'_>) -> Option<TaxId> {
        let tax_id_type = fields.check("type", TaxIdType::new(self.r#type))?;
        fields.check("value", TaxId::new(tax_id_type, self.value, self.unchecked.unwrap_or_default()))
    }
}

macro_rules! exemption_parts {
    ($($field:ident: $type:ident, $says:literal;)+) => {
        /// A tax exemption, before its check.
        ///
        /// ```
        /// use patron_domain::customer::{NewCustomerParts, TaxExemptionParts};
        ///
        /// let exemption = TaxExemptionParts { reason: "charity".to_owned(), ..TaxExemptionParts::default() };
        /// let parts = NewCustomerParts { tax_exemptions: Some(vec![exemption]), ..NewCustomerParts::default() };
        /// assert!(parts.check().unwrap_err().iter().any(|one| one.path == "tax_exemptions[0].reason"));
        /// ```
        #[derive(Clone, Default, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default))]
        pub struct TaxExemptionParts {
            /// The id of an existing exemption; `None` for a new one.
            pub id: Option<String>,
            /// The reason. Needed.
            pub reason: String,
            $(#[doc = $says] pub $field: Option<String>,)+
            /// The codes of the rates; without any, all rates.
            pub tax_rate_codes: Option<Vec<String>>,
            /// The start, in RFC 3339; the time of the request by default.
            pub starts_at: Option<String>,
            /// The end, in RFC 3339, exclusive.
            pub ends_at: Option<String>,
        }

        impl ItemParts<TaxExemption> for TaxExemptionParts {
            fn id(&self) -> Option<&str> {
                self.id.as_deref()
            }

            fn check(self, fields: &mut Fields<'_>) -> Option<TaxExemption> {
                let reason = fields.check("reason", ExemptionReason::new(self.reason));
                $(let $field = fields.optional(stringify!($field), self.$field, $type::new);)+
                let exemption = TaxExemption {
                    $($field,)+
                    tax_rate_codes: fields.texts(self.tax_rate_codes, TaxRateCode::new).unwrap_or_default(),
                    starts_at: fields.optional("starts_at", self.starts_at, |at| Timestamp::parse(&at)),
                    ends_at: fields.optional("ends_at", self.ends_at, |at| Timestamp::parse(&at)),
                    ..TaxExemption::new(reason?)
                };
                fields.group_here(exemption.check_term())?;
                Some(exemption)
            }
        }
    };
}

crate::tax_exemption_texts!(exemption_parts);
